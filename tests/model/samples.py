"""Objects as users of the Go implementation write them, long and short."""

from typing import Any

Obj = dict[str, Any]

LONG_SLICE: Obj = {
    "apiVersion": "controller.kubeslice.io/v1alpha1",
    "kind": "SliceConfig",
    "metadata": {"name": "red", "namespace": "kubeslice-demo"},
    "spec": {
        "sliceSubnet": "10.1.0.0/16",
        "maxClusters": 16,
        "sliceType": "Application",
        "sliceGatewayProvider": {
            "sliceGatewayType": "OpenVPN",
            "sliceCaType": "Local",
            "sliceGatewayServiceType": [{"cluster": "*", "type": "LoadBalancer", "protocol": "TCP"}],
        },
        "sliceIpamType": "Local",
        "rotationInterval": 60,
        "vpnConfig": {"cipher": "AES-128-CBC"},
        "clusters": ["worker-1", "worker-2"],
        "qosProfileDetails": {
            "queueType": "HTB",
            "priority": 1,
            "tcType": "BANDWIDTH_CONTROL",
            "bandwidthCeilingKbps": 5120,
            "bandwidthGuaranteedKbps": 2562,
            "dscpClass": "AF11",
        },
        "namespaceIsolationProfile": {
            "applicationNamespaces": [{"namespace": "iperf", "clusters": ["*"]}],
            "isolationEnabled": True,
            "allowedNamespaces": [{"namespace": "kube-system", "clusters": ["worker-1"]}],
        },
        "externalGatewayConfig": [
            {
                "ingress": {"enabled": False},
                "egress": {"enabled": True},
                "nsIngress": {"enabled": False},
                "gatewayType": "istio",
                "clusters": ["*"],
            }
        ],
    },
}

SHORT_SLICE: Obj = {
    "apiVersion": "controller.kubeslice.io/v1alpha1",
    "kind": "SliceConfig",
    "metadata": {"name": "blue"},
    "spec": {
        "sliceSubnet": "10.1.0.0/16",
        "sliceGatewayProvider": {"sliceGatewayType": "Wireguard", "sliceCaType": "Local"},
        "clusters": ["worker-1", "worker-2"],
        "standardQosProfileName": "default",
    },
}

CLUSTER: Obj = {
    "apiVersion": "controller.kubeslice.io/v1alpha1",
    "kind": "Cluster",
    "metadata": {"name": "worker-1", "namespace": "kubeslice-demo"},
    "spec": {
        "networkInterface": "eth0",
        "nodeIPs": ["192.0.2.7"],
        "clusterProperty": {"geoLocation": {"latitude": "48.2", "longitude": "16.4", "cloudProvider": "none"}},
    },
}

EXPORT: Obj = {
    "apiVersion": "networking.kubeslice.io/v1beta1",
    "kind": "ServiceExport",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "slice": "red",
        "selector": {"matchLabels": {"app": "web", "empty": ""}},
        "ingressEnabled": False,
        "ports": [{"name": "tcp", "containerPort": 8080, "protocol": "TCP"}],
        "aliases": ["web.example.com"],
    },
}
