"""How the tunnels between two clusters are, from what both ends say of them. Called by the hub.

A tunnel has two ends, and each tells its own cluster's worker. A worker that is not heard of says nothing new: then the
word of the other end counts, and where neither is heard the tunnel is unknown, not down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kubeslice.plan.tunnels.topology import Pair

State = Literal["UP", "DOWN", "UNKNOWN"]
Object = dict[str, Any]


@dataclass(frozen=True)
class End:
    """What one end says of each plane's tunnel to the other, and whether its worker is heard of."""

    states: Sequence[State]
    is_heard: bool = True


@dataclass(frozen=True)
class Leg:
    """The tunnels between two clusters: `planes` as both ends see them, `since` when their sum last changed.

    `since` is in seconds of the hub's own clock: those of the clusters may be wrong.
    """

    planes: Sequence[State]
    since: float = 0.0

    @property
    def state(self) -> State:
        """Return UP when a plane is up, DOWN when all are down."""
        if "UP" in self.planes:
            return "UP"
        return "DOWN" if self.planes and set(self.planes) == {"DOWN"} else "UNKNOWN"


@dataclass(frozen=True)
class Legs:
    """The tunnels of a slice: those of each pair with tunnels of its own, and each end's by (local, remote)."""

    by_pair: Mapping[Pair, Leg] = field(default_factory=dict)
    ends: Mapping[tuple[str, str], Sequence[State]] = field(default_factory=dict)


def told(reported: Iterable[Mapping[str, Any]], planes: int) -> tuple[State, ...]:
    """Return what the planes in a WorkerSliceGateway's status say; what they do not name is unknown."""
    states: dict[int, State] = {
        int(plane.get("plane") or 0): plane["state"] for plane in reported if plane.get("state") in ("UP", "DOWN")
    }
    return tuple(states.get(plane, "UNKNOWN") for plane in range(planes))


def joined(one: End, other: End) -> tuple[State, ...]:
    """Return the state of each plane's tunnel: up or down where all ends that are heard of say so."""
    heard = [end.states for end in (one, other) if end.is_heard]
    if not heard:
        return tuple(_agreed(()) for _ in one.states)
    return tuple(_agreed(states) for states in zip(*heard, strict=True))


def counted(own: End, other: End) -> Sequence[State]:
    """Return what counts as an end's own word: that of the other end while its worker is not heard of."""
    return own.states if own.is_heard or not other.is_heard else other.states


def aged(before: Mapping[Pair, Leg], planes: Mapping[Pair, Sequence[State]], now: float) -> dict[Pair, Leg]:
    """Return the legs as they are now; `since` stays where their state stays."""
    after = {}
    for ends, states in planes.items():
        old = before.get(ends)
        if old is not None and old.planes == states:
            after[ends] = old
            continue
        leg = Leg(states, now)
        after[ends] = Leg(states, old.since) if old and old.state == leg.state else leg
    return after


def _agreed(states: Iterable[State]) -> State:
    found = set(states)
    return found.pop() if len(found) == 1 else "UNKNOWN"
