"""Which pairs of clusters a third one connects, because they do not reach each other or their carrier failed.

Pure: the hub's slice reconciler tells how the tunnels are and for how long, and what is in force. What is in force
stays while it works, so that nothing moves to and fro: a detour is left when the way by plan has been good for long.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.legs import Leg
from kubeslice.plan.tunnels.topology import Graph, Pair

GIVEN_UP = 10.0  # seconds that a pair's own tunnels are down before another cluster carries its traffic
FAILED = 3.0  # seconds that a carrier's tunnel to one of the ends is down before another carrier is looked for
PROVEN = 2.0  # seconds that tunnels are up before they carry for others
RESTORED = 30.0  # seconds that the way by plan is good before a detour ends
UNKNOWN = Leg(("UNKNOWN",))

Relays = dict[Pair, str]


class News(NamedTuple):
    """Something that happened to a pair, for an event."""

    reason: str
    sentence: str
    is_bad: bool = False


@dataclass(frozen=True)
class Situation:
    """What is known at one moment: who should be connected, the tunnels, the detours in force, the hub's clock."""

    graph: Graph
    legs: Mapping[Pair, Leg]
    in_force: Mapping[Pair, str]
    now: float

    def is_for(self, state: str, seconds: float, *between: Pair) -> bool:
        """Tell whether the tunnels between all these pairs have been in a state for so long."""
        found = [self.legs.get(ends, UNKNOWN) for ends in between]
        return all(leg.state == state and self.now - leg.since >= seconds for leg in found)

    def has_failed(self, ends: Pair, via: str) -> bool:
        """Tell whether a carrier has lost one of the ends for long enough, or may not carry for them any more."""
        if self.in_force.get(ends) == via and (via not in self.graph.carriers(ends) or self._is_chained(ends, via)):
            return True
        return any(self.is_for("DOWN", FAILED, leg) for leg in legs_of(ends, via))

    def _is_chained(self, ends: Pair, via: str) -> bool:
        return any(self.in_force.get(leg) for leg in legs_of(ends, via))


def legs_of(ends: Pair, via: str) -> tuple[Pair, Pair]:
    """Return the pairs whose tunnels a carrier needs."""
    return topology.pair(via, ends[0]), topology.pair(via, ends[1])


def decide(seen: Situation) -> Relays:
    """Return the detours that should be in force: the carrier of each pair that has one, "" where there is none.

    A carrier reaches both ends by tunnels of its own, which are up, and is itself on no detour to them.
    """
    if not seen.in_force and not any(leg.state == "DOWN" for leg in seen.legs.values()):
        return {}
    planned = dict(seen.graph.carried())
    wanted = {**{topology.pair(*ends): "" for ends in seen.graph.edges()}, **planned}
    kept: Relays = {}
    lost: list[Pair] = []
    for ends, plan in wanted.items():
        via = seen.in_force.get(ends)
        if via is not None and _is_over(seen, ends, plan, via):
            continue
        if seen.has_failed(ends, via) if via else _is_lost(seen, ends, plan):
            lost.append(ends)
        elif via is not None:
            kept[ends] = via
    return kept | _chosen(seen, lost, kept, wanted)


def news(before: Mapping[Pair, str], after: Mapping[Pair, str]) -> Iterator[News]:
    """Return what people want to hear of a change: what happened to each pair."""
    for ends in sorted(before.keys() | after.keys()):
        one, other = ends
        if ends not in after:
            yield News("DetourEnded", f"{one} and {other} reach each other as planned again")
        elif after[ends] and before.get(ends) != after[ends]:
            yield News("RelayChosen", f"{one} and {other} do not reach each other: {after[ends]} carries their traffic")
        elif not after[ends] and before.get(ends) != "":
            yield News("NoRelay", f"{one} and {other} do not reach each other, and no other cluster reaches both", True)


def next_look(seen: Situation, relays: Mapping[Pair, str]) -> float | None:
    """Return in how many seconds time alone may change the decision, None when only news can."""
    waits = sorted(wait for ends in _in_question(seen, relays) for wait in _waits(seen, ends))
    return waits[0] if waits else None


def _is_lost(seen: Situation, ends: Pair, plan: str) -> bool:
    return seen.has_failed(ends, plan) if plan else seen.is_for("DOWN", GIVEN_UP, ends)


def _is_over(seen: Situation, ends: Pair, plan: str, via: str) -> bool:
    """Tell whether a detour ends: the way by plan has been good for long, or is good and the detour has failed."""
    needed = legs_of(ends, plan) if plan else (ends,)
    has_failed = not via or seen.has_failed(ends, via)
    return seen.is_for("UP", 0.0 if has_failed else RESTORED, *needed)


def _chosen(seen: Situation, lost: Iterable[Pair], kept: Relays, planned: Mapping[Pair, str]) -> Relays:
    chosen: Relays = {}
    for ends in lost:
        load = Counter((*kept.values(), *chosen.values()))
        able = [
            carrier
            for carrier in seen.graph.carriers(ends)
            if carrier != planned[ends] and _can_carry(seen, ends, carrier, kept)
        ]
        chosen[ends] = min(able, key=lambda carrier: (load[carrier], carrier), default="")
    return chosen


def _can_carry(seen: Situation, ends: Pair, carrier: str, kept: Relays) -> bool:
    needed = legs_of(ends, carrier)
    return seen.is_for("UP", PROVEN, *needed) and not any(kept.get(leg) for leg in needed)


def _in_question(seen: Situation, relays: Mapping[Pair, str]) -> Iterator[Pair]:
    """Return the pairs whose tunnels matter when they stay as they are: those that are down, and all during detours."""
    for ends, leg in seen.legs.items():
        if leg.state == "DOWN" or (relays and leg.state == "UP"):
            yield ends


def _waits(seen: Situation, ends: Pair) -> Iterator[float]:
    age = seen.now - seen.legs[ends].since
    limits = (FAILED, GIVEN_UP) if seen.legs[ends].state == "DOWN" else (PROVEN, RESTORED)
    yield from (limit - age for limit in limits if limit > age)
