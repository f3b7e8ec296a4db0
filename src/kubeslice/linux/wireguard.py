"""A WireGuard device through `wg`: read back as values, changed by `wg set` and `wg addconf`.

Secrets go to `wg` through a pipe, never as arguments and never into a file (wg(8) reads /dev/stdin as one).
"""

from collections.abc import Sequence

from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.plan.tunnels.wireguard import Orders, SeenDevice, SeenEntry

_NOTHING = "(none)"


def read(device: str, namespace: Namespace | None = None) -> SeenDevice:
    """Return what the device has (wg(8), `show dump`; its first line holds a secret that is dropped here)."""
    first, *peers = run(["wg", "show", device, "dump"], namespace=namespace).splitlines()
    _, public_key, port, _ = first.split("\t")
    return SeenDevice(_value(public_key), int(port), dict(_entry(line) for line in peers))


def apply(device: str, orders: Sequence[Orders], namespace: Namespace | None = None) -> None:
    """Do what `plan.tunnels.wireguard` ordered, in its order."""
    for order in orders:
        if order.words:
            run(["wg", "set", device, *order.words], namespace=namespace)
        if order.text:
            run(["wg", "addconf", device, "/dev/stdin"], text=order.text, namespace=namespace)


def public_key(private_key: str) -> str:
    """Return the public key that belongs to a private one."""
    return run(["wg", "pubkey"], text=private_key).strip()


def _entry(line: str) -> tuple[str, SeenEntry]:
    key, psk, endpoint, allowed, handshake, received, sent, keepalive = line.split("\t")
    return key, SeenEntry(
        endpoint=_value(endpoint),
        allowed=frozenset(_value(allowed).split(",")) - {""},
        handshake=int(handshake),
        received=int(received),
        sent=int(sent),
        keepalive=0 if keepalive == "off" else int(keepalive),
        psk=_value(psk),
    )


def _value(text: str) -> str:
    return "" if text == _NOTHING else text
