"""Deployments, the agent's DaemonSet and Services: how our components run. Used by `hubside` and `workerside`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubeslice.manifests.objects import Object, labels, obj, selector
from kubeslice.model.resources import DEPLOYMENTS, PODDISRUPTIONBUDGETS, SERVICES, Resource
from kubeslice.plan.cluster import workloads

HEALTH_PORT = 8081
NON_ROOT_USER = 65532

UNPRIVILEGED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": NON_ROOT_USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}

DOWNWARD = {
    "NODE_NAME": "spec.nodeName",
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "POD_UID": "metadata.uid",
    "POD_IP": "status.podIP",
}


@dataclass(frozen=True, slots=True)
class Image:
    """The image all components run."""

    name: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume and where the container sees it."""

    name: str
    path: str
    source: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """How one component runs."""

    name: str
    namespace: str
    account: str
    run: str
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[tuple[str, int, str]] = ()
    mounts: Sequence[Mount] = ()
    security: Mapping[str, Any] = field(default_factory=lambda: UNPRIVILEGED)
    health_port: int = HEALTH_PORT
    cpu: str = "20m"
    memory: str = "64Mi"
    memory_limit: str = "256Mi"
    pod: Mapping[str, Any] = field(default_factory=dict)


TEMPORARY = Mount("tmp", "/tmp", {"emptyDir": {}})  # noqa: S108 - inside the container, a volume of its own


def deployment(component: Component, image: Image, replicas: int = 1) -> Object:
    """Return the Deployment of a component, which is elsewhere soon when its node dies."""
    moving = replace(component, pod={"tolerations": workloads.brief_tolerations(), **component.pod})
    spec = {"replicas": replicas, **_workload(moving, image)}
    return {**obj(DEPLOYMENTS, component.name, component.namespace, component.name), "spec": spec}


def workload(resource: Resource, component: Component, image: Image, extra: Mapping[str, Any]) -> Object:
    """Return another workload of a component, such as a DaemonSet, with `extra` in its spec."""
    spec = {**extra, **_workload(component, image)}
    return {**obj(resource, component.name, component.namespace, component.name), "spec": spec}


def service(component: Component, ports: Sequence[tuple[str, int, int, str]]) -> Object:
    """Return the ClusterIP Service of a component; ports are (name, port, target port, protocol)."""
    spec = {
        "type": "ClusterIP",
        "selector": selector(component.name),
        "ports": [
            {"name": name, "port": port, "targetPort": target, "protocol": protocol}
            for name, port, target, protocol in ports
        ],
    }
    return {**obj(SERVICES, component.name, component.namespace, component.name), "spec": spec}


def budget(component: Component) -> Object:
    """Return the PodDisruptionBudget of a component with several replicas: a drain takes one at a time."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(component.name)}}
    return {**obj(PODDISRUPTIONBUDGETS, component.name, component.namespace, component.name), "spec": spec}


def apart(name: str) -> dict[str, Any]:
    """Return the part of a pod's spec that keeps replicas of a component on different nodes, where there are some."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(name)},
    }
    return {"topologySpreadConstraints": [spread]}


def _workload(component: Component, image: Image) -> dict[str, Any]:
    pod = {
        "serviceAccountName": component.account,
        "terminationGracePeriodSeconds": 5,
        **component.pod,
        "containers": [_container(component, image)],
        "volumes": [{"name": mount.name, **mount.source} for mount in component.mounts],
    }
    if image.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in image.pull_secrets]
    metadata = {"labels": labels(component.name)}
    return {"selector": {"matchLabels": selector(component.name)}, "template": {"metadata": metadata, "spec": pod}}


def _container(component: Component, image: Image) -> dict[str, Any]:
    ports = [("health", component.health_port, "TCP"), *component.ports]
    return {
        "name": component.run,
        "image": image.name,
        "imagePullPolicy": image.pull_policy,
        "args": ["run", component.run],
        "env": _environment(component),
        "ports": [{"name": name, "containerPort": number, "protocol": protocol} for name, number, protocol in ports],
        "volumeMounts": [{"name": mount.name, "mountPath": mount.path, **mount.options} for mount in component.mounts],
        "readinessProbe": {**_probe("/readyz", component), "periodSeconds": 1, "failureThreshold": 3},
        "livenessProbe": {**_probe("/healthz", component), "periodSeconds": 10, "failureThreshold": 6},
        "resources": {
            "requests": {"cpu": component.cpu, "memory": component.memory},
            "limits": {"memory": component.memory_limit},
        },
        "securityContext": dict(component.security),
    }


def _environment(component: Component) -> list[dict[str, Any]]:
    fields = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in DOWNWARD.items()]
    values = {"HEALTH_PORT": str(component.health_port), **component.environment}
    return [*fields, *({"name": name, "value": value} for name, value in sorted(values.items()))]


def _probe(path: str, component: Component) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": component.health_port}, "timeoutSeconds": 2}
