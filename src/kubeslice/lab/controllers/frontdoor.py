"""Endpoints of `default/kubernetes`: the API server on the first node. Pure.

kube-apiserver writes these itself; the lab's API server does not know its node's address before the node registers.
"""

import re
from collections.abc import Sequence
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model.ids import Key

KEY = Key("", "default", "kubernetes")
PORT = {"name": "https", "port": 6443, "protocol": "TCP"}
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def backends(nodes: Sequence[Object]) -> list[str]:
    """Return the address of the control plane's node: the one labelled so, else the one with the lowest number."""
    marked = [node for node in nodes if CONTROL_PLANE in objects.labels(node)]
    ordered = sorted(marked or nodes, key=_natural)
    addresses = [_internal(node) for node in ordered]
    return [address for address in addresses if address][:1]


def endpoint_slice(addresses: Sequence[str]) -> Object:
    """Return the EndpointSlice, named as kube-apiserver names it."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "labels": {"kubernetes.io/service-name": KEY.name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in addresses],
        "ports": [PORT],
    }


def endpoints(addresses: Sequence[str]) -> Object:
    """Return the Endpoints object, which no controller mirrors into slices."""
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": address} for address in addresses], "ports": [PORT]}],
    }


def _internal(node: Object) -> str:
    addresses: list[dict[str, Any]] = objects.status(node).get("addresses") or []
    return next((str(entry["address"]) for entry in addresses if entry["type"] == "InternalIP"), "")


def _natural(node: Object) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", objects.name(node))
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
