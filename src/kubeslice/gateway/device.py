"""The gateway's own namespace: tunnel device, peers, routes and filter kept as wanted. Blocking, called in threads."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubeslice.linux import changes, nftables, observation, wireguard
from kubeslice.linux.commands import run
from kubeslice.model.errors import Retry
from kubeslice.model.names import OVERLAY_INTERFACE, WIREGUARD_INTERFACE
from kubeslice.plan import filters, network, routes
from kubeslice.plan.segment import Segment
from kubeslice.plan.wireguard import Peer, SeenDevice, removals, settings


@dataclass(frozen=True)
class Wanted:
    """What a gateway is to be. `key_file` holds its private key, `public_key` is the other half."""

    segment: Segment
    plane: int
    kind: str
    peers: tuple[Peer, ...]
    key_file: Path
    public_key: str


def ensure(wanted: Wanted, attempts: Mapping[str, int]) -> bool:
    """Make everything as wanted; tell whether anything had to change. Raises `Retry` while a device is missing.

    `attempts` says for each public key which of its endpoints to try.
    """
    # The filter first: there is no moment in which the pod forwards more than it may.
    is_filtered = nftables.ensure(filters.gateway(wanted.segment.subnet))
    _ensure_device(wanted.kind)
    seen = wireguard.read()
    words = settings(seen, wanted.peers, str(wanted.key_file), wanted.public_key, attempts)
    wireguard.apply(words)
    remotes = [peer.subnet for peer in wanted.peers]
    records = routes.gateway(wanted.segment, wanted.plane, wanted.kind, remotes)
    present = observation.only(observation.endpoint(), [WIREGUARD_INTERFACE, ""])
    todo = network.difference(present, records)
    changes.apply(todo)
    return is_filtered or bool(words) or bool(todo)


def forget(public_keys: Sequence[str]) -> None:
    """Forget peers, so that the next `ensure` calls them anew."""
    wireguard.apply(removals(public_keys))


def state() -> SeenDevice:
    """Return what the device says of its peers; nothing while it is not there."""
    try:
        return wireguard.read()
    except Retry:
        return SeenDevice()


def _ensure_device(kind: str) -> None:
    names = {name for _, name in socket.if_nameindex()}
    if OVERLAY_INTERFACE not in names:
        raise Retry(f"{OVERLAY_INTERFACE} is not there yet: the agent of this node makes it", after=0.05)
    if WIREGUARD_INTERFACE in names:
        return
    if kind != "wireguard":
        raise Retry(f"{WIREGUARD_INTERFACE} is not there yet: its program makes it", after=0.02)
    run(["ip", "link", "add", "name", WIREGUARD_INTERFACE, "type", kind])
