"""What was measured with one number of clusters, and how that reads beside the budgets. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import median, percentile
from kubeslice.bench.scale.load import Load
from kubeslice.model.resources import (
    CLUSTERS,
    SECRETS,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
)

WRITE_RATE = Budget(Bound.AT_LEAST, 0.7, on_ratio=True)
# With less to write, hub and workers mostly wait for each other's answers.
JUDGED_FROM_PAIRS = 1000
ABSORBED = Budget(Bound.AT_MOST, 2.0)
MEMORY = Budget(Bound.AT_MOST, 300.0)
# What a worker costs may not follow the number of the others, measurement noise apart.
COST = Budget(Bound.AT_MOST, 1.3, on_ratio=True)
GIVEN = (WORKERSLICEGATEWAYS, SECRETS, WORKERSLICECONFIGS, WORKERSERVICEIMPORTS)


class Cost(NamedTuple):
    """The objects of a worker and the bytes that it sent and received for them, both by the kind's plural name.

    What it tells of itself all the time, its heartbeats, is about its Cluster. That is none of these objects, and takes
    as many bytes as the others take time: it counts where the bytes of a second do.
    """

    objects: Counter[str]
    bytes: Counter[str]

    def each(self, kinds: Iterable[str]) -> float:
        """Return the bytes for each object of these kinds."""
        return sum(self.bytes[kind] for kind in kinds) / max(1, sum(self.objects[kind] for kind in kinds))


@dataclass(frozen=True)
class Settling:
    """From SliceConfigs applied to everything written and reported: what it took and what it cost."""

    seconds: float
    writes: int
    hub_seconds: float
    costs: Sequence[Cost]

    def bytes_each(self, *kinds: str) -> float:
        """Return the bytes that a worker sends and receives for each of its objects of these kinds, or of all."""
        return median([cost.each(kinds or cost.objects) for cost in self.costs])

    @property
    def heartbeat(self) -> float:
        """Return the bytes that a worker's Cluster takes in a second."""
        return median([cost.bytes[CLUSTERS.plural] for cost in self.costs]) / self.seconds

    @property
    def rate(self) -> float:
        """Return the writes per second."""
        return self.writes / self.seconds


class Joined(NamedTuple):
    """After how many seconds all knew what they need of a cluster that joined, and how many writes that was."""

    seconds: float
    writes: int


@dataclass(frozen=True)
class Idling:
    """When nothing changes, for a second each: writes, bytes of each worker, processor time of the hub in percent."""

    writes: float
    worker_bytes: Sequence[float]
    hub_percent: float


@dataclass(frozen=True)
class Figures:
    """All of one run."""

    load: Load
    registered: float
    settling: Settling
    joined: Sequence[Joined]
    left: Sequence[float]
    idling: Idling
    hub_mebibytes: float
    bare: float

    @property
    def absorbed(self) -> list[float]:
        """Return the seconds that each join took."""
        return [one.seconds for one in self.joined]

    @property
    def least(self) -> float:
        """Return the seconds that the bare loop takes for as many writes as there are until a join is absorbed."""
        return median([one.writes for one in self.joined]) / self.bare

    def metrics(self, first: "Figures", *, is_largest: bool) -> Mapping[str, Metric]:
        """Return the figures by name, those that grow beside the ones of the `first`, smallest run."""
        base = None if first is self else first
        return {
            "clusters registered": Metric(self.registered, "s"),
            "WorkerSliceGateways": Metric(self.load.pairs, ""),
            "empty to all written and reported": Metric(self.settling.seconds, "s"),
            "writes": Metric(self.settling.writes, ""),
            "writes per second": Metric(
                self.settling.rate, "/s", self.bare, WRITE_RATE if self.load.pairs >= JUDGED_FROM_PAIRS else None
            ),
            "a cluster joins a slice of all, p50": Metric(median(self.absorbed), "s", self.least),
            "a cluster joins a slice of all, p99": Metric(
                percentile(self.absorbed, 99), "s", budget=ABSORBED if is_largest else None
            ),
            "writes until it is absorbed": Metric(median([one.writes for one in self.joined]), ""),
            "a cluster leaves it, p50": Metric(median(self.left), "s"),
            "hub: memory, most": Metric(self.hub_mebibytes, "MiB", budget=MEMORY),
            "hub: processor time per write": Metric(1000 * self.settling.hub_seconds / self.settling.writes, "ms"),
            "hub: processor when idle": Metric(self.idling.hub_percent, "%"),
            "server: writes when idle": Metric(self.idling.writes, "/s"),
            **self._bytes_each(base),
            "worker: bytes for heartbeats meanwhile": Metric(self.settling.heartbeat, "B/s"),
            "worker: bytes when idle": _grown(
                median(self.idling.worker_bytes), median(base.idling.worker_bytes) if base else None, "B/s"
            ),
        }

    def _bytes_each(self, base: "Figures | None") -> Mapping[str, Metric]:
        """Return what a worker's objects cost it, all together, which is judged, and by kind, which says why."""
        own, first = self.settling, base.settling if base else None
        by_kind = {
            f"worker: bytes per {kind.kind}": Metric(
                own.bytes_each(kind.plural), "B", first.bytes_each(kind.plural) if first else None
            )
            for kind in GIVEN
        }
        return {
            "worker: bytes per object of its own": _grown(own.bytes_each(), first.bytes_each() if first else None),
            **by_kind,
        }


def _grown(value: float, smallest: float | None, unit: str = "B") -> Metric:
    return Metric(value, unit, smallest, COST if smallest is not None else None)
