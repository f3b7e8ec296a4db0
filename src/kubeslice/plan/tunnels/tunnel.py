"""The life of one tunnel as its echo requests tell it: up, down, how fast, how lossy, when to call the peer anew.

A machine without clocks or sockets: the gateway tells it what was sent and what came back, with times in seconds.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from kubeslice.plan.moments import stamp
from kubeslice.plan.tunnels.peers import SeenPeer

State = Literal["UP", "DOWN", "UNKNOWN"]
Object = dict[str, Any]

WINDOW = 120  # probes, two a second
PATIENCE = 1.5  # seconds for which the oldest of several unanswered probes has waited when a tunnel is down
SILENCE = 3  # unanswered probes that it takes at least: a process that got no time to probe knows nothing
FIRST_PATIENCE = 3.0  # seconds after which a tunnel that never answered is down
EAGERNESS = 3.0  # seconds of quicker probing after a call
FIRST_CALL, LONGEST_CALL = 1.0, 10.0  # seconds until a silent peer is called anew
BUSY = 5.0  # seconds for which a peer that sends and does not answer may be busy
GRAIN = 1.0  # seconds; the times of handshakes are no finer
_STATE = ("state", "generation", "podName", "engine", "pathMTU", "message")


@dataclass
class Probe:
    """One echo request and, when it was answered, its round-trip time."""

    sent: float
    took: float | None = None


@dataclass
class Tunnel:
    """What is known about one peer. `since` is when `state` last changed, in Unix time.

    `has_moved` is set by the gateway when the peer announces other endpoints, and makes it be called at once.
    """

    born: float
    since: float
    state: State = "UNKNOWN"
    attempt: int = 0
    has_moved: bool = False
    called: float = 0.0
    heard: int = 0
    answered: float = 0.0
    unanswered: list[float] = field(default_factory=list)
    probes: deque[tuple[int, Probe]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def sent(self, number: int, now: float) -> None:
        """Note that echo request `number` left."""
        self.probes.append((number, Probe(now)))
        if len(self.unanswered) < SILENCE:
            self.unanswered.append(now)

    def received(self, number: int, now: float) -> None:
        """Note that echo request `number` was answered."""
        for known, probe in self.probes:
            if known == number and probe.took is None:
                probe.took = now - probe.sent
                if not self.answered:
                    # What was sent before the far end was ready is not lost.
                    self.probes = deque([(known, probe)], maxlen=WINDOW)
                self.answered = now
                self.attempt = 0
                self.unanswered = [sent for sent in self.unanswered if sent > probe.sent]
                return

    def judge(self, now: float, wall: float) -> bool:
        """Decide the state; tell whether it changed."""
        if not self.answered:
            state: State = "DOWN" if now - self.born > FIRST_PATIENCE else "UNKNOWN"
        else:
            state = "DOWN" if self._is_silent(now) else "UP"
        if state == self.state:
            return False
        self.state, self.since = state, wall
        return True

    def _is_silent(self, now: float) -> bool:
        # A slow answer is an answer, and a process that got no time to ask cannot know.
        is_asked = len(self.unanswered) == SILENCE and now - self.unanswered[0] > PATIENCE
        return is_asked and now - self.answered > PATIENCE

    def is_eager(self, now: float) -> bool:
        """Tell whether the peer was called a moment ago, so that every tenth of a second without an answer counts."""
        return self.state != "UP" and now - max(self.called, self.born) < EAGERNESS

    def silence(self, now: float) -> float:
        """Return for how long nothing was heard of the peer since it was called, in seconds."""
        return now - max(self.called, self.answered, self.born)

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to call the peer anew: silent, and long enough since the last call."""
        is_long = self.silence(now) >= min(LONGEST_CALL, FIRST_CALL * 2.0**self.attempt)
        return self.state != "UP" and (self.has_moved or is_long)

    def call(self, now: float, handshake_age: float, received: int = 0) -> bool:
        """Note that the peer is called anew, at its next endpoint; tell whether that is to be done.

        It is not when the ends agreed on keys since anything was heard: then both ways work and an answer is about to
        come. Nor is it soon, while a peer that did answer still sends (`received` bytes in all): it is busy. To begin
        anew would lose what it sends. At the first endpoint when there are new ones.
        """
        if not self.is_due(now):
            return False
        # A handshake in the future is of a time when the clock was wrong.
        has_met = -GRAIN <= handshake_age < self.silence(now) + GRAIN
        is_busy = bool(self.answered) and received > self.heard and now - self.answered < BUSY
        is_to_be = not (has_met or is_busy)
        if is_to_be:
            self.attempt = 0 if self.has_moved else self.attempt + 1
        self.called, self.heard, self.has_moved = now, received, False
        return is_to_be

    @property
    def probed(self) -> float:
        """Return when the last request left, 0 before the first."""
        return self.probes[-1][1].sent if self.probes else 0.0

    @property
    def latency(self) -> int | None:
        """Return the median round-trip time in microseconds."""
        took = sorted(probe.took for _, probe in self.probes if probe.took is not None)
        return round(took[len(took) // 2] * 1e6) if took else None

    def loss(self, now: float) -> float | None:
        """Return the lost probes in percent; one that may still be answered does not count."""
        ended = [probe for _, probe in self.probes if probe.took is not None or now - probe.sent > 1.0]
        if not ended:
            return None
        return round(100 * sum(probe.took is None for probe in ended) / len(ended), 1)


@dataclass
class Line:
    """The way to one remote cluster: a tunnel for each generation of keys. `since` is when `state` last changed.

    `carrier` is the generation that is to carry the traffic, `laid` the one that the kernel's routes lead to. Only that
    one is told: what is told may make somebody take the others away.
    """

    since: float
    state: State = "UNKNOWN"
    carrier: int = 0
    laid: int = 0
    tunnels: dict[int, Tunnel] = field(default_factory=dict)

    def judge(self, now: float, wall: float) -> bool:
        """Decide which generation carries the traffic, and the state; tell whether either changed."""
        before = self.carrier, self.state
        for tunnel in self.tunnels.values():
            tunnel.judge(now, wall)
        self.carrier = carrier({generation: tunnel.state for generation, tunnel in self.tunnels.items()})
        state = self.tunnels[self.carrier].state
        if state != self.state:
            self.state, self.since = state, wall
        return before != (self.carrier, self.state)

    @property
    def carrying(self) -> Tunnel:
        """Return the tunnel that carries the traffic."""
        return self.tunnels[self.carrier]


def carrier(states: Mapping[int, State]) -> int:
    """Return the generation that carries the traffic: the newest that is up, else the oldest."""
    up = [generation for generation, state in states.items() if state == "UP"]
    return max(up) if up else min(states)


@dataclass(frozen=True)
class Author:
    """Who reports: the pod, its plane, and what carries its tunnels."""

    pod: str
    plane: int
    engine: str
    cipher: str


def report(line: Line, seen: Mapping[int, SeenPeer], author: Author, path_mtu: int | None, now: float) -> Object:
    """Return the entry of `SliceGateway.status.planes`; `seen` is by generation."""
    carrying = seen.get(line.carrier, SeenPeer())
    facts: Object = {
        "plane": author.plane,
        "podName": author.pod,
        "generation": line.laid or line.carrier,
        "state": line.state,
        "since": _time(line.since),
        "lastHandshakeTime": _time(carrying.handshake) if carrying.handshake else None,
        "latencyMicroseconds": line.carrying.latency,
        "lossPercent": line.carrying.loss(now),
        "rxBytes": sum(peer.received for peer in seen.values()),
        "txBytes": sum(peer.sent for peer in seen.values()),
        "engine": author.engine,
        "cipher": author.cipher,
        "pathMTU": path_mtu,
        "endpoint": carrying.endpoint or None,
        "message": next((seen[number].problem for number in sorted(seen) if seen[number].problem), None),
    }
    return {name: value for name, value in facts.items() if value is not None}


def is_news(old: Object | None, new: Object, age: float) -> bool:
    """Tell whether a report is worth writing when the last one is `age` seconds old.

    A change of state at once, figures that moved after 5 s, counters after 30 s: a quiet tunnel costs the API little.
    That a new tunnel is not known yet says nothing; it is up or down in a moment.
    """
    if old is None:
        return bool(new["state"] != "UNKNOWN")
    if any(old.get(name) != new.get(name) for name in _STATE):
        return True
    if age >= 30:
        return old != new
    return age >= 5 and (_moved(old, new, "latencyMicroseconds", 0.5) or _moved(old, new, "lossPercent", 0.2))


def _moved(old: Object, new: Object, name: str, share: float) -> bool:
    before, after = float(old.get(name) or 0), float(new.get(name) or 0)
    return abs(after - before) > share * max(before, after)


def _time(seconds: float) -> str:
    return stamp(datetime.fromtimestamp(int(seconds), UTC))
