"""The rules that tenants live under in worker clusters, in bundles that a project switches on. Pure data.

Each rule is one CEL expression over the object of an admission request, and a message that names the field and the
remedy. `plan.tenants.policy_forms` makes cluster policies of them. Beside `object` and `oldObject` an expression may
use `variables.containers` (of a pod, init containers too), `variables.everyContainer` (ephemeral ones too) and
`variables.params` (what the project allows).
"""

from collections.abc import Collection
from dataclasses import dataclass

from kubeslice.model import names
from kubeslice.model.resources import NETWORKPOLICIES, PERSISTENTVOLUMECLAIMS, PODS, SERVICES, Resource

NETWORK, STORAGE, RESOURCES, SECURITY = "network", "storage", "resources", "security"
CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"

# The parts of KubeSlice and of Kubernetes itself that may do what tenants may not.
_WORKER = names.account_user(names.WORKER_NAMESPACE, "kubeslice-worker")
_CONTROLLERS = names.account_user("kube-system", "")


@dataclass(frozen=True)
class Rule:
    """One thing that holds for every object of a resource in the namespaces of a project.

    Pods are looked at when they are made: what they are does not change, and what is written on them later, by the
    agent for example, must not fail because of how they are.
    """

    name: str
    bundle: str
    resource: Resource
    expression: str
    message: str
    operations: tuple[str, ...] = (CREATE, UPDATE)


def _on_pods(name: str, bundle: str, expression: str, message: str) -> Rule:
    return Rule(name, bundle, PODS, expression, message, (CREATE,))


RULES: tuple[Rule, ...] = (
    _on_pods(
        "host-network",
        NETWORK,
        "!has(object.spec.hostNetwork) || !object.spec.hostNetwork",
        "spec.hostNetwork: pods of a tenant stay in their own network: take it out",
    ),
    _on_pods(
        "host-ports",
        NETWORK,
        "variables.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))",
        "spec.containers[].ports[].hostPort: ports of nodes are not for tenants: take it out",
    ),
    Rule(
        "exposed-services",
        NETWORK,
        SERVICES,
        "!has(object.spec.type) || !(object.spec.type in ['NodePort', 'LoadBalancer'])",
        "spec.type: services of a tenant are not reached from outside: make it ClusterIP, and a ServiceExport for the "
        "other clusters of the slice",
    ),
    Rule(
        "external-addresses",
        NETWORK,
        SERVICES,
        "!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0",
        "spec.externalIPs: a service must not take addresses that are not its own: take them out",
    ),
    Rule(
        "kept-network-policies",
        NETWORK,
        NETWORKPOLICIES,
        f"!has(oldObject.metadata.labels) || !('{names.MANAGED_BY_LABEL}' in oldObject.metadata.labels) || "
        f"oldObject.metadata.labels['{names.MANAGED_BY_LABEL}'] != '{names.WORKER_MANAGER}' || "
        f"request.userInfo.username == '{_WORKER}' || request.userInfo.username.startsWith('{_CONTROLLERS}')",
        "metadata: this policy isolates a slice and belongs to KubeSlice: change the SliceConfig instead",
        (UPDATE, DELETE),
    ),
    Rule(
        "storage-classes",
        STORAGE,
        PERSISTENTVOLUMECLAIMS,
        "has(object.spec.storageClassName) && object.spec.storageClassName in variables.params.storageClasses",
        "spec.storageClassName: this class is not for this project: name one of spec.allowedStorageClasses of the "
        "Project",
        (CREATE,),
    ),
    _on_pods(
        "requests",
        RESOURCES,
        "variables.containers.all(c, has(c.resources) && has(c.resources.requests) && "
        "'cpu' in c.resources.requests && 'memory' in c.resources.requests)",
        "spec.containers[].resources.requests: a container does not say what it needs: write cpu and memory",
    ),
    _on_pods(
        "memory-limits",
        RESOURCES,
        "variables.containers.all(c, has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits)",
        "spec.containers[].resources.limits: a container could use up the memory of its node: write memory",
    ),
    _on_pods(
        "privileged",
        SECURITY,
        "variables.everyContainer.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || "
        "!c.securityContext.privileged)",
        "spec.containers[].securityContext.privileged: a privileged container owns its node: take it out",
    ),
    _on_pods(
        "added-capabilities",
        SECURITY,
        "variables.everyContainer.all(c, !has(c.securityContext) || !has(c.securityContext.capabilities) || "
        "!has(c.securityContext.capabilities.add) || "
        "c.securityContext.capabilities.add.all(capability, capability == 'NET_BIND_SERVICE'))",
        "spec.containers[].securityContext.capabilities.add: tenants may add NET_BIND_SERVICE only: take others out",
    ),
    _on_pods(
        "host-namespaces",
        SECURITY,
        "(!has(object.spec.hostPID) || !object.spec.hostPID) && (!has(object.spec.hostIPC) || !object.spec.hostIPC)",
        "spec.hostPID, spec.hostIPC: processes of nodes are not for tenants: take them out",
    ),
    _on_pods(
        "host-paths",
        SECURITY,
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
        "spec.volumes[].hostPath: files of nodes are not for tenants: use another kind of volume",
    ),
)


def of_bundles(bundles: Collection[str]) -> list[Rule]:
    """Return the rules of some bundles, in the order of the table."""
    return [rule for rule in RULES if rule.bundle in bundles]
