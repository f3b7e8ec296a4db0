"""A clock that was ahead and is put back: a real WireGuard takes what comes then for replayed, until it is called anew.

The other end is played here, with the time that its packets bear (https://www.wireguard.com/papers/wireguard.pdf).
"""

import base64
import hashlib
import hmac
import os
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kubeslice.linux import netns, wireguard
from kubeslice.linux.commands import CommandFailed
from kubeslice.linux.netns import Namespace
from kubeslice.model.names import tunnel_port
from kubeslice.plan.tunnels import wireguard as plan
from kubeslice.plan.tunnels.peers import Generation, Peer
from tests.kernel import Kernel

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("wireguard-go") is None, reason="needs wireguard-go"),
]

DEVICE = "wg1"
RESPONSE = 2
HOUR = 3600


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def hashed(*parts: bytes) -> bytes:
    return hashlib.blake2s(b"".join(parts)).digest()


def derived(chain: bytes, secret: bytes) -> tuple[bytes, bytes]:
    base = hmac.digest(chain, secret, "blake2s")
    first = hmac.digest(base, b"\x01", "blake2s")
    return first, hmac.digest(base, first + b"\x02", "blake2s")


def initiation(own: X25519PrivateKey, remote: bytes, seconds: float) -> bytes:
    """Return the first message of a handshake, as of a time."""
    short = X25519PrivateKey.generate()
    chain = hashed(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    state = hashed(hashed(chain, b"WireGuard v1 zx2c4 Jason@zx2c4.com"), remote)
    chain, state = derived(chain, public(short))[0], hashed(state, public(short))
    sealed = []
    stamp = struct.pack(">QI", (1 << 62) + 10 + int(seconds), int(seconds % 1 * 1e9))
    for key, content in ((short, public(own)), (own, stamp)):
        chain, cipher = derived(chain, key.exchange(X25519PublicKey.from_public_bytes(remote)))
        sealed.append(ChaCha20Poly1305(cipher).encrypt(bytes(12), content, state))
        state = hashed(state, sealed[-1])
    message = struct.pack("<I", 1) + os.urandom(4) + public(short) + b"".join(sealed)
    seal = hashlib.blake2s(message, key=hashed(b"mac1----", remote), digest_size=16).digest()
    return message + seal + bytes(16)


class Talk:
    """A device, and the peer that the test plays with a socket beside it."""

    def __init__(self, kernel: Kernel, namespace: Namespace, played: socket.socket) -> None:
        self.namespace, self.socket = namespace, played
        self.own, far = X25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.far = public(far)
        endpoints = (f"127.0.0.1:{self.socket.getsockname()[1]}",)
        subnet = IPv4Network("10.1.2.0/24")
        self.peer = Peer("far", "red-near-far", subnet, (subnet,), text(public(self.own)), endpoints, text(bytes(32)))
        secret = {"privateKey-1": text(far.private_bytes_raw())}
        generation = Generation(1, IPv4Address("10.1.1.8"), 1420, (self.peer,), secret)
        peers, _ = plan.sound(generation, text(self.far))
        kernel.process(self.namespace, "wireguard-go", "--foreground", DEVICE)
        self.apply(plan.orders(self.seen(), generation, peers, text(self.far), {}))
        kernel.ip(self.namespace, f"link set {DEVICE} up")

    def seen(self, seconds: float = 5) -> plan.SeenDevice:
        """Wait until the device answers: it is there before its program listens to `wg`."""
        end = time.monotonic() + seconds
        while True:
            try:
                return wireguard.read(DEVICE, self.namespace)
            except CommandFailed:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def apply(self, *orders: plan.Orders) -> None:
        wireguard.apply(DEVICE, orders, self.namespace)

    def is_answered(self, seconds: float) -> bool:
        """Begin a handshake as of a time; tell whether the device answers."""
        self.socket.sendto(initiation(self.own, self.far, seconds), ("127.0.0.1", tunnel_port(1)))
        end = time.monotonic() + 0.5
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if self.socket.recv(2000)[0] == RESPONSE:
                    return True
            except TimeoutError:
                break
        return False


@pytest.fixture
def talk(kernel: Kernel) -> Iterator[Talk]:
    namespace = kernel.namespace()
    with netns.inside(namespace):
        played = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with played:
        played.bind(("127.0.0.1", 0))
        yield Talk(kernel, namespace, played)


def test_who_was_in_the_future_is_heard_again_when_it_is_called_anew(talk: Talk) -> None:
    now = time.time()
    assert talk.is_answered(now + HOUR)
    assert not talk.is_answered(now), "for the device that is an old packet"
    talk.apply(*plan.calls({talk.peer.public_key: talk.peer}, {"far": 1}))
    assert talk.is_answered(now + 1)
