"""What a gateway asks of whatever encrypts its tunnels: WireGuard (`gateway.wireguard`) or OpenVPN (`gateway.openvpn`).

An engine turns generations of keys into network devices and tells what it sees of each peer. It makes devices, keys and
programs; addresses, MTU, routes and filters on its devices are the gateway's own (`gateway.device`), and so is the
choice which generation carries traffic. Nothing here is called twice at the same time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from kubeslice.plan.tunnels.peers import Generation, Peer, SeenPeer, TunnelId


@dataclass(frozen=True)
class Overhead:
    """Bytes that an engine adds to each packet, by the family of the outer one, after padding it to whole blocks."""

    ipv4: int
    ipv6: int
    block: int = 1


class Engine(Protocol):
    """A way to have tunnels."""

    @property
    def description(self) -> str:
        """Return what carries the tunnels, with its version, for people: "kernel", "wireguard-go v0.0.2"."""
        ...

    @property
    def cipher(self) -> str:
        """Return the cipher of the tunnels."""
        ...

    @property
    def overhead(self) -> Overhead:
        """Return what the engine adds to a packet."""
        ...

    def device(self, generation: int, peer: Peer) -> str:
        """Return the name of the device that leads to a peer: known before it exists, and the same after a restart."""
        ...

    async def ensure(self, generation: Generation) -> bool:
        """Make keys, devices and peers of one generation as wanted; tell whether anything had to change.

        Called with everything wanted whenever anything may differ: on a change of the objects, on a change of the
        kernel's state, every minute. A peer that works and whose settings did not change must not notice. A peer that
        cannot be set up is left out and has its reason in `observe` (`SeenPeer.problem`); it harms no other. Raises
        `Retry` when something is not there yet, `Terminal` when nobody can be reached before something is changed.
        """
        ...

    async def call(self, generation: Generation, attempts: Mapping[str, int]) -> None:
        """Call silent peers anew. `attempts` says by remote cluster how often that was done: which endpoint is next."""
        ...

    async def keep(self, generations: Collection[int]) -> None:
        """End the devices and programs of all other generations, also those that an earlier process left."""
        ...

    async def observe(self) -> Mapping[TunnelId, SeenPeer]:
        """Return what is seen of every peer of the generations that were ensured."""
        ...

    async def close(self) -> None:
        """End the programs of this process, at its end."""
        ...
