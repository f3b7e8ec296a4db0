"""Which clusters of a slice are connected, and which reach each other through a third one. Called by the hub.

A graph is a function of the spec and the roster alone. Every two clusters that may talk have exactly one way to each
other, direct or through one carrier, because a tunnel engine accepts a subnet from one peer only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from zlib import crc32

from kubeslice.model.sliceconfig import SliceConfigSpec, Topology

FULL_MESH, HUB_AND_SPOKE, RESTRICTED = "FullMesh", "HubAndSpoke", "Restricted"

Pair = tuple[str, str]


def pair(one: str, other: str) -> Pair:
    """Return two clusters as a pair: the same for both orders."""
    return (one, other) if one < other else (other, one)


@dataclass(frozen=True)
class Graph:
    """The members of a slice in the order of its list, and who is connected to whom."""

    members: tuple[str, ...]
    mode: str = FULL_MESH
    hubs: frozenset[str] = frozenset()
    has_spoke_pairs: bool = True
    allowed: frozenset[Pair] = field(default_factory=frozenset)
    called: str = ""

    @property
    def name(self) -> str:
        """Return what the topology is called: its mode, unless the graph is only what is left of another."""
        return self.called or self.mode

    def has_edge(self, one: str, other: str) -> bool:
        """Tell whether two members are connected by tunnels of their own."""
        if one == other:
            return False
        if self.mode == HUB_AND_SPOKE:
            return one in self.hubs or other in self.hubs
        return self.mode == FULL_MESH or pair(one, other) in self.allowed

    def edges(self) -> list[Pair]:
        """Return the pairs with tunnels of their own, the earlier in the list first in each."""
        return [(one, other) for one, other in combinations(self.members, 2) if self.has_edge(one, other)]

    def carried(self) -> list[tuple[Pair, str]]:
        """Return the pairs that reach each other through a hub, and the hub that carries each by plan."""
        if self.mode != HUB_AND_SPOKE or not self.has_spoke_pairs or not self.hubs:
            return []
        spokes = sorted(member for member in self.members if member not in self.hubs)
        return [(spoke_pair, self._hub_of(spoke_pair)) for spoke_pair in combinations(spokes, 2)]

    def carriers(self, ends: Pair) -> list[str]:
        """Return who is connected to both ends of a pair, and so could carry its traffic."""
        one, other = ends
        return [member for member in self.members if self.has_edge(member, one) and self.has_edge(member, other)]

    def cut_off(self) -> list[str]:
        """Return the members that are connected to no other; none in a slice of a single cluster."""
        if len(self.members) < 2:
            return []
        return [one for one in self.members if not any(self.has_edge(one, other) for other in self.members)]

    def _hub_of(self, ends: Pair) -> str:
        # The highest of a number made of pair and hub: pairs spread over the hubs, and only the pairs of a hub that
        # comes or goes move.
        return max(sorted(self.hubs), key=lambda hub: crc32("/".join((*ends, hub)).encode()))


@dataclass(frozen=True)
class Ways:
    """Who reaches whom through whom: each pair with a carrier, and the same by (end, carrier)."""

    carriers: Mapping[Pair, str] = field(default_factory=dict)
    reached: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def through(self, local: str, carrier: str) -> Sequence[str]:
        """Return the clusters that `local` reaches through `carrier`, by name."""
        return self.reached.get((local, carrier), ())

    def relay(self, one: str, other: str) -> str:
        """Return who carries the traffic of a pair, "" when it goes directly."""
        return self.carriers.get(pair(one, other), "")


def graph(spec: SliceConfigSpec, octets: Mapping[str, int]) -> Graph:
    """Return the graph of a slice; `octets` are the places of its members, also of those not in the list any more.

    Names of clusters that are no members (yet) count for nothing.
    """
    members, wanted = _order(spec.clusters, octets), spec.topology or Topology()
    pairs = frozenset(pair(*entry.clusters) for entry in wanted.pairs)
    return Graph(members, wanted.mode, frozenset(wanted.hubs) & frozenset(members), wanted.spoke_to_spoke, pairs)


def as_built(octets: Mapping[str, int], built: Iterable[Pair], called: str) -> Graph:
    """Return the graph of a slice as it is, whatever its spec says; `called` is the mode that it came from."""
    return Graph(_order((), octets), RESTRICTED, allowed=frozenset(built), called=called)


def ways(of: Graph, relays: Mapping[Pair, str]) -> Ways:
    """Return who reaches whom through whom: by plan, and by the relays in force instead of that."""
    planned = dict(of.carried())
    known = {ends: via for ends, via in relays.items() if via and (ends in planned or of.has_edge(*ends))}
    return _ways(planned | known)


def _ways(carriers: Mapping[Pair, str]) -> Ways:
    reached: dict[tuple[str, str], list[str]] = {}
    for (one, other), via in sorted(carriers.items()):
        reached.setdefault((one, via), []).append(other)
        reached.setdefault((other, via), []).append(one)
    return Ways(carriers, {place: sorted(ends) for place, ends in reached.items()})


def _order(listed: Iterable[str], octets: Mapping[str, int]) -> tuple[str, ...]:
    placed = [member for member in dict.fromkeys(listed) if member in octets]
    leaving: Collection[str] = octets.keys() - set(placed)
    return (*placed, *sorted(leaving, key=lambda member: octets[member]))
