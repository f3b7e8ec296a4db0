"""Which clusters of a slice are connected, and what both sides of each connection are called. Called by the hub.

Full mesh is the one topology of this version; another topology is another list of `Pair`s.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from kubeslice.model import names

HostType = Literal["Server", "Client"]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair of clusters: what one WorkerSliceGateway says."""

    slice_name: str
    local: str
    remote: str
    number: int
    host_type: HostType

    @property
    def name(self) -> str:
        """Return the name of this side's gateway object."""
        return names.slice_gateway(self.slice_name, self.local, self.remote)

    @property
    def remote_name(self) -> str:
        """Return the name of the other side's gateway object."""
        return names.slice_gateway(self.slice_name, self.remote, self.local)


def full_mesh(slice_name: str, members: Sequence[str], octets: Mapping[str, int]) -> list[Side]:
    """Return both sides of every pair of members, in the order of their list.

    Of two clusters the one that comes first in the list is the Server, as in the Go implementation; with WireGuard
    both ends can open the tunnel. Members without an octet are left out: they have no subnet yet.
    """
    placed = [member for member in dict.fromkeys(members) if member in octets]
    return [side for first, second in combinations(placed, 2) for side in _sides(slice_name, first, second, octets)]


def _sides(slice_name: str, server: str, client: str, octets: Mapping[str, int]) -> Iterator[Side]:
    number = gateway_number(octets[server], octets[client])
    yield Side(slice_name, server, client, number, "Server")
    yield Side(slice_name, client, server, number, "Client")


def gateway_number(one: int, other: int) -> int:
    """Return the number of the pair of clusters with these octets: the same from both sides, unique in a slice.

    Pairs are counted by their higher octet (1-0 is 0, 2-0 is 1, 2-1 is 2, 3-0 is 3 ...), so a number never changes
    when the slice grows. The formula of the Go implementation gives 0-1 and 0-2 the same number.
    """
    low, high = sorted((one, other))
    if low == high:
        raise ValueError(f"octet {one} cannot be paired with itself")
    return high * (high - 1) // 2 + low
