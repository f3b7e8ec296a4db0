"""OpenVPN as an engine, with real processes between two namespaces: identity, ciphers, revocation, generations."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kubeslice.gateway.openvpn import OpenVpn
from kubeslice.linux import devices, netns
from kubeslice.linux.commands import run
from kubeslice.linux.files import NoRoom
from kubeslice.linux.netns import Namespace
from kubeslice.model.errors import Terminal
from kubeslice.plan.tunnels.peers import Generation, Peer, SeenPeer, TunnelId
from kubeslice.runtime import certificates
from kubeslice.runtime.certificates import Certified
from tests.disks import a_disk, fill
from tests.kernel import Kernel

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("openvpn") is None, reason="needs openvpn"),
]

SUBNETS = {"near": IPv4Network("10.1.1.0/24"), "far": IPv4Network("10.1.2.0/24"), "third": IPv4Network("10.1.3.0/24")}
UNDERLAY = {"near": "192.0.2.1", "far": "192.0.2.2"}
HOUR = timedelta(hours=1)
T = TypeVar("T")


class Authority:
    """A certificate authority of a test."""

    def __init__(self) -> None:
        self.own = certificates.authority("slice red", datetime.now(UTC), HOUR)

    def sign(self, name: str, *, began: timedelta = timedelta(), life: timedelta = HOUR) -> Certified:
        """Make a certificate that began some time ago."""
        usage = certificates.SERVER_AND_CLIENT
        return certificates.issue(self.own, name, datetime.now(UTC) - began, life, usage=usage)

    def revoke(self, *ended: Certified) -> str:
        """Return the list of revoked certificates."""
        now = datetime.now(UTC)
        serials = [(certificates.serial(one.certificate), now) for one in ended]
        return certificates.revocation_list(self.own, serials, now, HOUR).decode()

    def secret(self, name: str, number: int = 1) -> dict[str, str]:
        """Return what a plane's Secret holds."""
        return self.of(self.sign(name), number)

    def of(self, made: Certified, number: int = 1) -> dict[str, str]:
        """Return the Secret with this certificate."""
        parts = {f"tls-{number}.key": made.key.decode(), f"tls-{number}.crt": made.certificate.decode()}
        return {**parts, "ca.crt": self.own.certificate.decode(), "crl.pem": self.revoke()}


@dataclass
class End:
    """A gateway in a namespace of its own. `generation` is what it is to be."""

    cluster: str
    namespace: Namespace
    loop: asyncio.AbstractEventLoop
    engine: OpenVpn
    generation: Generation

    def do(self, what: Callable[[], Awaitable[T]]) -> T:
        """Do something in the namespace."""

        async def whatever() -> T:
            return await what()

        return asyncio.run_coroutine_threadsafe(whatever(), self.loop).result(10)

    def ensure(self, **changes: Any) -> bool:
        """Change what is wanted, and make it so."""
        self.generation = replace(self.generation, **changes)
        return self.do(lambda: self.engine.ensure(self.generation))

    def keep(self, number: int) -> None:
        """End the other generations."""
        self.do(lambda: self.engine.keep([number]))

    def seen(self, remote: str, number: int = 1) -> SeenPeer:
        """Return what is seen of a peer."""
        return self.do(self.engine.observe)[TunnelId(number, remote)]


@contextmanager
def an_end(kernel: Kernel, cluster: str, namespace: Namespace, generation: Generation) -> Iterator[End]:
    """Run an engine in a thread of its own, whose threads and programs stay in the namespace."""
    ready, loops = threading.Event(), []

    def run() -> None:
        with netns.inside(namespace):
            loop = asyncio.new_event_loop()
            loops.append(loop)
            loop.call_soon(ready.set)
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(5)
    end = End(cluster, namespace, loops[0], OpenVpn("red", 0), generation)
    try:
        yield end
    finally:
        end.do(end.engine.close)
        loops[0].call_soon_threadsafe(loops[0].stop)
        thread.join(10)


def peer(remote: str, host_type: str, **changes: Any) -> Peer:
    """Return a peer as the SliceGateways tell of it."""
    endpoints = (f"{UNDERLAY[remote]}:51821",) if host_type == "Client" else ()
    made = Peer(
        remote, f"red-x-{remote}", SUBNETS[remote], (SUBNETS[remote],), endpoints=endpoints, host_type=host_type
    )
    return replace(made, **changes)


def wanted(secret: dict[str, str], *peers: Peer, number: int = 1) -> Generation:
    """Return a generation; its own address counts for nothing here."""
    return Generation(number, IPv4Address("10.1.1.8"), 1400, peers, secret)


@dataclass
class Ends:
    """A near end that calls, a far end that is called, and who signs for both."""

    kernel: Kernel
    authority: Authority
    near: End
    far: End

    def lead(self, number: int = 1) -> None:
        """Give both ends an address, and a route over the devices of a generation, as the gateway does."""
        for end, remote in ((self.near, "far"), (self.far, "near")):
            peers = {one.remote: one for one in end.generation.peers}
            device = end.engine.device(number, peers[remote])
            own = SUBNETS[end.cluster].network_address + 8
            self.kernel.ip(
                end.namespace,
                f"address replace {own}/32 dev {device}",
                f"link set dev {device} mtu 1400",
                f"route replace {SUBNETS[remote]} dev {device} src {own}",
            )

    def pings(self, seconds: float = 6) -> bool:
        """Tell whether packets get through both ways."""
        return self.kernel.pings(self.near.namespace, str(SUBNETS["far"].network_address + 8), seconds=seconds)


@pytest.fixture
def ends(kernel: Kernel) -> Iterator[Ends]:
    authority = Authority()
    near, far = kernel.namespace(), kernel.namespace()
    kernel.wire(near, far, "eth0", (f"{UNDERLAY['near']}/24", f"{UNDERLAY['far']}/24"))
    calling = wanted(authority.secret("red.near.0"), peer("far", "Client"))
    called = wanted(authority.secret("red.far.0"), peer("near", "Server"))
    with an_end(kernel, "near", near, calling) as one, an_end(kernel, "far", far, called) as other:
        yield Ends(kernel, authority, one, other)


def until(what: Callable[[], Any], seconds: float = 8.0) -> Any:
    """Wait for something to be true; return it."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    assert found, what
    return found


def children(name: str) -> list[int]:
    """Return the processes of this name that this one started."""
    words = " ".join((task / "children").read_text() for task in Path("/proc/self/task").iterdir())
    return [int(pid) for pid in words.split() if Path(f"/proc/{pid}/comm").read_text().strip() == name]


def connect(ends: Ends) -> None:
    """Bring both ends up and wait until packets get through."""
    ends.far.ensure()
    ends.near.ensure()
    ends.lead()
    assert ends.pings(), (ends.near.seen("far"), ends.far.seen("near"))


@pytest.mark.parametrize(("protocol", "cipher"), [("UDP", ""), ("TCP", "CHACHA20-POLY1305"), ("UDP", "AES-256-CBC")])
def test_two_ends_meet(ends: Ends, protocol: str, cipher: str) -> None:
    settings = {"protocol": protocol, "cipher": cipher}
    ends.far.generation = replace(ends.far.generation, peers=(peer("near", "Server", **settings),))
    ends.near.generation = replace(ends.near.generation, peers=(peer("far", "Client", **settings),))
    connect(ends)
    near, far = until(lambda: ends.near.seen("far")), until(lambda: ends.far.seen("near"))
    assert near.endpoint == "192.0.2.2:51821"
    assert far.endpoint.startswith("192.0.2.1:")
    assert abs(near.handshake - time.time()) < 20
    assert abs(far.handshake - time.time()) < 20
    assert not near.problem
    assert ends.near.engine.cipher == (cipher or "AES-256-GCM")
    assert not ends.near.ensure(), "nothing has to change"
    assert not ends.far.ensure()
    assert ends.pings(0.2), "and nothing did"


def test_who_is_not_expected_stays_out_and_harms_nobody(ends: Ends) -> None:
    ends.far.ensure(peers=(peer("third", "Server"),))
    ends.near.ensure()
    problem = until(lambda: ends.near.seen("far").problem)
    assert problem == "the other end does not admit this cluster; its own status says why"
    ends.far.ensure(peers=(peer("near", "Server"), peer("third", "Server")))
    ends.lead()
    assert ends.pings(10), "admitted now, it gets in without any restart"
    assert not ends.near.seen("far").problem
    assert not ends.far.seen("third").handshake


def test_a_caller_that_is_no_member_any_more_is_cut_at_once(ends: Ends) -> None:
    connect(ends)
    began = time.monotonic()
    ends.far.ensure(peers=())
    until(lambda: not ends.pings(0.2), 5)
    assert time.monotonic() - began < 5


def test_a_revoked_certificate_is_cut_at_once_at_either_end(ends: Ends) -> None:
    own = ends.authority.sign("red.near.0")
    other = ends.authority.sign("red.near.0")
    ends.near.generation = replace(ends.near.generation, secret=ends.authority.of(own))
    connect(ends)
    secret = ends.far.generation.secret
    ends.far.ensure(secret={**secret, "crl.pem": ends.authority.revoke(other)})
    assert ends.pings(0.2), "somebody else's"
    ends.far.ensure(secret={**secret, "crl.pem": ends.authority.revoke(other, own)})
    until(lambda: not ends.pings(0.2), 5)
    problem = until(lambda: ends.far.seen("near").problem)
    assert problem.startswith("the other end's certificate is revoked")
    ends.near.ensure(secret=ends.authority.secret("red.near.0"))
    assert ends.pings(10), "with a new certificate it is welcome"


def test_a_revoked_server_is_left_at_once(ends: Ends) -> None:
    own = ends.authority.sign("red.far.0")
    ends.far.generation = replace(ends.far.generation, secret=ends.authority.of(own))
    connect(ends)
    ends.near.ensure(secret={**ends.near.generation.secret, "crl.pem": ends.authority.revoke(own)})
    until(lambda: not ends.pings(0.2), 5)
    assert "revoked" in until(lambda: ends.near.seen("far").problem)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda authority: authority.of(authority.sign("red.near.0", began=3 * HOUR)), "has expired"),
        (lambda authority: authority.of(authority.sign("red.near.0", began=-3 * HOUR, life=5 * HOUR)), "not valid yet"),
    ],
)
def test_a_certificate_out_of_its_time_is_said(
    ends: Ends, made: Callable[[Authority], dict[str, str]], words: str
) -> None:
    ends.near.generation = replace(ends.near.generation, secret=made(ends.authority))
    ends.far.ensure()
    ends.near.ensure()
    assert words in until(lambda: ends.far.seen("near").problem)
    assert "compare the clocks" in ends.far.seen("near").problem


def test_another_authority_is_refused_and_said(ends: Ends) -> None:
    ends.far.ensure(secret=Authority().secret("red.far.0"))
    ends.near.ensure()
    assert "of another authority" in until(lambda: ends.near.seen("far").problem)
    assert not ends.near.seen("far").handshake


def test_a_taken_port_is_said_and_taken_when_it_is_free(ends: Ends) -> None:
    with netns.inside(ends.far.namespace):
        thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        thief.bind(("", 51821))
    with thief:
        ends.far.ensure()
        assert "port 51821 is taken" in until(lambda: ends.far.seen("near").problem)
    ends.near.ensure()
    ends.lead()
    assert ends.pings(12)
    assert not ends.far.seen("near").problem


def test_two_generations_side_by_side(ends: Ends) -> None:
    connect(ends)
    for end in (ends.far, ends.near):
        host_type = end.generation.peers[0].host_type
        remote = end.generation.peers[0].remote
        endpoints = (f"{UNDERLAY[remote]}:51820",) if host_type == "Client" else ()
        secret = ends.authority.secret(f"red.{end.cluster}.0", 2)
        end.ensure(number=2, peers=(peer(remote, host_type, endpoints=endpoints),), secret=secret)
    assert until(lambda: ends.near.seen("far", 2).handshake)
    assert until(lambda: ends.far.seen("near", 2).handshake)
    assert ends.pings(0.2), "the old generation carries on"
    ends.lead(2)
    assert ends.pings(0.2), "and the new one does at once"
    for end in (ends.near, ends.far):
        end.keep(2)
        assert TunnelId(1, "far") not in end.do(end.engine.observe)
    assert ends.pings(0.2), "also alone"
    links = run(["ip", "-br", "link", "show", "type", "tun"], namespace=ends.far.namespace)
    assert [line.split()[0] for line in links.splitlines()] == ["ovpn0-udp"]


def test_no_certificate_yet(ends: Ends) -> None:
    assert not ends.near.ensure(secret={})
    assert ends.near.seen("far").problem == "generation 1 of the keys has no certificate of the hub yet"


def test_a_kernel_that_does_not_carry_tunnels_is_no_obstacle(ends: Ends) -> None:
    ends.far.ensure()
    assert not ends.near.ensure(secret={}), "which finds out what OpenVPN there is"
    device = ends.near.engine.device(1, ends.near.generation.peers[0])
    ends.near.engine.has_offload = True
    ends.near.ensure(secret=ends.authority.secret("red.near.0"))
    with netns.inside(ends.near.namespace):
        until(lambda: devices.is_present(device))
    ends.kernel.ip(ends.near.namespace, f"link set dev {device} up")
    ends.lead()
    assert ends.pings(), "on a device that OpenVPN made itself"
    ends.near.do(lambda: ends.near.engine.call(ends.near.generation, {"far": 4}))
    assert not ends.near.engine.has_offload
    ends.lead()
    assert ends.pings()


def test_there_is_no_openvpn(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Terminal, match="there is no openvpn: install it"):
        ends.near.ensure()


def test_a_client_takes_the_next_endpoint(ends: Ends) -> None:
    ends.far.ensure()
    dead = replace(ends.near.generation.peers[0], endpoints=("192.0.2.77:1", "garbage", "192.0.2.2:51821"))
    ends.near.ensure(peers=(dead,))
    ends.lead()
    assert ends.pings(15)


def test_on_a_full_disk_what_runs_goes_on_who_is_revoked_is_cut_and_all_is_well_when_there_is_room(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ends.authority.sign("red.near.0")
    ends.near.generation = replace(ends.near.generation, secret=ends.authority.of(own))
    with a_disk() as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        connect(ends)
        waste = fill(disk)
        secret = ends.far.generation.secret
        with pytest.raises(NoRoom, match=r"crl.pem cannot be written .* No space left on device: make room"):
            ends.far.ensure(secret={**secret, "crl.pem": ends.authority.revoke(ends.authority.sign("red.third.0"))})
        assert ends.pings(0.2), "what works is left alone"
        with pytest.raises(NoRoom):
            ends.far.ensure(secret={**secret, "crl.pem": ends.authority.revoke(own)})
        until(lambda: not ends.pings(0.2), 5)
        shutil.rmtree(waste)
        ends.far.ensure()
        ends.near.ensure(secret=ends.authority.secret("red.near.0"))
        assert ends.pings(10)
        ends.near.do(ends.near.engine.close)
        ends.far.do(ends.far.engine.close)


def test_without_room_for_its_files_a_gateway_says_so_and_starts_when_there_is_some(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_disk() as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        waste = fill(disk)
        with pytest.raises(NoRoom, match=r"what OpenVPN needs cannot be written .*: make room"):
            ends.far.ensure()
        shutil.rmtree(waste)
        connect(ends)
        ends.near.do(ends.near.engine.close)
        ends.far.do(ends.far.engine.close)


def test_a_killed_server_is_met_again(ends: Ends) -> None:
    connect(ends)
    for pid in children("openvpn"):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert ends.pings(10)
