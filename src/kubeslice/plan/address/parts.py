"""How a slice's subnet is cut into equal parts, one for each cluster, and who gets which; all of it sticky.

Parts are numbered from the first address of the slice (the octet), so a subnet that grows at its end moves none. The
hub gives them out; `plan.address.ipam` says what is inside one, and `plan.address.pools` remembers those of clusters
that left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from itertools import pairwise

from kubeslice.model.errors import Terminal
from kubeslice.model.names import MAX_PARTS
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.model.sliceipam import DEFAULT_PART_PREFIX, DYNAMIC
from kubeslice.plan.address.ipam import SMALLEST_CLUSTER_PREFIX

SHOWN = 5
MOST_REMEMBERED = 4096
V6_PART_PREFIX = 64


@dataclass(frozen=True)
class Cut:
    """A slice's subnet and the prefix length of each of its parts. Raises `Terminal` when parts would be too small.

    Of `subnet` only the address and the length count: parts stay where they are, also while it is no proper network.
    """

    subnet: IPv4Interface
    prefix: int

    def __post_init__(self) -> None:
        if self.prefix > SMALLEST_CLUSTER_PREFIX:
            raise Terminal(f"parts of {self.subnet} would be /{self.prefix}: each cluster needs at least a /26")
        if self._bits < 0:
            raise Terminal(f"{self.subnet} has no room for a single part of /{self.prefix}: write a shorter prefix")

    @property
    def count(self) -> int:
        """Return how many parts there are."""
        return min(1 << self._bits, MAX_PARTS)

    @lru_cache(maxsize=MOST_REMEMBERED)  # noqa: B019 - bounded; a cut is a few numbers
    def text(self, octet: int) -> str:
        """Return the part with this number as text, remembered: it is asked for all members whenever one changes."""
        return str(self.part(octet))

    def part(self, octet: int) -> IPv4Network:
        """Return the part with this number. Raises `Terminal` when there is none."""
        if not 0 <= octet < self.count:
            raise Terminal(f"octet {octet} is not one of the {self.count} parts of {self.subnet}")
        return IPv4Network((int(self.subnet.ip) + (octet << (32 - self.prefix)), self.prefix))

    def octet(self, part: IPv4Network) -> int | None:
        """Return the number of a part, None when it is not one."""
        number = (int(part.network_address) - int(self.subnet.ip)) >> (32 - self.prefix)
        return number if 0 <= number < self.count and self.part(number) == part else None

    @property
    def _bits(self) -> int:
        return self.prefix - self.subnet.network.prefixlen


def cut(spec: SliceConfigSpec) -> Cut:
    """Return how a slice with a network is cut: into `maxClusters` equal parts, or, Dynamic, into parts of a size."""
    size = spec.ipam.cluster_subnet_size if spec.ipam else DEFAULT_PART_PREFIX
    return _cut(spec.slice_subnet, None if spec.slice_ipam_type != DYNAMIC else size, spec.max_clusters)


@lru_cache(maxsize=MOST_REMEMBERED)
def _cut(slice_subnet: str, prefix: int | None, max_clusters: int) -> Cut:
    subnet = IPv4Interface(slice_subnet)
    return Cut(subnet, subnet.network.prefixlen + _bits_for(max_clusters) if prefix is None else prefix)


def count(spec: SliceConfigSpec) -> int:
    """Return how many numbers a slice has for its clusters, with a network or without."""
    return cut(spec).count if spec.slice_subnet else 1 << _bits_for(spec.max_clusters)


def part_v6(subnet: str, octet: int) -> IPv6Network:
    """Return the /64 of the cluster with this number."""
    return IPv6Network((int(IPv6Interface(subnet).ip) + (octet << (128 - V6_PART_PREFIX)), V6_PART_PREFIX))


def octets(members: Sequence[str], taken: Mapping[str, int], available: int, remedy: str = "") -> dict[str, int]:
    """Give every member cluster the number of a part: its old one, else the lowest free.

    `taken` holds the numbers in use, also of clusters that are leaving and not yet cleaned up: theirs are not given
    away. New members are served in the order of their names, so that the order of the list does not matter.
    Raises `Terminal` when the `available` parts run out (`remedy` says what to do) or when `taken` holds one twice.
    """
    if len(set(taken.values())) < len(taken):
        raise Terminal(
            f"two clusters have the same part of the subnet ({_twice(taken)}): delete one of their WorkerSliceConfigs",
            reason="SubnetConflict",
        )
    free = iter(sorted(set(range(available)) - set(taken.values())))
    given = {member: taken[member] for member in members if member in taken}
    for member in sorted(set(members) - set(taken)):
        octet = next(free, None)
        if octet is None:
            raise Terminal(
                f"no part of the subnet is left for cluster {member}: there are {available}, which {_shown(taken)} "
                f"have or had; {remedy or 'take a cluster out, or wait until one that left is clean'}",
                reason="SubnetExhausted",
            )
        given[member] = octet
    return given


def _bits_for(max_clusters: int) -> int:
    return (max_clusters - 1).bit_length()


def _twice(taken: Mapping[str, int]) -> str:
    numbers = sorted(taken.values())
    double = {one for one, other in pairwise(numbers) if one == other}
    return ", ".join(f"{cluster}: {octet}" for cluster, octet in sorted(taken.items()) if octet in double)


def _shown(clusters: Mapping[str, int]) -> str:
    known = sorted(clusters)
    more = [f"{len(known) - SHOWN} more"] if len(known) > SHOWN else []
    return ", ".join([*known[:SHOWN], *more])
