"""How a cluster's CoreDNS configuration sends one zone to KubeSlice DNS, and how it looks without us.

The worker operator writes what these functions return. Everything but our own marked block stays byte for byte, so
taking the block out again gives back the file somebody else wrote.
"""

import re
from ipaddress import IPv4Address, IPv6Address

BEGIN = "# begin kubeslice: this block is written by the slice operator"
END = "# end kubeslice"

_OURS = re.compile(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n", re.MULTILINE | re.DOTALL)


def with_forward(corefile: str, zone: str, address: IPv4Address | IPv6Address) -> str:
    """Return the file with one server block that forwards `zone` to the DNS server at `address`.

    There is no cache in the block: a name exported a moment ago must resolve now, and a pod that left must not.
    """
    return _block(zone, address) + without_forward(corefile)


def without_forward(corefile: str) -> str:
    """Return the file as it was before us."""
    return _OURS.sub("", corefile)


def is_served_by_others(corefile: str, zone: str) -> bool:
    """Tell whether a block that is not ours already serves `zone`; CoreDNS would refuse to start with two."""
    return any(_zone_of(key) == zone.rstrip(".") for key in _server_keys(without_forward(corefile)))


def reloads_itself(corefile: str) -> bool:
    """Tell whether CoreDNS notices a changed file without a restart (its `reload` plugin)."""
    return re.search(r"^\s*reload\b", corefile, re.MULTILINE) is not None


def _block(zone: str, address: IPv4Address | IPv6Address) -> str:
    target = f"[{address}]" if address.version == 6 else str(address)
    lines = [BEGIN, f"{zone}:53 {{", "    errors", f"    forward . {target}", "}", END]
    return "\n".join(lines) + "\n"


def _server_keys(corefile: str) -> list[str]:
    """Return the keys of the server blocks: the words before a brace that opens at depth 0."""
    keys: list[str] = []
    words: list[str] = []
    depth = 0
    for word in re.sub(r"#[^\n]*", "", corefile).replace(",", " ").split():
        # A brace inside a word belongs to a placeholder such as {$DOMAIN}; only braces that stand alone nest.
        if word == "{":
            keys += words if depth == 0 else []
            depth += 1
        elif word == "}":
            depth -= 1
            words = []
        elif depth == 0:
            words.append(word)
    return keys


def _zone_of(key: str) -> str:
    """Return the zone of a server block's key: `dns://slice.local.:53` is `slice.local`."""
    without_scheme = key.split("://", 1)[-1]
    return re.sub(r":\d+$", "", without_scheme).rstrip(".").lower()
