"""WorkerSliceGwRecycler: accepted from hubs of the Go implementation, and told that it has no effect."""

from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.model.ids import Key
from kubeslice.model.resources import WORKERSLICEGWRECYCLERS
from kubeslice.plan import findings
from kubeslice.plan.checks import effective
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter


@dataclass(frozen=True)
class Recyclers:
    """Reconciles one WorkerSliceGwRecycler."""

    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Say on the object that nobody acts on it."""
        obj = self.caches.recyclers.get(key.name, key.namespace)
        if obj is None:
            return Result()
        found = findings.effectiveness(effective.recycler_not_effective())
        await self.reporter.report(WORKERSLICEGWRECYCLERS, obj, [found])
        return Result(found.message)
