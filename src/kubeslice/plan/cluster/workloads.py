"""The routers of a slice in one cluster, and the shape that they share with its gateways (`gateway_workloads`).

Pure: `worker.workloads` applies what these functions return. Router and gateways are ordinary pods of the slice to
everybody else: labels alone make the node's agent attach them.
"""

from dataclasses import dataclass
from typing import Any

from kubeslice.model import names

Object = dict[str, Any]

HEALTH_PORT = 8081
DEAD_NODE = 30  # seconds; Kubernetes would leave pods for five minutes on a node that does not answer
SETTLE = 3  # seconds that a router or gateway works before the next one is replaced


@dataclass(frozen=True)
class Build:
    """What workloads are made of: the image, and whether gateways may need the TUN device of the node."""

    image: str
    pull_policy: str = "IfNotPresent"
    privileged_gateways: bool = True


@dataclass(frozen=True)
class Owner:
    """The Slice that the workloads belong to."""

    name: str
    uid: str


def routers(owner: Owner, build: Build) -> list[Object]:
    """Return the Deployments of the slice's routers."""
    return [router(owner, number, build) for number in range(names.ROUTERS)]


def router(owner: Owner, number: int, build: Build) -> Object:
    """Return the Deployment of one of the slice's routers."""
    own_labels = {**labels(owner, names.ROUTER_POD), names.ROUTER_LABEL: str(number)}
    main = container("router", build, [env("SLICE", owner.name), env("ROUTER", str(number))])
    main["securityContext"] = net_admin()
    template = pod(build, names.ROUTER_SERVICE_ACCOUNT, main)
    template |= apart(own_labels, names.ROUTER_LABEL)
    return deployment(owner, names.router_deployment(owner.name, number), own_labels, template)


def budgets(owner: Owner) -> list[Object]:
    """Return the PodDisruptionBudget of the routers: a drain takes one at a time."""
    return [budget(owner, names.router_budget(owner.name), labels(owner, names.ROUTER_POD), names.ROUTERS - 1)]


def labels(owner: Owner, role: str) -> dict[str, str]:
    """Return the labels of the pods that play a role on the slice."""
    return {names.SLICE_LABEL: owner.name, names.POD_TYPE_LABEL: role}


def metadata(owner: Owner, name: str, own_labels: dict[str, str]) -> Object:
    """Return the metadata of what belongs to the Slice."""
    reference = {
        "apiVersion": "networking.kubeslice.io/v1beta1",
        "kind": "Slice",
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "name": name,
        "namespace": names.WORKER_NAMESPACE,
        "labels": {**own_labels, names.MANAGED_BY_LABEL: names.WORKER_MANAGER},
        "ownerReferences": [reference],
    }


def deployment(owner: Owner, name: str, own_labels: dict[str, str], template: Object) -> Object:
    """Return a Deployment of one pod."""
    # Recreate: router and gateways have fixed addresses, which two pods can never hold at once.
    return {
        "metadata": metadata(owner, name, own_labels),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "minReadySeconds": SETTLE,
            "selector": {"matchLabels": own_labels},
            "template": {"metadata": {"labels": own_labels}, "spec": template},
        },
    }


def pod(build: Build, account: str, main: Object) -> Object:
    """Return the spec of a pod that waits for its interface on the slice."""
    wait = {
        "name": names.INIT_CONTAINER,
        "image": build.image,
        "imagePullPolicy": build.pull_policy,
        "args": ["run", "wait"],
    }
    return {
        "serviceAccountName": account,
        "priorityClassName": names.PRIORITY_CLASS,
        "terminationGracePeriodSeconds": 5,
        "tolerations": [{"key": names.NODE_TYPE_LABEL, "operator": "Exists"}, *brief_tolerations()],
        "initContainers": [wait],
        "containers": [main],
    }


def brief_tolerations() -> list[Object]:
    """Return for how long a pod stays on a node that is not ready or not reachable, before another takes its place."""
    shape = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": DEAD_NODE}
    return [{"key": f"node.kubernetes.io/{taint}", **shape} for taint in ("not-ready", "unreachable")]


def container(component: str, build: Build, environment: list[Object]) -> Object:
    """Return the container of a component."""
    return {
        "name": component,
        "image": build.image,
        "imagePullPolicy": build.pull_policy,
        "args": ["run", component],
        "env": [*environment, *_downward()],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": HEALTH_PORT}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": HEALTH_PORT}, "periodSeconds": 10},
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }


def env(name: str, value: str) -> Object:
    """Return an environment variable."""
    return {"name": name, "value": value}


def apart(own_labels: dict[str, str], number: str) -> Object:
    """Return what keeps the pods of one role on different nodes, as far as there are nodes.

    `number` is the label in which they differ. A pod does not keep away from the one it succeeds, which may still be
    on its way out.
    """
    role = {key: value for key, value in own_labels.items() if key != number}
    others = {"key": number, "operator": "NotIn", "values": [own_labels[number]]}
    wish = {
        "weight": 50,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": role, "matchExpressions": [others]},
        },
    }
    # A wish loses against fuller nodes and images that are there already; this is a demand where nodes are several.
    evenly = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": role},
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
    }
    return {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}},
        "topologySpreadConstraints": [evenly],
    }


def net_admin() -> Object:
    """Return the security context of who changes routes and filters of its pod."""
    return {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}}


def budget(owner: Owner, name: str, own_labels: dict[str, str], minimum: int) -> Object:
    """Return a PodDisruptionBudget: of the pods with these labels, drains leave `minimum`."""
    return {
        "metadata": metadata(owner, name, own_labels),
        "spec": {"minAvailable": minimum, "selector": {"matchLabels": own_labels}},
    }


def _downward() -> list[Object]:
    fields = {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_UID": "metadata.uid",
        "POD_IP": "status.podIP",
    }
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]
