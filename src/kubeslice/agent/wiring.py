"""What the agent does to the kernel, as blocking functions: segments kept as wanted, pods attached and detached.

Observe, difference, apply; called in threads by the reconcilers of this package, one call at a time per segment.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from kubeslice.linux import changes, devices, netns, nftables, observation, sysctl
from kubeslice.linux.files import NoRoom
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath import filters, firewall, network
from kubeslice.plan.datapath import segment as segments
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.network import Link, Network, Record
from kubeslice.plan.datapath.segment import Segment

OVERLAY = names.OVERLAY_INTERFACE


@dataclass(frozen=True)
class Surroundings:
    """What a segment needs to know of the cluster: this node, the other nodes, and where pods elsewhere are."""

    node: IPv4Address
    peers: frozenset[IPv4Address]
    stations: Mapping[str, IPv4Address]


def open_segment(path: Path, held: Namespace | None) -> Namespace:
    """Open the namespace of a segment, making it first when it is not there.

    When somebody took its name away while we hold it, it gets its name back, and no packet is lost. Raises `NoRoom`.
    """
    if netns.is_bound(path):
        return netns.open_path(path)
    try:
        if held is not None:
            netns.bind(held, path)
            return netns.open_path(path)
        made = netns.create(path)
    except OSError as error:
        raise NoRoom(f"the name of segment {path.name}", path.parent, error) from error
    sysctl.ensure(segments.SYSCTLS, made)
    return made


def ports(namespace: Namespace) -> dict[str, IPv4Address]:
    """Return the address of every pod attached to a segment on this node, by uid, as the ports' aliases tell."""
    found = (attachments.owner(link.alias) for link in observation.segment(namespace) if isinstance(link, Link))
    return dict(entry for entry in found if entry is not None)


def ensure_segment(
    segment: Segment, around: Surroundings, pods: Iterable[Attachment], namespace: Namespace
) -> tuple[bool, frozenset[str]]:
    """Make a segment's namespace as wanted; return whether anything changed, and the uids whose port is missing.

    Ports of pods that are not among `pods` are removed, and with them the interfaces in those pods.
    """
    here = tuple(pods)
    seen, is_new = _ensure_vxlan(segments.vxlan(segment, around.node), namespace)
    present = {record.device for record in seen}
    attached = [pod for pod in here if pod.port in present]
    records = [record for pod in attached for record in attachments.port_records(pod, segment)]
    wanted = segments.network(segment, around.node, around.peers, around.stations, records)
    todo = network.difference(seen, wanted)
    changes.apply(todo, namespace)
    is_filtered = nftables.ensure(filters.segment(pod.sender for pod in here), namespace)
    missing = frozenset(pod.uid for pod in here if pod.port not in present)
    return is_new or bool(todo) or is_filtered, missing


def close_segment(path: Path) -> None:
    """Remove a segment from this node with everything on it."""
    if netns.is_bound(path):
        with netns.open_path(path) as namespace:
            # The kernel ends a namespace later; a segment with the same number may be wanted before that.
            if devices.exists(names.VXLAN_INTERFACE, namespace):
                devices.delete(names.VXLAN_INTERFACE, namespace)
            for port in _ports(observation.segment(namespace)):
                devices.delete(port, namespace)
    netns.release(path)


def attach(attachment: Attachment, segment: Segment, bridge: Namespace, pod: Namespace) -> bool:
    """Attach a pod to the segment whose namespace is `bridge`; tell whether anything had to change."""
    ends = ((attachment.port, bridge), (OVERLAY, pod))
    present = [end for end in ends if devices.exists(*end)]
    if len(present) == 2:
        return _repair(attachment, segment, bridge, pod)
    for end in present:
        devices.delete(*end)
    _create(attachment, segment, bridge, pod)
    return True


def detach(port: str, bridge: Namespace) -> None:
    """Remove a pod from its segment, as far as it is there."""
    if devices.exists(port, bridge):
        devices.delete(port, bridge)


def underlay_mtu(address: IPv4Address) -> int:
    """Return the MTU of the node's interface that has this address; 0 when none has."""
    seen = observation.interfaces()
    return next((mtu for mtu, addresses in seen if address in addresses), 0)


def _create(attachment: Attachment, segment: Segment, bridge: Namespace, pod: Namespace) -> None:
    port, *others = attachments.port_records(attachment, segment)
    peer = attachments.pod_link(attachment, segment)
    assert isinstance(port, Link)
    bare = Link(port.name, port.kind, port.mtu, is_up=False)
    todo = network.difference([bare], [port, *others])
    devices.create_pair(port, peer, bridge, pod, todo)
    inner = network.difference(
        [Link(peer.name, peer.kind, peer.mtu, peer.mac, is_up=False)], attachments.pod_records(attachment, segment)
    )
    guard = network.difference([], attachments.guard(attachment, segment))
    # Three programs that do not depend on each other: the pod waits for the slowest, not for the sum.
    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(_finish_pod, attachment, guard, inner, pod),
            pool.submit(changes.apply, [change for change in todo if _is_forwarding(change)], bridge),
            pool.submit(nftables.apply, _admission(attachment), bridge),
        ]
    for job in jobs:
        job.result()


def _finish_pod(
    attachment: Attachment, guard: tuple[network.Change, ...], todo: tuple[network.Change, ...], pod: Namespace
) -> None:
    # Nothing is forwarded before it is known where it must not go.
    changes.apply(guard, pod)
    sysctl.ensure(attachments.sysctls(attachment), pod)
    changes.apply(todo, pod)


def _repair(attachment: Attachment, segment: Segment, bridge: Namespace, pod: Namespace) -> bool:
    if not _is_ours(attachment, bridge):
        for name, namespace in ((attachment.port, bridge), (OVERLAY, pod)):
            if devices.exists(name, namespace):
                devices.delete(name, namespace)
        _create(attachment, segment, bridge, pod)
        return True
    seen = attachments.managed(observation.only(observation.endpoint(pod), [OVERLAY]), segment)
    inner = network.difference(seen, attachments.pod_records(attachment, segment))
    todo = network.difference(
        observation.only(observation.segment(bridge), [attachment.port]),
        attachments.port_records(attachment, segment),
    )
    changes.apply(todo, bridge)
    is_set = sysctl.ensure(attachments.sysctls(attachment), pod)
    changes.apply(inner, pod)
    return bool(todo) or bool(inner) or is_set


def _is_ours(attachment: Attachment, bridge: Namespace) -> bool:
    """Tell whether the port is this pod's with this address, and not left over from another one."""
    return ports(bridge).get(attachment.uid) == attachment.address


def _admission(attachment: Attachment) -> list[firewall.Json]:
    groups = filters.segment([attachment.sender]).groups
    return [command for group in groups for command in firewall.elements("add", "bridge", group.name, group.elements)]


def _ensure_vxlan(device: Link, namespace: Namespace) -> tuple[Network, bool]:
    seen = observation.segment(namespace)
    old = next((record for record in seen if isinstance(record, Link) and record.name == device.name), None)
    if old is not None and device.is_same_device(old):
        return seen, False
    if old is not None:
        devices.delete(device.name, namespace)
    devices.create_elsewhere(device, namespace)
    return observation.segment(namespace), True


def _ports(seen: Iterable[Record]) -> list[str]:
    return [record.name for record in seen if isinstance(record, Link) and attachments.owner(record.alias)]


def _is_forwarding(change: network.Change) -> bool:
    return isinstance(change.record, network.ForwardingEntry)
