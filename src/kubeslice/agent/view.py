"""What the agent sees of the cluster through its informers, answered as the questions its reconcilers ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from kubeslice.agent.wiring import Surroundings
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import OWN, Key
from kubeslice.plan import pods
from kubeslice.plan.address import ipam
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.runtime.sources import existence


@dataclass(frozen=True)
class View:
    """The informers of one agent: `local` are the pods of this node, `members` all pods that are on some slice."""

    node: str
    slices: Informer
    local: Informer
    members: Informer
    nodes: Informer
    namespaces: Informer

    def slice(self, name: str) -> Object | None:
        """Return the Slice of this name."""
        return self.slices.get(name, names.WORKER_NAMESPACE)

    def slice_for(self, pod: Object) -> str:
        """Return the slice, of those that exist, that a pod of this node belongs on; nothing when on none."""
        wanted = attachments.slice_for(pod, self.namespaces.get(objects.namespace(pod)))
        return wanted if wanted and self.slice(wanted) is not None else ""

    def pods_for(self, slice_name: str) -> Iterator[Object]:
        """Yield the pods of this node that belong on a slice."""
        return (pod for pod in self.local.items() if self.slice_for(pod) == slice_name)

    def local_keys(self, namespace: str) -> list[Key]:
        """Return the keys of this node's pods in one namespace."""
        return [key_of(pod) for pod in self.local.items(namespace)]

    def slice_keys(self) -> list[Key]:
        """Return the keys of all slices."""
        return [key_of(obj) for obj in self.slices.items()]

    def address(self) -> IPv4Address:
        """Return this node's address in the cluster's network. Raises `Retry`."""
        own = self.nodes.get(self.node)
        address = _internal(own) if own is not None else None
        if address is None:
            raise Retry(f"node {self.node} has no InternalIP of IPv4 yet")
        return address

    def addresses(self) -> dict[str, IPv4Address]:
        """Return the addresses of all nodes that have one."""
        found = {objects.name(node): _internal(node) for node in self.nodes.items()}
        return {name: address for name, address in found.items() if address is not None}

    def surroundings(self, slice_name: str) -> Surroundings:
        """Return what a segment needs to know of the rest of the cluster. Raises `Retry`."""
        nodes = self.addresses()
        peers = frozenset(address for name, address in nodes.items() if name != self.node)
        return Surroundings(self.address(), peers, dict(self._stations(slice_name, nodes)))

    def _stations(self, slice_name: str, nodes: dict[str, IPv4Address]) -> Iterator[tuple[str, IPv4Address]]:
        # A router or gateway that moves has the same address on its old and its new node for a moment: the last wins.
        for pod in sorted(self.members.items(), key=_age):
            node = nodes.get(str(objects.spec(pod).get("nodeName") or ""))
            address = pods.overlay_address(pod, slice_name)
            if address and node is not None and node != nodes.get(self.node) and not pods.is_finished(pod):
                yield ipam.mac(IPv4Address(address)), node


def key_of(obj: Object) -> Key:
    """Return the key of an object of the own cluster."""
    return Key(OWN, objects.namespace(obj), objects.name(obj))


def slice_keys_of(pod: Object) -> list[Key]:
    """Return the key of the slice that a pod's label names."""
    name = pods.slice_of(pod)
    return [Key(OWN, names.WORKER_NAMESPACE, name)] if name else []


def machine(node: Object) -> Any:
    """Tell apart what the agent reads of a Node, without its kubelet's heartbeats."""
    return existence(node), _internal(node), objects.annotations(node)


def station(pod: Object) -> Any:
    """Tell apart where a pod is on a slice: its node, its addresses, and whether it still has them."""
    network = objects.annotations(pod).get(names.NETWORK_STATUS_ANNOTATION)
    node = objects.spec(pod).get("nodeName")
    return existence(pod), node, objects.labels(pod), network, pods.is_finished(pod)


def _internal(node: Object) -> IPv4Address | None:
    for entry in objects.status(node).get("addresses") or []:
        if entry.get("type") == "InternalIP":
            try:
                return IPv4Address(entry["address"])
            except AddressValueError:
                continue
    return None


def _age(pod: Object) -> tuple[bool, str]:
    return not objects.is_deleting(pod), str(pod["metadata"].get("creationTimestamp") or "")
