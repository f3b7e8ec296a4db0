"""When words about a slice are due: soon after the first of them, and less often the longer they go on changing.

A slice of many clusters comes up tunnel by tunnel; each is another number in the same sentence. What others act on does
not wait (`worker_report.Report.is_news`). Called by the worker operator.
"""

from typing import NamedTuple, Self

# What is wanted and there a moment later is told of once; however long it goes on, nobody waits longer than this.
SOONEST = 1.0
LATEST = 5.0


class Words(NamedTuple):
    """Since when words change, since when there are some that were not told, and when some were told last."""

    began: float
    noticed: float
    told: float | None = None

    @classmethod
    def seen(cls, before: "Words | None", now: float) -> "Words":
        """Return that there may be something to tell, after what was known `before`."""
        if before is None or (before.told is not None and now - before.told > LATEST):
            return cls(now, now)
        return before if before.told is None else cls(before.began, now)

    @property
    def due(self) -> float:
        """Return when to tell them."""
        return self.noticed + min(max(self.noticed - self.began, SOONEST), LATEST)

    def said(self, now: float) -> Self:
        """Return that they were told."""
        return self._replace(told=now)
