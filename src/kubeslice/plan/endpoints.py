"""Where gateways are reached: "address:port", "[IPv6 address]:port" or "name:port". The one place that reads these.

Endpoints come from other clusters; what is none of the three is not passed on to any program.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_FORM = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z][0-9A-Za-z.-]{0,252})):([1-9][0-9]{0,4})")
MOST = 65535

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Endpoint:
    """A host, which is an address or a name, and a port; `text` is how it was written."""

    host: str
    port: int
    text: str
    address: Address | None = None


def parse(text: str) -> Endpoint | None:
    """Read an endpoint; None when it is none."""
    found = _FORM.fullmatch(text)
    if found is None or int(found[3]) > MOST:
        return None
    address = _address(found[1] or found[2])
    if bool(found[1]) != isinstance(address, IPv6Address):
        return None
    return Endpoint(found[1] or found[2], int(found[3]), text, address)


def well_formed(texts: Iterable[str]) -> list[Endpoint]:
    """Return what of these can be called."""
    return [endpoint for text in texts if (endpoint := parse(text)) is not None]


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
