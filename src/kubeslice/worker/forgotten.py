"""What a hub has forgotten: objects that are gone there though nobody deleted them, as after a restored backup.

What this cluster uses of a hub carries its finalizer, so it is seen on its way out before it is gone. What is just gone
was not taken away by anybody who meant it: it is kept here for a while, in which people can apply it again.
"""

from datetime import datetime, timedelta

from kubeslice.runtime.clock import Clock


class Forgotten:
    """Remembers for how long something has been missing on its hub, and keeps it for so many `seconds`."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._since: dict[str, float] = {}

    def keeps(self, name: str) -> bool:
        """Note that something is missing; tell whether it is kept for now."""
        return self.left(name) > 0

    def left(self, name: str) -> float:
        """Return for how many seconds something that is missing is kept."""
        since = self._since.setdefault(name, self._clock.monotonic())
        return max(0.0, since + self._seconds - self._clock.monotonic())

    def until(self, name: str) -> datetime | None:
        """Return until when something is kept, None when it is not missing."""
        if name not in self._since:
            return None
        return self._clock.now() + timedelta(seconds=self.left(name))

    def found(self, name: str) -> None:
        """Note that something is there, or that it is not wanted here either."""
        self._since.pop(name, None)
