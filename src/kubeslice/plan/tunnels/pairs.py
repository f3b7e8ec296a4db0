"""What both sides of a connection between two clusters are called, and who calls whom. Called by the hub.

Which clusters are connected is decided in `plan.tunnels.topology`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from kubeslice.model import names
from kubeslice.plan.tunnels.topology import Graph, Pair, pair

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


def sides_to(
    remote: str, slice_name: str, graph: Graph, octets: Mapping[str, int], swapped: Collection[Pair] = ()
) -> Iterator[Side]:
    """Return the sides that lead to `remote`, one for each cluster that it is connected to.

    Of two clusters the one that comes first in the slice's list is the Server, as in the Go implementation, unless
    their pair is in `swapped`; with WireGuard both ends can open the tunnel.
    """
    place = {member: number for number, member in enumerate(graph.members)}
    for local in graph.members:
        if graph.has_edge(local, remote):
            is_server = (place[local] < place[remote]) != (pair(local, remote) in swapped)
            number = gateway_number(octets[local], octets[remote])
            yield Side(slice_name, local, remote, number, "Server" if is_server else "Client")


def gateway_number(one: int, other: int) -> int:
    """Return the number of the pair of clusters with these octets: the same from both sides, unique in a slice.

    Pairs are counted by their higher octet (1-0 is 0, 2-0 is 1, 2-1 is 2, 3-0 is 3 ...), so a number never changes
    when the slice grows. The formula of the Go implementation gives 0-1 and 0-2 the same number.
    """
    low, high = sorted((one, other))
    if low == high:
        raise ValueError(f"octet {one} cannot be paired with itself")
    return high * (high - 1) // 2 + low
