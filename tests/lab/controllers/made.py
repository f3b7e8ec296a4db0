"""Objects for tests, as small as their kinds allow."""

from typing import Any

from kubeslice.lab.controllers import templates

NOW = "2026-01-01T00:00:00Z"


def deployment(name: str = "web", replicas: Any = 2, namespace: str = "default", **spec: Any) -> Any:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": body,
    }


def daemonset(name: str = "agent", **spec: Any) -> Any:
    made = deployment(name)
    made["kind"] = "DaemonSet"
    del made["spec"]["replicas"]
    made["spec"]["template"]["spec"].update(spec)
    return made


def service(name: str = "web", namespace: str = "default", **spec: Any) -> Any:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "uid": "s1"},
        "spec": {"selector": {"app": "web"}, "ports": ports, **spec},
    }


def container() -> Any:
    return {"name": "c", "image": "busybox", "ports": [{"name": "http", "containerPort": 8080}]}


def node(
    name: str, *, ready: Any = True, taints: Any = (), labels: Any = None, unschedulable: Any = False, **status: Any
) -> Any:
    spec = {"taints": list(taints)} | ({"unschedulable": True} if unschedulable else {})
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    own = {"kubernetes.io/hostname": name, **(labels or {})}
    return {"metadata": {"name": name, "labels": own}, "spec": spec, "status": {"conditions": conditions, **status}}


def pod(
    name: str,
    *,
    on: Any = "",
    ready: Any = False,
    phase: Any = "Running",
    deleting: Any = False,
    owner: Any = None,
    labels: Any = None,
    address: Any = "",
    **spec: Any,
) -> Any:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or {"app": "web"}}
    metadata["creationTimestamp"] = NOW
    if deleting:
        metadata["deletionTimestamp"] = NOW
    if owner:
        metadata["ownerReferences"] = [templates.controller_reference(owner)]
    status = {"phase": phase, "podIP": address}
    if ready:
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": NOW}]
    return {"metadata": metadata, "spec": {"nodeName": on, "containers": [container()], **spec}, "status": status}
