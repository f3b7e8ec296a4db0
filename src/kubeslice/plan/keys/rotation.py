"""When the keys of a slice are renewed, plane by plane, and when the old ones may go. Called by `hub.rotation`.

A plane has one generation of keys in force and, while it rotates, the next one beside it: make before break. The next
step follows from the objects alone, so any restart, any order of reports, any change of members leads to the same end.
The old generation goes when nobody uses it any more; a member that does not follow keeps it, and an alarm is raised.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# How long a tunnel has to be down before it no longer counts as using a generation.
SETTLED = timedelta(seconds=20)
# How long both generations are in force at the least: what is on its way arrives, and the new one shows that it stays.
OVERLAP = timedelta(seconds=5)
# What is dated further in the future than that was dated by a wrong clock.
CLOCK_SKEW = timedelta(minutes=5)
SHORTEST_PERIOD = timedelta(seconds=60)
SHORTEST_MARGIN = timedelta(minutes=10)
PATIENCE = (timedelta(seconds=30), timedelta(hours=1))
UP = "UP"
DOWN = "DOWN"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@dataclass(frozen=True)
class Plane:
    """The generations of keys of one plane, oldest first, and when the newest was asked for."""

    number: int
    generations: tuple[int, ...]
    since: datetime

    @property
    def newest(self) -> int:
        """Return the newest generation."""
        return self.generations[-1]

    @property
    def is_rotating(self) -> bool:
        """Tell whether the old generation is still in force beside the new one."""
        return len(self.generations) > 1


@dataclass(frozen=True)
class Schedule:
    """How long keys are used, and a time at which they are renewed in any case."""

    period: timedelta
    renew_at: datetime | None = None

    @property
    def margin(self) -> timedelta:
        """Return how long keys stay valid after the time of their renewal."""
        return max(self.period / 3, SHORTEST_MARGIN)

    @property
    def patience(self) -> timedelta:
        """Return after how long a rotation that is not through is late."""
        return min(max(self.period / 4, PATIENCE[0]), PATIENCE[1])

    def due(self, plane: Plane) -> datetime:
        """Return when the keys of a plane are renewed."""
        regular = plane.since + self.period
        return min(regular, self.renew_at) if self.renew_at and plane.since < self.renew_at else regular

    def expiry(self, plane: Plane) -> datetime:
        """Return when the newest keys of a plane end to be valid."""
        return plane.since + self.period + self.margin


@dataclass(frozen=True)
class Tunnel:
    """What the end `local` says about its tunnel to `remote` on one plane; generation 0 is not known."""

    local: str
    remote: str
    plane: int
    state: str = ""
    generation: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What the members report: who of them is heard of, which keys each has made, what their tunnels use.

    There is a tunnel for each end of each pair and each plane, whether anything was said about it or not.
    """

    live: frozenset[str]
    made: frozenset[tuple[str, int, int]]
    tunnels: Sequence[Tunnel]


def period(interval_days: int, text: str) -> timedelta:
    """Return the time between rotations: `text` such as 90s, 15m or 12h, else the days; never less than a minute."""
    found = length(text)
    return timedelta(days=interval_days) if found is None else max(found, SHORTEST_PERIOD)


def length(text: str) -> timedelta | None:
    """Read a length of time such as 90s, 15m or 12h; None when it is none."""
    found = re.fullmatch(r"([0-9]+)([smh])", text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def step(planes: Sequence[Plane], schedule: Schedule, seen: Seen, now: datetime) -> list[Plane]:
    """Return the planes after what can be done now: old generations that nobody uses go, one plane may begin.

    The next plane begins when the one before is through, or is late: who holds up one plane holds up no other.
    """
    after = [_finished(_redated(plane, now), seen, now) for plane in planes]
    if any(plane.is_rotating and not is_late(plane, schedule, now) for plane in after):
        return after
    due = [plane for plane in after if not plane.is_rotating and (schedule.due(plane) <= now or _is_ahead(plane, now))]
    first = min(due, key=lambda plane: (schedule.due(plane), plane.number), default=None)
    return [_with_new(plane, now) if plane is first else plane for plane in after]


def obstacles(plane: Plane, seen: Seen, now: datetime) -> list[str]:
    """Return why the old generation of a plane has to stay, one sentence for each reason; empty when it can go."""
    return [*_unmade(plane, seen), *_unmoved(plane, seen, now)]


def laggards(plane: Plane, seen: Seen, now: datetime) -> list[str]:
    """Return the clusters that hold up a plane: those without new keys, else those whose tunnels have not moved."""
    late = sorted(cluster for cluster in seen.live if (cluster, plane.number, plane.newest) not in seen.made)
    if late:
        return late
    return sorted({tunnel.local for tunnel in seen.tunnels if _holds(tunnel, plane, seen, now)})


def is_late(plane: Plane, schedule: Schedule, now: datetime) -> bool:
    """Tell whether a plane rotates for longer than that should take."""
    return plane.is_rotating and now >= plane.since + schedule.patience


def is_overdue(plane: Plane, schedule: Schedule, now: datetime) -> bool:
    """Tell whether a plane still rotates when the next rotation is due: its keys come closer to their end."""
    return plane.is_rotating and now >= plane.since + schedule.period


def next_look(planes: Iterable[Plane], schedule: Schedule, now: datetime) -> timedelta:
    """Return after how long something may have to be done, though nothing is reported."""
    moments = [moment for plane in planes for moment in _moments(plane, schedule, now)]
    return min((moment - now for moment in moments if moment > now), default=schedule.period)


def _moments(plane: Plane, schedule: Schedule, now: datetime) -> Iterator[datetime]:
    yield schedule.due(plane)
    if plane.is_rotating:
        yield plane.since + OVERLAP
        yield plane.since + schedule.patience
        yield now + SETTLED


def _unmade(plane: Plane, seen: Seen) -> Iterator[str]:
    for cluster in sorted(seen.live):
        if (cluster, plane.number, plane.newest) not in seen.made:
            yield f"{cluster} has not made the keys of generation {plane.newest} yet"


def _unmoved(plane: Plane, seen: Seen, now: datetime) -> Iterator[str]:
    for tunnel in seen.tunnels:
        if _holds(tunnel, plane, seen, now):
            yield f"{tunnel.local} does not reach {tunnel.remote} with generation {plane.newest} yet"


def _holds(tunnel: Tunnel, plane: Plane, seen: Seen, now: datetime) -> bool:
    """Tell whether an end of a pair may still use the old generation of a plane.

    The last word of an end that is not heard of counts only where the other end is not heard of either.
    """
    if tunnel.plane != plane.number:
        return False
    is_old_in_use = tunnel.state == UP and tunnel.generation < plane.newest
    if tunnel.local not in seen.live:
        return is_old_in_use and tunnel.remote not in seen.live
    if tunnel.state == UP:
        return is_old_in_use
    if tunnel.state == DOWN:
        return not _is_settled(tunnel, plane, now)
    return tunnel.remote in seen.live


def _is_settled(tunnel: Tunnel, plane: Plane, now: datetime) -> bool:
    """Tell whether a tunnel is down for good. A time in the future comes from a wrong clock and says nothing."""
    if now < plane.since + SETTLED:
        return False
    return tunnel.since is None or not timedelta() <= now - tunnel.since < SETTLED


def _redated(plane: Plane, now: datetime) -> Plane:
    return replace(plane, since=now) if plane.is_rotating and _is_ahead(plane, now) else plane


def _is_ahead(plane: Plane, now: datetime) -> bool:
    return plane.since > now + CLOCK_SKEW


def _finished(plane: Plane, seen: Seen, now: datetime) -> Plane:
    is_through = plane.is_rotating and now >= plane.since + OVERLAP and not obstacles(plane, seen, now)
    return replace(plane, generations=(plane.newest,)) if is_through else plane


def _with_new(plane: Plane, now: datetime) -> Plane:
    return Plane(plane.number, (plane.newest, plane.newest + 1), now)
