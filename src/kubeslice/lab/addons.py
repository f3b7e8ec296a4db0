"""What a lab cluster has beyond its API server: the manifests of cluster DNS, as kubeadm installs it. Pure.

The lab applies them to each cluster with server-side apply. Source: kubeadm's CoreDNS manifests, trimmed to one
replica and to probes that notice a fast start.
"""

from typing import Any

from kubeslice.kube.api import Object

NAMESPACE = "kube-system"
IMAGE = "registry.k8s.io/coredns/coredns:v1.12.0"
DNS_IP = "10.96.0.10"
DOMAIN = "cluster.local"
LABELS = {"k8s-app": "kube-dns"}

COREFILE = """\
.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""


def cluster_dns() -> list[Object]:
    """Return the objects of cluster DNS, in the order to apply them."""
    return [_account(), _role(), _binding(), _config(), _deployment(), _service()]


def _named(api_version: str, kind: str, name: str, namespace: str = NAMESPACE, **body: Any) -> Object:
    metadata: dict[str, Any] = {"name": name, "labels": {**LABELS, "kubernetes.io/name": "CoreDNS"}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def _account() -> Object:
    return _named("v1", "ServiceAccount", "coredns")


def _role() -> Object:
    verbs = ["list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": verbs},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": verbs},
    ]
    return _named("rbac.authorization.k8s.io/v1", "ClusterRole", "system:coredns", "", rules=rules)


def _binding() -> Object:
    group = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": "coredns", "namespace": NAMESPACE}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "system:coredns"}
    return _named(f"{group}/v1", "ClusterRoleBinding", "system:coredns", "", roleRef=role, subjects=[subject])


def _config() -> Object:
    return _named("v1", "ConfigMap", "coredns", data={"Corefile": COREFILE})


def _deployment() -> Object:
    pod = {
        "serviceAccountName": "coredns",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "dnsPolicy": "Default",
        "containers": [_container()],
        "volumes": [
            {
                "name": "config-volume",
                "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]},
            }
        ],
    }
    spec = {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
    return _named("apps/v1", "Deployment", "coredns", spec=spec)


def _container() -> dict[str, Any]:
    return {
        "name": "coredns",
        "image": IMAGE,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 60, "timeoutSeconds": 5},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }


def _service() -> Object:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
        {"name": "metrics", "port": 9153, "protocol": "TCP"},
    ]
    return _named("v1", "Service", "kube-dns", spec={"selector": LABELS, "clusterIP": DNS_IP, "ports": ports})
