"""WireGuard as an engine: by the kernel where it can, else by wireguard-go, one device for each generation of keys."""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from kubeslice.gateway.engine import Overhead
from kubeslice.gateway.programs import Programs
from kubeslice.linux import capabilities, devices, wireguard
from kubeslice.linux.capabilities import KERNEL_ENGINE, USERSPACE_ENGINE
from kubeslice.linux.commands import run
from kubeslice.linux.process import Program
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.names import WIREGUARD_INTERFACES, tunnel_port, wireguard_interface
from kubeslice.plan.tunnels import wireguard as plan
from kubeslice.plan.tunnels.peers import Generation, Peer, SeenPeer, TunnelId
from kubeslice.runtime.settings import MissingSetting

PROGRAM = "wireguard-go"


@dataclass
class Known:
    """A generation as it was ensured last: peers by public key, why others are left out, endpoints by public key."""

    generation: Generation
    peers: Mapping[str, Peer]
    problems: Mapping[str, str]
    endpoints: Mapping[str, set[str]] = field(default_factory=dict)


class WireGuard:
    """Keeps a device per generation. `changed` is called when a program or a peer has to be looked after."""

    cipher = "ChaCha20-Poly1305"
    overhead = Overhead(ipv4=60, ipv6=80, block=16)

    def __init__(self, wish: str, changed: Callable[[], None]) -> None:
        if wish not in ("", KERNEL_ENGINE, USERSPACE_ENGINE):
            words = f"write {KERNEL_ENGINE} or {USERSPACE_ENGINE}"
            raise MissingSetting(f"WIREGUARD_ENGINE={wish!r} is not an engine: {words}")
        self.description = "WireGuard"
        self._wish = wish
        self._carrier = ""
        self._changed = changed
        self._programs = Programs()
        self._known: dict[int, Known] = {}

    def device(self, generation: int, peer: Peer) -> str:  # noqa: ARG002 - all peers share the device
        """Return the device of a generation."""
        return wireguard_interface(generation)

    async def ensure(self, generation: Generation) -> bool:
        """Make the generation's device as wanted. Raises `Retry` and `Terminal`."""
        if not self._carrier:
            self._carrier, self.description = await asyncio.to_thread(_choose, self._wish)
        name = wireguard_interface(generation.number)
        if name not in self._programs.names and not devices.is_present(name):
            _require_port(tunnel_port(generation.number))
        if self._carrier == USERSPACE_ENGINE and name not in self._programs.names:
            # What --foreground is short for, but without its banner.
            environment = {**os.environ, "WG_PROCESS_FOREGROUND": "1"}
            self._programs.start(name, Program([PROGRAM, name], environment=environment, started=self._changed))
        return await asyncio.to_thread(self._bring, name, generation)

    async def call(self, generation: Generation, attempts: Mapping[str, int]) -> None:
        """Meet silent peers anew."""
        known = self._known.get(generation.number)
        if known is not None:
            steps = plan.calls(known.peers, attempts)
            await asyncio.to_thread(wireguard.apply, wireguard_interface(generation.number), steps)

    async def keep(self, generations: Collection[int]) -> None:
        """End the devices of other generations."""
        self._known = {number: known for number, known in self._known.items() if number in generations}
        kept = {wireguard_interface(number) for number in generations}
        for name in WIREGUARD_INTERFACES:
            if name not in kept:
                await self._programs.stop(name)
                await asyncio.to_thread(devices.remove, name)

    async def observe(self) -> Mapping[TunnelId, SeenPeer]:
        """Return what the devices say of their peers."""
        found, has_moved = await asyncio.to_thread(self._observe)
        if has_moved:
            self._changed()
        return found

    async def close(self) -> None:
        """End the programs; devices of the kernel stay as long as the pod does."""
        await self._programs.close()

    def _bring(self, name: str, generation: Generation) -> bool:
        private = plan.private_key(generation)
        if not devices.is_present(name):
            if self._carrier == USERSPACE_ENGINE:
                raise Retry(f"{name} is not there yet: its program makes it", after=0.02)
            run(["ip", "link", "add", "name", name, "type", "wireguard"])
        public = wireguard.public_key(private)
        peers, problems = plan.sound(generation, public)
        before = self._known.get(generation.number)
        former = before.endpoints if before else {}
        orders = plan.orders(wireguard.read(name), generation, peers, public, former)
        wireguard.apply(name, [orders])
        is_changed = bool(orders) or not devices.is_up(name)
        if is_changed:
            run(["ip", "link", "set", "dev", name, "up"])
        announced = {key: former.get(key, set()) | set(peer.endpoints) for key, peer in peers.items()}
        self._known[generation.number] = Known(generation, peers, problems, announced)
        return is_changed

    def _observe(self) -> tuple[dict[TunnelId, SeenPeer], bool]:
        """Return what is seen, and whether a peer is talked to where it is not announced any more."""
        found: dict[TunnelId, SeenPeer] = {}
        has_moved = False
        for number, known in list(self._known.items()):
            name = wireguard_interface(number)
            seen = wireguard.read(name).peers if devices.is_present(name) else {}
            for key, peer in known.peers.items():
                entry = seen.get(key, plan.SeenEntry())
                found[TunnelId(number, peer.remote)] = _seen(entry)
                has_moved = has_moved or plan.has_moved(entry, peer, known.endpoints.get(key, ()))
            for remote, problem in known.problems.items():
                found[TunnelId(number, remote)] = SeenPeer(problem=problem)
        return found, has_moved


def _seen(entry: plan.SeenEntry) -> SeenPeer:
    return SeenPeer(entry.endpoint, entry.handshake, entry.received, entry.sent)


def _require_port(port: int) -> None:
    """See that nobody has the port: a device that is made does not tell whether it has got it. Raises `Retry`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            raise Retry(f"UDP port {port} of the gateway is not free: {error.strerror}") from error


def _choose(wish: str) -> tuple[str, str]:
    """Return what carries WireGuard here, and how it calls itself. Raises `Terminal` when nothing does."""
    if wish == KERNEL_ENGINE or (not wish and capabilities.can_create("wireguard")):
        return KERNEL_ENGINE, "kernel"
    if shutil.which(PROGRAM) is None:
        raise Terminal(f"the kernel has no WireGuard and there is no {PROGRAM}: install it", reason="EngineMissing")
    return USERSPACE_ENGINE, run([PROGRAM, "--version"]).splitlines()[0]
