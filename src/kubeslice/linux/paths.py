"""What the kernel knows about how large packets to an address may be: its own link, and what routers said."""

import contextlib
import socket
from ipaddress import IPv4Address, IPv6Address

from kubeslice.linux.commands import run

_IP_MTU, _IPV6_MTU = 14, 24  # ip(7), ipv6(7)
_DISCARD = 9


def mtu(address: IPv4Address | IPv6Address) -> int:
    """Return the largest packet that is known to get there whole, 0 when there is no way at all."""
    is_old = isinstance(address, IPv4Address)
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET if is_old else socket.AF_INET6, socket.SOCK_DGRAM) as way,
    ):
        way.connect((str(address), _DISCARD))
        if is_old:
            return way.getsockopt(socket.IPPROTO_IP, _IP_MTU)
        return way.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU)
    return 0


def forget() -> None:
    """Forget all that routers said; the kernel would believe it for ten minutes. Raises `CommandFailed`."""
    run(["ip", "route", "flush", "cache"])
