"""What the hub says about a slice, told no more often than somebody can read it.

While a slice comes up its tunnels are reported one by one; writing the status for each would load the API server with
the square of the clusters. Turns of conditions, members and detours are told at once, figures once in a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import SLICECONFIGS
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import standing
from kubeslice.runtime.reporting import Reporter

FIGURES_EVERY = 1.0


@dataclass(frozen=True)
class Bulletin:
    """Reports on SliceConfigs."""

    reporter: Reporter
    _told: dict[Key, float] = field(default_factory=dict)

    async def tell(self, obj: Object, found: Sequence[Finding], status: Mapping[str, Any]) -> float | None:
        """Report now, or return in how many seconds to come again because only figures have changed since the last."""
        key, now = Key(OWN, objects.namespace(obj), objects.name(obj)), self.reporter.clock.monotonic()
        wait = self._told.get(key, now - FIGURES_EVERY) + FIGURES_EVERY - now
        if wait > 0 and self._is_only_figures(obj, found, status):
            return wait
        if await self.reporter.report(SLICECONFIGS, obj, found, status):
            self._told[key] = now
        return None

    def forget(self, key: Key) -> None:
        """Forget a slice that is gone."""
        self._told.pop(key, None)

    def _is_only_figures(self, obj: Object, found: Sequence[Finding], status: Mapping[str, Any]) -> bool:
        before = objects.conditions(obj)
        after = findings.conditions_after(before, found, 0, self.reporter.now())
        is_same = standing.without_figures(objects.status(obj)) == standing.without_figures(status)
        return is_same and not findings.transitions(before, after)
