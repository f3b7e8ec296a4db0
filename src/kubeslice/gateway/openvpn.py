"""OpenVPN as an engine: for each generation of keys a server for all clusters that call us, a client for each we call.

The processes are told everything through pipes and sockets (`linux.openvpn`); what they are told is decided in
`plan.tunnels.openvpn` and `plan.tunnels.openvpn_talk`. Devices outlive the processes, so that a restart moves no route.
"""

import asyncio
import logging
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubeslice.gateway.engine import Overhead
from kubeslice.gateway.programs import Programs
from kubeslice.linux import devices, files, openvpn
from kubeslice.linux.files import NoRoom
from kubeslice.model.errors import Terminal
from kubeslice.plan.tunnels import openvpn as plan
from kubeslice.plan.tunnels import openvpn_problems as problems
from kubeslice.plan.tunnels.openvpn import Role, Surroundings
from kubeslice.plan.tunnels.openvpn_talk import Client, Seen, Server
from kubeslice.plan.tunnels.peers import Generation, Peer, SeenPeer, TunnelId

log = logging.getLogger(__name__)

TURN = 60.0  # seconds; by then the plane before is back with its new certificate
MISTRUST = 4  # calls in vain after which the kernel's OpenVPN may be the reason
SHORT_TURN = 6.0  # seconds; by then the callers of the plane before are back


@dataclass
class Process:
    """One OpenVPN process as it was started, and what is wrong with it, by name in a peer's certificate."""

    generation: int
    role: Role
    text: str = field(repr=False)
    fingerprint: str = field(repr=False)
    talk: Server | Client
    daemon: openvpn.Daemon
    problems: dict[str, str]
    stale_since: float = 0.0

    @property
    def remote(self) -> str:
        """Return the cluster that a client calls, "" for a server."""
        return self.role.remote.remote if self.role.remote is not None else ""

    def find(self, name: str) -> Seen | None:
        """Return what is seen of a peer while it is connected."""
        return self.talk.find(name) if isinstance(self.talk, Server) else self.talk.seen


class OpenVpn:
    """Keeps the processes of a plane's generations."""

    def __init__(self, slice_name: str, plane: int) -> None:
        self.description = "OpenVPN"
        self.cipher = plan.AEAD_CIPHERS[0]
        self.overhead = Overhead(52, 72)
        self.has_offload = False
        self._slice = slice_name
        self._plane = plane
        self._directory: Path | None = None
        self._programs = Programs()
        self._processes: dict[str, Process] = {}
        self._known: dict[int, Generation] = {}
        self._list = ""
        self._revoked: frozenset[int] = frozenset()

    def device(self, generation: int, peer: Peer) -> str:
        """Return the device that leads to a peer."""
        return plan.device(generation, peer)

    async def ensure(self, generation: Generation) -> bool:
        """Make processes and devices as wanted; whose settings stay notices nothing. Raises `Retry`, `Terminal`."""
        self._known[generation.number] = generation
        directory = await self._prepare()
        obstacle = await self._revoke(directory / "crl.pem", generation.secret.get("crl.pem", ""))
        own = plan.credential(generation.secret, generation.number)
        if own is None:
            return await self._end(generation.number, ())
        roles = plan.roles(generation, self._slice, self._plane)
        around = Surroundings(_has_ipv6(), self.has_offload, str(directory / "crl.pem") if self._list else "")
        is_changed = await self._end(generation.number, {role.device for role in roles})
        for role in roles:
            texts = plan.configuration(role, own, around), plan.fingerprint(role, own, around)
            stays = self._tell(generation.number, role, texts)
            # A process that runs is better than one that cannot read who is revoked.
            if stays or obstacle is None:
                is_changed |= await self._bring(generation.number, role, None if stays else texts, around)
        if obstacle:
            raise obstacle
        return is_changed

    async def call(self, generation: Generation, attempts: Mapping[str, int]) -> None:
        """Call silent peers anew that wait for our call; those that call us do it themselves."""
        called = [process for process in self._of(generation.number) if process.role.remote is not None]
        for process in called:
            if isinstance(process.talk, Client) and process.remote in attempts:
                process.daemon.say(process.talk.call())
        if self.has_offload and all(attempts.get(process.remote, 0) >= MISTRUST for process in called):
            log.warning("no tunnel that the kernel carries works: OpenVPN does it by itself from now on")
            self.has_offload = False
            await self.ensure(generation)

    async def keep(self, generations: Collection[int]) -> None:
        """End all other generations, and devices that an earlier process left."""
        for number in self._known.keys() - set(generations):
            del self._known[number]
            await self._end(number, set())
        stale = tuple({plan.device_prefix(0), plan.device_prefix(1)} - {plan.device_prefix(g) for g in generations})
        for _, name in socket.if_nameindex():
            if stale and name.startswith(stale):
                await asyncio.to_thread(devices.remove, name)

    async def observe(self) -> Mapping[TunnelId, SeenPeer]:
        """Return what the processes said of their peers."""
        return dict(self._observe())

    async def close(self) -> None:
        """End the processes, and what they could read."""
        await self._programs.close()
        self._processes = {}
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)
            self._directory = None

    async def _bring(self, number: int, role: Role, texts: tuple[str, str] | None, around: Surroundings) -> bool:
        """Make the device of a process and, with other `texts` than before, the process anew."""
        if texts is not None:
            await self._stop(role.device)
        is_changed = texts is not None
        if not plan.is_offloaded(role, around):
            is_changed |= await asyncio.to_thread(openvpn.ensure_device, role.device)
        if texts is not None:
            self._start(number, role, texts, await self._prepare())
        self._describe(role)
        return is_changed

    async def _prepare(self) -> Path:
        if self._directory is None:
            found = await asyncio.to_thread(openvpn.version)
            if found is None:
                raise Terminal(f"there is no {openvpn.PROGRAM}: install it", reason="EngineMissing")
            self.description, self.has_offload = found.name, bool(found.offload)
            self._directory = await asyncio.to_thread(_private_directory)
        return self._directory

    async def _revoke(self, path: Path, text: str) -> NoRoom | None:
        """Take note of the list of revoked certificates: OpenVPN reads the file before it believes anybody anew.

        Returns what keeps it from being written; who is connected is judged by what we know in any case.
        """
        try:
            if text != self._list:
                await asyncio.to_thread(self._write, path, text)
        except NoRoom as obstacle:
            return obstacle
        return None

    def _write(self, path: Path, text: str) -> None:
        from kubeslice.runtime import certificates  # noqa: PLC0415 - 50 ms of CPU, for slices with OpenVPN only

        try:
            self._revoked = certificates.revoked(text.encode()) if text else frozenset()
        except ValueError as error:
            log.warning("the list of revoked certificates cannot be read, the one before stays: %s", error)
            return
        files.write(path, text)
        self._list = text

    def _tell(self, number: int, role: Role, texts: tuple[str, str]) -> bool:
        """Tell a process that runs what is new; tell whether that is enough."""
        known = self._processes.get(role.device)
        if known is None or (known.text != texts[0] and not self._can_wait(known, texts[1])):
            return False
        known.role, known.generation = role, number
        known.daemon.say(self._news(known))
        return True

    def _start(self, number: int, role: Role, texts: tuple[str, str], directory: Path) -> None:
        talk = Server(role.callers, self._revoked) if role.remote is None else self._client(role.remote)
        troubles: dict[str, str] = {}
        daemon = openvpn.Daemon(texts[0], directory / role.device, talk, _listener(role.device, troubles))
        self._processes[role.device] = Process(number, role, *texts, talk, daemon, troubles)
        self._programs.start(role.device, daemon)

    def _can_wait(self, process: Process, fingerprint: str) -> bool:
        """Tell whether a process may go on with the certificate it has: planes take theirs one after the other."""
        if process.fingerprint != fingerprint:
            return False
        now = time.monotonic()
        process.stale_since = process.stale_since or now
        return now - process.stale_since < self._plane * TURN

    def _renew(self, process: Process) -> None:
        if isinstance(process.talk, Server):
            process.daemon.say(process.talk.renew())

    def _client(self, remote: Peer) -> Client:
        return Client(plan.callable_at(remote), self._revoked)

    def _news(self, process: Process) -> list[str]:
        if isinstance(process.talk, Server):
            # Subnets are told to a caller when it calls: planes take turns, so that traffic has another meanwhile.
            asyncio.get_running_loop().call_later(self._plane * SHORT_TURN, self._renew, process)
            return process.talk.update(process.role.callers, self._revoked)
        assert process.role.remote is not None
        return process.talk.update(plan.callable_at(process.role.remote), self._revoked)

    def _describe(self, role: Role) -> None:
        self.cipher = plan.ciphers(role.cipher)[0]
        added = plan.overhead(self.cipher, role.protocol)
        self.overhead = Overhead(20 + added, 40 + added)

    async def _end(self, number: int, wanted: Collection[str]) -> bool:
        """End the processes of a generation that are not wanted, with their devices."""
        names = [process.role.device for process in self._of(number) if process.role.device not in wanted]
        for name in names:
            await self._stop(name)
            await asyncio.to_thread(devices.remove, name)
        return bool(names)

    async def _stop(self, name: str) -> None:
        self._processes.pop(name, None)
        await self._programs.stop(name)

    def _of(self, number: int) -> list[Process]:
        return [process for process in self._processes.values() if process.generation == number]

    def _observe(self) -> Iterator[tuple[TunnelId, SeenPeer]]:
        for number, generation in self._known.items():
            is_certified = plan.credential(generation.secret, number) is not None
            for peer in generation.peers:
                yield TunnelId(number, peer.remote), self._peer(number, peer, is_certified=is_certified)

    def _peer(self, number: int, peer: Peer, *, is_certified: bool) -> SeenPeer:
        process = self._processes.get(plan.device(number, peer))
        if not is_certified:
            return SeenPeer(problem=f"generation {number} of the keys has no certificate of the hub yet")
        if process is None:
            return SeenPeer(problem=f"{peer.remote} has no endpoint that could be called yet")
        name = plan.common_name(self._slice, peer.remote, self._plane)
        seen = process.find(name)
        if seen is None:
            problem = process.problems.get(name) or process.problems.get("", "")
            return SeenPeer(problem=problem.format(port=process.role.port))
        process.problems.pop(name, None)
        process.problems.pop("", None)
        return SeenPeer(seen.endpoint, seen.since, seen.received, seen.sent)


def _listener(name: str, troubles: dict[str, str]) -> Callable[[str], None]:
    def listen(line: str) -> None:
        found = problems.find(line)
        if found is None:
            log.debug("%s: %s", name, line)
        elif troubles.get(found.name) != found.sentence:
            troubles[found.name] = found.sentence
            log.warning("%s: %s (%s)", name, found.sentence, line)

    return listen


def _private_directory() -> Path:
    """Make the directory that only we may enter. Raises `NoRoom`."""
    try:
        return Path(tempfile.mkdtemp(prefix="kubeslice-openvpn-"))
    except OSError as error:
        raise NoRoom("what OpenVPN needs", "the directory of temporary files", error) from error


def _has_ipv6() -> bool:
    """Tell whether this namespace has an address of IPv6 that others reach (/proc/net/if_inet6, scope 0)."""
    try:
        lines = Path("/proc/thread-self/net/if_inet6").read_text().splitlines()
    except OSError:
        return False
    return any(line.split()[3] == "00" for line in lines)
