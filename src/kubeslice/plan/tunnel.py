"""The life of one tunnel as its echo requests tell it: up, down, how fast, how lossy, when to call the peer anew.

A machine without clocks or sockets: the gateway tells it what was sent and what came back, with times in seconds.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any, Literal

from kubeslice.plan.wireguard import SeenPeer

State = Literal["UP", "DOWN", "UNKNOWN"]
Object = dict[str, Any]

WINDOW = 60  # probes, one a second
PATIENCE = 3.0  # seconds without an answer after which a tunnel is down
EAGERNESS = 3.0  # seconds of quicker probing after a call
FIRST_CALL, LONGEST_CALL = 1.0, 10.0  # seconds until a silent peer is called anew


@dataclass
class Probe:
    """One echo request and, when it was answered, its round-trip time."""

    sent: float
    took: float | None = None


@dataclass
class Tunnel:
    """What is known about one peer. `since` is when `state` last changed, in Unix time."""

    born: float
    since: float
    state: State = "UNKNOWN"
    attempt: int = 0
    called: float = 0.0
    answered: float = 0.0
    probes: deque[tuple[int, Probe]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def sent(self, number: int, now: float) -> None:
        """Note that echo request `number` left."""
        self.probes.append((number, Probe(now)))

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
                return

    def judge(self, now: float, wall: float) -> bool:
        """Decide the state; tell whether it changed."""
        state: State = "UNKNOWN"
        if self.answered and now - self.answered <= PATIENCE:
            state = "UP"
        elif now - self.born > PATIENCE:
            state = "DOWN"
        if state == self.state:
            return False
        self.state, self.since = state, wall
        return True

    def is_eager(self, now: float) -> bool:
        """Tell whether the peer was called a moment ago, so that every tenth of a second without an answer counts."""
        return self.state != "UP" and now - max(self.called, self.born) < EAGERNESS

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to call the peer anew: silent, and long enough since the last call."""
        quiet = now - max(self.called, self.answered, self.born)
        return self.state != "UP" and quiet >= min(LONGEST_CALL, FIRST_CALL * 2.0**self.attempt)

    def call(self, now: float) -> None:
        """Note that the peer is called anew, at its next endpoint."""
        self.called = now
        self.attempt += 1

    @property
    def probed(self) -> float:
        """Return when the last request left, 0 before the first."""
        return self.probes[-1][1].sent if self.probes else 0.0

    @property
    def latency(self) -> int | None:
        """Return the median round-trip time in microseconds."""
        took = [probe.took for _, probe in self.probes if probe.took is not None]
        return round(median(took) * 1e6) if took else None

    def loss(self, now: float) -> float | None:
        """Return the lost probes in percent; one that may still be answered does not count."""
        ended = [probe for _, probe in self.probes if probe.took is not None or now - probe.sent > 1.0]
        if not ended:
            return None
        return round(100 * sum(probe.took is None for probe in ended) / len(ended), 1)


def report(tunnel: Tunnel, seen: SeenPeer, plane: int, pod: str, engine: str, now: float) -> Object:
    """Return the entry of `SliceGateway.status.planes`."""
    facts: Object = {
        "plane": plane,
        "podName": pod,
        "state": tunnel.state,
        "since": _time(tunnel.since),
        "lastHandshakeTime": _time(seen.handshake) if seen.handshake else None,
        "latencyMicroseconds": tunnel.latency,
        "lossPercent": tunnel.loss(now),
        "rxBytes": seen.received,
        "txBytes": seen.sent,
        "engine": engine,
        "cipher": "ChaCha20-Poly1305",
        "endpoint": seen.endpoint or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def is_news(old: Object | None, new: Object, age: float) -> bool:
    """Tell whether a report is worth writing when the last one is `age` seconds old.

    A change of state at once, figures that moved after 5 s, counters after 30 s: a quiet tunnel costs the API little.
    That a new tunnel is not known yet says nothing; it is up or down within `PATIENCE`.
    """
    if old is None:
        return bool(new["state"] != "UNKNOWN")
    if any(old.get(name) != new.get(name) for name in ("state", "podName", "engine")):
        return True
    if age >= 30:
        return old != new
    return age >= 5 and (_moved(old, new, "latencyMicroseconds", 0.5) or _moved(old, new, "lossPercent", 0.2))


def _moved(old: Object, new: Object, name: str, share: float) -> bool:
    before, after = float(old.get(name) or 0), float(new.get(name) or 0)
    return abs(after - before) > share * max(before, after)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
