"""The workloads of a slice in one cluster: a router, and per plane a gateway with its Service and its key.

Pure: `worker.workloads` applies what these functions return. Router and gateways are ordinary pods of the slice to
everybody else: labels alone make the node's agent attach them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names

Object = dict[str, Any]

HEALTH_PORT = 8081


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


@dataclass(frozen=True)
class KeyPair:
    """An X25519 key pair in the base64 form that WireGuard uses (RFC 7748; wg(8))."""

    private: str
    public: str


def deployments(owner: Owner, planes: int, build: Build) -> list[Object]:
    """Return the Deployments of router and gateways."""
    return [router(owner, build), *(gateway(owner, plane, build) for plane in range(planes))]


def services(owner: Owner, planes: int) -> list[Object]:
    """Return the Services at which other clusters reach the gateways."""
    return [gateway_service(owner, plane) for plane in range(planes)]


def router(owner: Owner, build: Build) -> Object:
    """Return the Deployment of the slice's router."""
    labels = _labels(owner, names.ROUTER_POD)
    container = _container("router", build, [_env("SLICE", owner.name), _env("ROUTER", "0")])
    container["securityContext"] = _net_admin()
    pod = _pod(build, names.ROUTER_SERVICE_ACCOUNT, container)
    return _deployment(owner, names.router_deployment(owner.name), labels, pod)


def gateway(owner: Owner, plane: int, build: Build) -> Object:
    """Return the Deployment of one plane's gateway."""
    name = names.gateway_deployment(owner.name, plane)
    labels = _gateway_labels(owner, plane)
    container = _container("gateway", build, [_env("SLICE", owner.name), _env("PLANE", str(plane))])
    container["securityContext"] = {"privileged": True} if build.privileged_gateways else _net_admin()
    container["ports"] = [{"name": "wireguard", "containerPort": names.WIREGUARD_PORT, "protocol": "UDP"}]
    container["volumeMounts"] = [{"name": "keys", "mountPath": names.GATEWAY_KEYS_DIRECTORY, "readOnly": True}]
    pod = _pod(build, names.GATEWAY_SERVICE_ACCOUNT, container)
    pod["volumes"] = [{"name": "keys", "secret": {"secretName": name, "defaultMode": 0o400}}]
    pod["affinity"] = _apart(owner)
    return _deployment(owner, name, labels, pod)


def gateway_service(owner: Owner, plane: int) -> Object:
    """Return the NodePort Service of one plane's gateway.

    It is published before it is ready, because it is ready only when its tunnels are, and they come up through it.
    """
    port = {
        "name": "wireguard",
        "port": names.WIREGUARD_PORT,
        "targetPort": names.WIREGUARD_PORT,
        "protocol": "UDP",
    }
    labels = _gateway_labels(owner, plane)
    return {
        "metadata": _metadata(owner, names.gateway_deployment(owner.name, plane), labels),
        "spec": {"type": "NodePort", "selector": labels, "ports": [port], "publishNotReadyAddresses": True},
    }


def gateway_secret(owner: Owner, plane: int, keys: KeyPair) -> Object:
    """Return the Secret with one plane's key pair; only the public half ever leaves the cluster."""
    metadata = _metadata(owner, names.gateway_deployment(owner.name, plane), _gateway_labels(owner, plane))
    return {
        "metadata": metadata,
        "type": "kubeslice.io/wireguard",
        "stringData": {"privateKey": keys.private, "publicKey": keys.public},
    }


def planes_without_key(owner: Owner, planes: int, secrets: Iterable[str]) -> list[int]:
    """Return the planes whose Secret is not among the names of existing `secrets`."""
    known = set(secrets)
    return [plane for plane in range(planes) if names.gateway_deployment(owner.name, plane) not in known]


def _labels(owner: Owner, role: str) -> dict[str, str]:
    return {names.SLICE_LABEL: owner.name, names.POD_TYPE_LABEL: role}


def _gateway_labels(owner: Owner, plane: int) -> dict[str, str]:
    return {**_labels(owner, names.GATEWAY_POD), names.PLANE_LABEL: str(plane)}


def _metadata(owner: Owner, name: str, labels: dict[str, str]) -> Object:
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
        "labels": {**labels, names.MANAGED_BY_LABEL: names.WORKER_MANAGER},
        "ownerReferences": [reference],
    }


def _deployment(owner: Owner, name: str, labels: dict[str, str], pod: Object) -> Object:
    # Recreate: router and gateways have fixed addresses, which two pods can never hold at once.
    return {
        "metadata": _metadata(owner, name, labels),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _pod(build: Build, account: str, container: Object) -> Object:
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
        "tolerations": [{"key": names.NODE_TYPE_LABEL, "operator": "Exists"}],
        "initContainers": [wait],
        "containers": [container],
    }


def _container(component: str, build: Build, environment: list[Object]) -> Object:
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


def _downward() -> list[Object]:
    fields = {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_UID": "metadata.uid",
        "POD_IP": "status.podIP",
    }
    return [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()]


def _env(name: str, value: str) -> Object:
    return {"name": name, "value": value}


def _net_admin() -> Object:
    return {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}}


def _apart(owner: Owner) -> Object:
    """Prefer gateway nodes, and for each plane another node, so that one node is never all of a slice's gateways."""
    on_gateway_nodes = {
        "weight": 100,
        "preference": {
            "matchExpressions": [{"key": names.NODE_TYPE_LABEL, "operator": "In", "values": [names.GATEWAY_NODE]}]
        },
    }
    away_from_others = {
        "weight": 50,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": _labels(owner, names.GATEWAY_POD)},
        },
    }
    return {
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [on_gateway_nodes]},
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [away_from_others]},
    }
