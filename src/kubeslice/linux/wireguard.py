"""The WireGuard device through `wg`: read back as values, changed by `wg set`. The private key stays in its file."""

from collections.abc import Sequence
from pathlib import Path

from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model.names import WIREGUARD_INTERFACE
from kubeslice.plan.wireguard import SeenDevice, SeenPeer

_NOTHING = "(none)"


def read(namespace: Namespace | None = None) -> SeenDevice:
    """Return what the device has (wg(8), `show dump`; its first line holds a secret that is dropped here)."""
    device, *peers = run(["wg", "show", WIREGUARD_INTERFACE, "dump"], namespace=namespace).splitlines()
    _, public_key, port, _ = device.split("\t")
    return SeenDevice(_value(public_key), int(port), dict(_peer(line) for line in peers))


def apply(arguments: Sequence[str], namespace: Namespace | None = None) -> None:
    """Run `wg` with arguments of `plan.wireguard`, none of which is a secret."""
    if arguments:
        run(["wg", *arguments], namespace=namespace)


def public_key(key_file: Path) -> str:
    """Return the public key that belongs to the private key in a file."""
    return run(["wg", "pubkey"], text=key_file.read_text()).strip()


def _peer(line: str) -> tuple[str, SeenPeer]:
    key, _, endpoint, allowed, handshake, received, sent, keepalive = line.split("\t")
    return key, SeenPeer(
        endpoint=_value(endpoint),
        allowed=frozenset(_value(allowed).split(",")) - {""},
        handshake=int(handshake),
        received=int(received),
        sent=int(sent),
        keepalive=0 if keepalive == "off" else int(keepalive),
    )


def _value(text: str) -> str:
    return "" if text == _NOTHING else text
