"""What is installed in a worker cluster."""

import base64
from dataclasses import dataclass, field

from kubeslice.manifests import pods, workeraccess
from kubeslice.manifests.hubside import WEBHOOK_PORT
from kubeslice.manifests.objects import Object, namespace, obj
from kubeslice.manifests.pods import TEMPORARY, Component, Image, Mount
from kubeslice.model import names
from kubeslice.model.crd import crd
from kubeslice.model.kinds import WORKER_KINDS
from kubeslice.model.resources import DAEMONSETS, PRIORITYCLASSES, SECRETS
from kubeslice.plan.tenants.tenancy import Member

AGENT_HEALTH_PORT = 9479
DNS_PORT = 1053
DATA_PLANE_PRIORITY = 900_000_000


@dataclass(frozen=True)
class HubCredentials:
    """How the operator reaches the hub: what the Secret `kubeslice-rbac-worker-<cluster>` there holds."""

    endpoint: str
    token: str = field(repr=False)
    ca: str


@dataclass(frozen=True)
class WorkerValues:
    """What differs between worker clusters.

    Without `credentials` the Secret `kubeslice-hub` is left to somebody else, such as a secret store. Gateways need to
    be privileged only where the kernel has no WireGuard.
    """

    cluster: str
    project: str
    image: Image
    credentials: HubCredentials | None = None
    webhook_replicas: int = 1
    privileged_gateways: bool = True

    @property
    def member(self) -> Member:
        """Return the cluster as its project knows it."""
        return Member(self.project, self.cluster)

    @property
    def environment(self) -> dict[str, str]:
        """Return who this cluster is."""
        return {
            "CLUSTER_NAME": self.cluster,
            "HUB_PROJECT_NAMESPACE": names.project_namespace(self.project),
        }


def worker(values: WorkerValues) -> list[Object]:
    """Return the manifests of a worker cluster, in the order in which they can be applied."""
    operator, dns, webhook, agent = _operator(values), _dns(values), _webhook(values), _agent(values)
    return [
        namespace(names.WORKER_NAMESPACE),
        *(crd(kind) for kind in WORKER_KINDS),
        _priority_class(),
        *workeraccess.WORKER.objects(operator.name),
        *workeraccess.AGENT.objects(agent.name),
        # The operator binds it to the account of each slice's gateways.
        *workeraccess.GATEWAY.roles("kubeslice-gateway"),
        *workeraccess.ROUTER.objects("kubeslice-router"),
        *workeraccess.DNS.objects(dns.name),
        *workeraccess.WORKER_WEBHOOK.objects(webhook.name),
        *([hub_secret(values.member, values.credentials)] if values.credentials else []),
        pods.service(dns, [("dns", 53, DNS_PORT, "UDP"), ("dns-tcp", 53, DNS_PORT, "TCP")]),
        pods.service(webhook, [("webhook", 443, WEBHOOK_PORT, "TCP")]),
        pods.deployment(operator, values.image),
        pods.workload(DAEMONSETS, agent, values.image, {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}),
        pods.deployment(dns, values.image),
        pods.deployment(webhook, values.image, values.webhook_replicas),
    ]


def project_of(operator: Object) -> str:
    """Return the project that a worker was installed for, by the Deployment of its operator."""
    environment = operator["spec"]["template"]["spec"]["containers"][0].get("env") or []
    found = next((entry.get("value", "") for entry in environment if entry["name"] == "HUB_PROJECT_NAMESPACE"), "")
    return names.project_of(found)


def hub_secret(member: Member, credentials: HubCredentials, name: str = names.HUB_SECRET) -> Object:
    """Return the Secret with which a worker reaches the hub of a project: another `name` for a further project."""
    content = {
        "endpoint": credentials.endpoint,
        "token": credentials.token,
        "ca.crt": credentials.ca,
        "namespace": member.namespace,
        "projectNamespace": names.project_namespace(member.project),
        "clusterName": member.name,
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in sorted(content.items())}
    found = {**obj(SECRETS, name, names.WORKER_NAMESPACE, "kubeslice-worker"), "type": "Opaque", "data": data}
    if name != names.HUB_SECRET:
        found["metadata"]["labels"][names.PROJECT_LABEL] = member.project
    return found


def _operator(values: WorkerValues) -> Component:
    # Gateways and routers run the operator's own image.
    build = {
        "IMAGE": values.image.name,
        "IMAGE_PULL_POLICY": values.image.pull_policy,
        "GATEWAY_PRIVILEGED": str(values.privileged_gateways).lower(),
    }
    return Component(
        name="kubeslice-worker",
        namespace=names.WORKER_NAMESPACE,
        account=workeraccess.WORKER.name,
        run="worker",
        environment={**values.environment, **build},
        mounts=[
            Mount(
                "hub",
                names.HUB_CREDENTIALS_DIRECTORY,
                {"secret": {"secretName": names.HUB_SECRET}},
                {"readOnly": True},
            )
        ],
        memory_limit="512Mi",
    )


def _agent(values: WorkerValues) -> Component:
    network_namespaces = Mount(
        "netns",
        "/run/netns",
        {"hostPath": {"path": "/run/netns", "type": "DirectoryOrCreate"}},
        {"mountPropagation": "Bidirectional"},
    )
    cgroups = Mount(
        "cgroup",
        "/sys/fs/cgroup",
        {"hostPath": {"path": "/sys/fs/cgroup", "type": "Directory"}},
        {"readOnly": True},
    )
    return Component(
        name="kubeslice-agent",
        namespace=names.WORKER_NAMESPACE,
        account=workeraccess.AGENT.name,
        run="agent",
        environment={"CLUSTER_NAME": values.cluster},
        mounts=[network_namespaces, cgroups],
        security={"privileged": True},
        health_port=AGENT_HEALTH_PORT,
        pod={
            "hostNetwork": True,
            "hostPID": True,
            "dnsPolicy": "ClusterFirstWithHostNet",
            "priorityClassName": names.PRIORITY_CLASS,
            "tolerations": [{"operator": "Exists"}],
        },
    )


def _dns(values: WorkerValues) -> Component:
    return Component(
        name=names.DNS_SERVICE,
        namespace=names.WORKER_NAMESPACE,
        account=workeraccess.DNS.name,
        run="dns",
        environment={**values.environment, "DNS_PORT": str(DNS_PORT)},
        ports=[("dns", DNS_PORT, "UDP"), ("dns-tcp", DNS_PORT, "TCP")],
        mounts=[TEMPORARY],
        pod={"priorityClassName": names.PRIORITY_CLASS},
    )


def _webhook(values: WorkerValues) -> Component:
    return Component(
        name=names.WEBHOOK_SERVICE,
        namespace=names.WORKER_NAMESPACE,
        account=workeraccess.WORKER_WEBHOOK.name,
        run="webhook",
        environment={
            **values.environment,
            "IMAGE": values.image.name,
            "WEBHOOK_ROLE": "worker",
            "WEBHOOK_PORT": str(WEBHOOK_PORT),
        },
        ports=[("webhook", WEBHOOK_PORT, "TCP")],
        mounts=[TEMPORARY],
    )


def _priority_class() -> Object:
    return {
        **obj(PRIORITYCLASSES, names.PRIORITY_CLASS, "", "kubeslice-agent"),
        "value": DATA_PLANE_PRIORITY,
        "globalDefault": False,
        "description": "Pods that carry the traffic or the names of slices.",
    }
