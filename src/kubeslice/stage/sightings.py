"""What the meters at both ends of a path told, cut to the time of one trial and summed up. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# A flow that is silent for longer, although its path is there again, has not survived.
SILENT = 2.0


@dataclass(frozen=True)
class Flow:
    """One flow as its receiver had it at a moment; `gap` is the longest since the telling before."""

    received: int
    lost: int
    reordered: int
    gap: float
    silent: float


@dataclass(frozen=True)
class Telling:
    """One line of one end: `end` says whose, `late` how late its own loop was."""

    end: str
    time: float
    late: float
    flows: Mapping[str, Flow]
    died: Mapping[str, int]

    @property
    def deaths(self) -> int:
        """Return how many connections that began at this end have died so far."""
        return sum(self.died.values())


@dataclass(frozen=True)
class Sight:
    """What all flows noticed in a span of time; times in seconds."""

    gap: float = 0.0
    datagram_gap: float = 0.0
    worst: str = ""
    packets: int = 0
    lost: int = 0
    reordered: int = 0
    died: tuple[str, ...] = ()
    late: float = 0.0


def read(end: str, line: bytes) -> Telling:
    """Read a line of a meter (`kubeslice.stage.meter.loop` says what is in it)."""
    told = json.loads(line)
    flows = {name: Flow(*values) for name, values in told["flows"].items()}
    return Telling(end, told["t"], told["late"], flows, told["died"])


def sum_up(tellings: Iterable[Telling], since: float) -> Sight:
    """Sum up what was noticed after `since`, at both ends."""
    ends: dict[str, list[Telling]] = {}
    for telling in tellings:
        ends.setdefault(telling.end, []).append(telling)
    return _joined([_of_end(told, since) for told in ends.values()])


def _of_end(told: Sequence[Telling], since: float) -> Sight:
    before = [one for one in told if one.time <= since]
    after = [one for one in told if one.time > since]
    if not after:
        return Sight()
    last = after[-1]
    first = before[-1] if before else Telling(last.end, since, 0.0, {}, {})
    gaps = [(flow.gap, name) for one in after for name, flow in one.flows.items()]
    gaps += [(flow.silent, name) for name, flow in last.flows.items() if flow.silent > SILENT]
    gap, worst = max(gaps, default=(0.0, ""))
    return Sight(
        gap,
        max((gap for gap, name in gaps if name.startswith("udp")), default=0.0),
        f"{worst} to {last.end}" if worst else "",
        *_counted(first, last),
        died=_died(first, last),
        late=max(one.late for one in after),
    )


def _counted(first: Telling, last: Telling) -> tuple[int, int, int]:
    nothing = Flow(0, 0, 0, 0.0, 0.0)
    pairs = [(first.flows.get(name, nothing), flow) for name, flow in last.flows.items()]
    return (
        sum(flow.received - before.received for before, flow in pairs),
        # What was held up since before and came after all is no gain.
        max(0, sum(flow.lost - before.lost for before, flow in pairs)),
        sum(flow.reordered - before.reordered for before, flow in pairs),
    )


def _died(first: Telling, last: Telling) -> tuple[str, ...]:
    broke = [f"{name} from {last.end}" for name, count in last.died.items() if count > first.died.get(name, 0)]
    silent = [f"{name} to {last.end}" for name, flow in last.flows.items() if flow.silent > SILENT]
    return (*broke, *silent)


def _joined(sights: Sequence[Sight]) -> Sight:
    if not sights:
        return Sight()
    worst = max(sights, key=lambda sight: sight.gap)
    return Sight(
        worst.gap,
        max(sight.datagram_gap for sight in sights),
        worst.worst,
        sum(sight.packets for sight in sights),
        sum(sight.lost for sight in sights),
        sum(sight.reordered for sight in sights),
        tuple(name for sight in sights for name in sight.died),
        max(sight.late for sight in sights),
    )
