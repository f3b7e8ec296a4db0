"""What the demo applies: one project, two slices with the same subnet, a web server and its clients. Pure.

Everything here is what a user would write in YAML; `kubeslice demo --keep` leaves it running to be looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kubeslice.kube.api import Object

NOTHING: Mapping[str, Any] = MappingProxyType({})
SUBNET = "10.11.0.0/16"
WEB_IMAGE = "kubeslice/demo-web"
CLIENT_IMAGE = "nicolaka/netshoot"
WEB_PORT = 80


@dataclass(frozen=True)
class Tenant:
    """One slice of the demo: its clusters, its application namespace, and the cluster that serves."""

    slice_name: str
    namespace: str
    clusters: tuple[str, ...]
    server: str

    @property
    def host(self) -> str:
        """Return the name under which the slice finds the web server."""
        return f"web.{self.namespace}.svc.slice.local"

    @property
    def client(self) -> str:
        """Return the cluster that asks."""
        return next(cluster for cluster in self.clusters if cluster != self.server)


def tenants(workers: Sequence[str]) -> tuple[Tenant, Tenant]:
    """Return red, which spans all workers, and blue, which spans the first two; both serve from the second."""
    red = Tenant("red", "shop", tuple(workers), workers[1])
    blue = Tenant("blue", "bank", tuple(workers[:2]), workers[1])
    return red, blue


def slice_config(tenant: Tenant, project_namespace: str, more: Mapping[str, Any] = NOTHING) -> Object:
    """Return the SliceConfig of a tenant, as a user writes it; `more` are further fields of its spec."""
    return {
        "apiVersion": "controller.kubeslice.io/v1alpha1",
        "kind": "SliceConfig",
        "metadata": {"name": tenant.slice_name, "namespace": project_namespace},
        "spec": {
            "sliceSubnet": SUBNET,
            "maxClusters": 4 if len(tenant.clusters) <= 4 else 32,
            "sliceGatewayProvider": {"sliceGatewayType": "Wireguard", "sliceCaType": "Local"},
            "clusters": list(tenant.clusters),
            "namespaceIsolationProfile": {
                "applicationNamespaces": [{"namespace": tenant.namespace, "clusters": list(tenant.clusters)}]
            },
            **more,
        },
    }


def namespace(name: str) -> Object:
    """Return a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def web(tenant: Tenant) -> Object:
    """Return the web server's Deployment; its page names the namespace, the pod and the cluster that answered."""
    env = [
        {"name": "PORT", "value": str(WEB_PORT)},
        {"name": "CLUSTER_NAME", "value": tenant.server},
        {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    ]
    container = {
        "name": "web",
        "image": WEB_IMAGE,
        "env": env,
        "ports": [{"name": "http", "containerPort": WEB_PORT}],
        "readinessProbe": {"tcpSocket": {"port": WEB_PORT}, "periodSeconds": 1},
    }
    return _deployment("web", tenant.namespace, container)


def client(tenant: Tenant) -> Object:
    """Return the client's Deployment: a shell with curl, ping and iperf3."""
    container = {"name": "client", "image": CLIENT_IMAGE, "command": ["sleep", "infinity"]}
    return _deployment("client", tenant.namespace, container)


def meter(tenant: Tenant, node: str) -> Object:
    """Return the Deployment of a pod on a certain node, in which the ends of traffic that is measured run."""
    container = {"name": "meter", "image": CLIENT_IMAGE, "command": ["sleep", "infinity"]}
    deployment = _deployment("meter", tenant.namespace, container)
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return deployment


def node_port(tenant: Tenant) -> Object:
    """Return a NodePort Service for the web server: the way around the slice, for the check that can fail."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web-bypass", "namespace": tenant.namespace},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": WEB_PORT, "targetPort": WEB_PORT}],
        },
    }


def service_export(tenant: Tenant) -> Object:
    """Return the ServiceExport that makes the web server known on its slice."""
    return {
        "apiVersion": "networking.kubeslice.io/v1beta1",
        "kind": "ServiceExport",
        "metadata": {"name": "web", "namespace": tenant.namespace},
        "spec": {
            "slice": tenant.slice_name,
            "selector": {"matchLabels": {"app": "web"}},
            "ports": [{"name": "http", "containerPort": WEB_PORT, "protocol": "TCP"}],
        },
    }


def _deployment(name: str, where: str, container: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": where},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
            },
        },
    }
