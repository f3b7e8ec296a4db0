"""The objects that every cluster has from its first moment; the composition root creates those that are missing."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from uuid import uuid4

from kubeslice.lab.apiserver.access.bootstrap import cluster_role_bindings, cluster_roles
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.rest.backend import now
from kubeslice.lab.apiserver.storage.entry import Key
from kubeslice.lab.apiserver.storage.store import Store

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_RBAC = "rbac.authorization.k8s.io"
_PRIORITIES = (
    ("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster."),
    ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their node."),
)


def ensure(store: Store, services: IPv4Network, port: int) -> None:
    """Create what is missing."""
    for key, obj in _objects(services, port):
        if store.find(key) is None:
            metadata = {"name": "", "uid": str(uuid4()), "creationTimestamp": now()} | obj["metadata"]
            store.create(key, obj | {"metadata": metadata})


def _objects(services: IPv4Network, port: int) -> Iterator[tuple[Key, Object]]:
    for name in _NAMESPACES:
        yield Key("/namespaces", name), _namespace(name)
    for role in cluster_roles():
        yield Key(f"{_RBAC}/clusterroles", role["metadata"]["name"]), role
    for binding in cluster_role_bindings():
        yield Key(f"{_RBAC}/clusterrolebindings", binding["metadata"]["name"]), binding
    for name, value, text in _PRIORITIES:
        yield Key("scheduling.k8s.io/priorityclasses", name), _priority_class(name, value, text)
    yield Key("/services", "default/kubernetes"), _service(str(services[1]), port)


def _namespace(name: str) -> Object:
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _priority_class(name: str, value: int, text: str) -> Object:
    return {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name, "generation": 1},
        "value": value,
        "description": text,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _service(address: str, port: int) -> Object:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "clusterIP": address,
            "clusterIPs": [address],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }
