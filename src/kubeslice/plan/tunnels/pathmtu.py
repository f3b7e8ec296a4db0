"""How large packets may be on the way to a remote cluster: the order of sizes to try, and what follows for a tunnel.

Pure; `gateway.pathmtu` sends what is tried here. Sizes are those of IP packets, header included, in bytes.
"""

from dataclasses import dataclass, field

SMALLEST = 576  # every host takes a packet of this size (RFC 791)
SOUND = 1280  # what every link of IPv6 takes (RFC 8200); less is a fault of the network between two clusters
SMALLEST_INSIDE = 400
USUAL = (1500, SOUND)  # what links mostly take that do not take the most


@dataclass
class Search:
    """Looks for the largest size from `low`, which is taken to pass, to `high`: tell it what passed and what failed.

    It tries `high` first, for mostly that passes; then a `guess`, which is what passed last time, and the next size;
    then in the same way what is usual, and last by halves.
    """

    low: int
    high: int
    guess: int = 0
    _wishes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wishes = [self.high, *(size for likely in (self.guess, *USUAL) for size in (likely, likely + 1))]

    @property
    def size(self) -> int | None:
        """Return the size to try now; None when `low` is the result."""
        if self.low >= self.high:
            return None
        wishes = [wish for wish in self._wishes if self.low < wish <= self.high]
        return wishes[0] if wishes else (self.low + self.high + 1) // 2

    def passed(self, size: int) -> None:
        """Note that a packet of that size got through."""
        self.low = max(self.low, size)

    def failed(self, size: int, told: int = 0) -> None:
        """Note that it did not; `told` is the limit that a router on the way named, 0 for none."""
        self.high = max(self.low, size - 1)
        if self.low < told <= self.high:
            self.high = told
            self._wishes = [told]


def inside(outer: int, overhead: int, block: int, segment: int) -> int:
    """Return the largest packet that a tunnel carries whole over a path, at most that of the segment.

    `overhead` is what the engine adds, after it has padded the packet to a multiple of `block`.
    """
    room = max(SMALLEST_INSIDE, outer - overhead)
    return segment if room >= segment else room - room % block


def complaint(outer: int) -> str:
    """Say what is wrong with a path that takes less than every path should, or ""."""
    if not outer or outer >= SOUND:
        return ""
    remedy = f"raise the MTU of the links between the clusters to {SOUND} or more"
    return f"the path to the other cluster takes packets of {outer} bytes only, which costs throughput: {remedy}"
