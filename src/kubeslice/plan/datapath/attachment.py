"""How one pod hangs on a segment: which pods belong there, with which addresses, and what that means on both ends.

Pure, called by the agent. A port carries its pod's identity in its alias, which is all a restarted agent needs.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from kubeslice.model import names
from kubeslice.plan import moments, pods
from kubeslice.plan.address import ipam
from kubeslice.plan.datapath.filters import Sender
from kubeslice.plan.datapath.network import Address, BridgePort, ForwardingEntry, Link, Network, Record, Route
from kubeslice.plan.datapath.segment import Segment

Object = dict[str, Any]

_HOPS = (names.ROUTER_POD, names.GATEWAY_POD)
_NO_IPV6 = {f"ipv6/conf/{names.OVERLAY_INTERFACE}/disable_ipv6": "1"}
_FORWARDING = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    f"ipv4/conf/{names.OVERLAY_INTERFACE}/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    f"ipv4/conf/{names.OVERLAY_INTERFACE}/send_redirects": "0",
    "ipv4/fib_multipath_hash_policy": "1",
    # BGP listens on port 179, in a pod whose only capabilities are NET_ADMIN and NET_RAW.
    "ipv4/ip_unprivileged_port_start": "179",
}


@dataclass(frozen=True)
class Attachment:
    """One pod on one segment. `addresses` starts with the pod's own, from which its MAC is derived."""

    uid: str
    namespace: str
    pod: str
    role: str
    addresses: tuple[IPv4Address, ...]

    @property
    def address(self) -> IPv4Address:
        """Return the address by which the pod is known."""
        return self.addresses[0]

    @property
    def mac(self) -> str:
        """Return the MAC of the pod's interface."""
        return ipam.mac(self.address)

    @property
    def port(self) -> str:
        """Return the name of the bridge port."""
        return names.port(self.uid)

    @property
    def is_hop(self) -> bool:
        """Tell whether the pod forwards for others."""
        return self.role in _HOPS

    @property
    def sender(self) -> Sender:
        """Return what the anti-spoofing filter lets through from this pod."""
        return Sender(self.port, self.mac, self.address, self.is_hop)


def slice_for(pod: Object, namespace: Object | None) -> str:
    """Return the slice that a pod on this node belongs on, nothing when on none."""
    if pods.is_finished(pod) or (pod.get("spec") or {}).get("hostNetwork"):
        return ""
    if pod["metadata"].get("namespace") == names.WORKER_NAMESPACE:
        return pods.slice_of(pod) if pods.role(pod) in _HOPS else ""
    if namespace is None or _is_excluded(pod):
        return ""
    return str((namespace["metadata"].get("labels") or {}).get(names.SLICE_LABEL) or "")


def role_of(pod: Object) -> str:
    """Return the part a pod plays: only pods of our own namespace are routers and gateways."""
    is_ours = pod["metadata"].get("namespace") == names.WORKER_NAMESPACE
    return pods.role(pod) if is_ours and pods.role(pod) in _HOPS else names.APP_POD


def fixed_addresses(pod: Object, segment: Segment) -> tuple[IPv4Address, ...]:
    """Return the addresses of a router or gateway; none for a pod that gets one from its node's blocks."""
    cluster = segment.cluster
    match role_of(pod):
        case names.ROUTER_POD:
            number = pods.router(pod) or 0
            return tuple(cluster.router_plane(number, plane) for plane in range(segment.planes))
        case names.GATEWAY_POD:
            return (cluster.gateway(pods.plane(pod) or 0),)
    return ()


def predecessor(pod: Object, others: Iterable[Object], segment: Segment, now: datetime) -> str:
    """Return the name of an older pod that still has the fixed addresses of this one; nothing when none has.

    A router or gateway that is told to end hands over in peace, while its successor is made at once: that one has to
    wait, for as long as the other may take. A node that died does not say that its pods have ended.
    """
    own = fixed_addresses(pod, segment)
    for other in others if own else ():
        meta = other["metadata"]
        is_older = meta["uid"] != pod["metadata"]["uid"] and _age(other) < _age(pod)
        if is_older and pods.slice_of(other) == segment.slice and fixed_addresses(other, segment) == own:
            latest = moments.moment(meta.get("deletionTimestamp"))
            if not pods.is_finished(other) and (latest is None or latest > now):
                return str(meta["name"])
    return ""


def attach(pod: Object, addresses: tuple[IPv4Address, ...]) -> Attachment:
    """Return the attachment of a pod that has these addresses."""
    meta = pod["metadata"]
    return Attachment(meta["uid"], meta["namespace"], meta["name"], role_of(pod), addresses)


def port_records(attachment: Attachment, segment: Segment) -> tuple[Record, ...]:
    """Return the segment's end: a port that floods nothing to the pod and learns nothing from it."""
    alias = names.port_alias(attachment.namespace, attachment.pod, attachment.uid, str(attachment.address))
    return (
        Link(attachment.port, "veth", segment.mtu, alias=alias, master=names.BRIDGE),
        BridgePort(attachment.port, learning=False, flood=False),
        ForwardingEntry(attachment.port, attachment.mac),
    )


def pod_link(attachment: Attachment, segment: Segment) -> Link:
    """Return the pod's end of the pair."""
    return Link(names.OVERLAY_INTERFACE, "veth", segment.mtu, attachment.mac)


def pod_records(attachment: Attachment, segment: Segment) -> tuple[Record, ...]:
    """Return what the pod's namespace holds of us; routers and gateways route by themselves."""
    prefix = segment.cluster.subnet.prefixlen
    device = names.OVERLAY_INTERFACE
    addresses = [Address(device, IPv4Interface((address, prefix))) for address in attachment.addresses]
    hop = segment.cluster.next_hop_for(attachment.address)
    routes = [] if attachment.is_hop else [Route(segment.subnet, device, hop, segment.mtu)]
    return (pod_link(attachment, segment), *addresses, *routes)


def ends(attachment: Attachment, segment: Segment) -> Network:
    """Return what both ends of the pair hold."""
    return frozenset([*port_records(attachment, segment), *pod_records(attachment, segment)])


def guard(attachment: Attachment, segment: Segment) -> tuple[Record, ...]:
    """Return what has to be there before a router or gateway may forward.

    It forwards as soon as it is attached, and its own process starts later: until then what it knows no way for would
    leave in the clear, through the cluster's own network.
    """
    return (Route(segment.subnet),) if attachment.is_hop else ()


def managed(seen: Iterable[Record], segment: Segment) -> Network:
    """Return what is ours of what a pod's namespace holds: the virtual next hops come and go with keepalived."""
    virtual = set(segment.cluster.router_next_hops)
    return frozenset(record for record in seen if not (isinstance(record, Address) and record.address.ip in virtual))


def sysctls(attachment: Attachment) -> dict[str, str]:
    """Return the kernel parameters of the pod's namespace."""
    return {**_NO_IPV6, **_FORWARDING} if attachment.is_hop else _NO_IPV6


def owner(alias: str) -> tuple[str, IPv4Address] | None:
    """Return the uid and address in a port's alias, None when it is not one of ours."""
    parts = alias.split(":")
    if len(parts) != 4 or parts[0] != "kubeslice":
        return None
    try:
        return parts[2], IPv4Address(parts[3])
    except ValueError:
        return None


def metadata(attachment: Attachment, slice_name: str) -> Object:
    """Return the annotations and labels by which the pod tells of its attachment."""
    network = {
        "name": f"{names.WORKER_NAMESPACE}/{slice_name}",
        "interface": names.OVERLAY_INTERFACE,
        "ips": [str(attachment.address)],
        "mac": attachment.mac,
        "default": False,
    }
    labels = {names.OVERLAY_ADDRESS_LABEL: str(attachment.address)}
    if not attachment.is_hop:
        labels |= {names.SLICE_LABEL: slice_name, names.POD_TYPE_LABEL: names.APP_POD}
    annotations = {names.NETWORK_STATUS_ANNOTATION: json.dumps([network])}
    return {"labels": labels, "annotations": annotations}


def _age(pod: Object) -> tuple[bool, str, str]:
    meta = pod["metadata"]
    return not meta.get("deletionTimestamp"), str(meta.get("creationTimestamp") or ""), meta["uid"]


def _is_excluded(pod: Object) -> bool:
    meta = pod["metadata"]
    marks = ((meta.get(kind) or {}).get(names.EXCLUDE_LABEL) for kind in ("labels", "annotations"))
    return any(mark == "true" for mark in marks)
