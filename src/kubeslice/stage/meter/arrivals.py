"""What the receiver of a flow notices: how long it was without service, what got lost, what came out of order. Pure.

Both ends of a path that is measured run on one machine, so the clocks agree: everything carries the time at which it
was sent. A sender that was late does not look like a path that was broken.
"""

from collections import deque

REMEMBERED = 4096


class Arrivals:
    """One flow of numbered things, each with the times when it was sent and when it arrived, in seconds.

    A flow is without service from its last arrival, or from when the thing that arrives next was sent if that was
    later. When things got lost in between, from the last arrival in any case.
    """

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        self.reordered = 0
        self._gap = 0.0
        self._next = 0
        self._arrived = 0.0
        self._missing: deque[int] = deque(maxlen=REMEMBERED)

    def arrive(self, number: int, sent: float, arrived: float) -> None:
        """Take note of one thing."""
        if self.received and number < self._next:
            self._late(number)
            return
        skipped = number - self._next if self.received else 0
        if skipped:
            self.lost += skipped
            self._missing.extend(range(max(self._next, number - REMEMBERED), number))
        since = self._arrived if skipped else max(sent, self._arrived)
        self._gap = max(self._gap, arrived - since)
        self.received += 1
        self._next, self._arrived = number + 1, arrived

    def _late(self, number: int) -> None:
        if number in self._missing:
            self._missing.remove(number)
            self.lost -= 1
            self.received += 1
            self.reordered += 1

    def take_gap(self) -> float:
        """Return the longest time without service since this was last asked."""
        gap, self._gap = self._gap, 0.0
        return gap
