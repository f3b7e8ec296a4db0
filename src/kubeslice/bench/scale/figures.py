"""What was measured with one number of clusters, and how that reads beside the budgets. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import median, percentile
from kubeslice.bench.scale.load import Load

WRITE_RATE = Budget(Bound.AT_LEAST, 0.7, on_ratio=True)
# With less to write, hub and workers mostly wait for each other's answers.
JUDGED_FROM_PAIRS = 1000
ABSORBED = Budget(Bound.AT_MOST, 2.0)
MEMORY = Budget(Bound.AT_MOST, 300.0)
# What a worker costs may not follow the number of the others, measurement noise apart.
COST = Budget(Bound.AT_MOST, 1.3, on_ratio=True)


@dataclass(frozen=True)
class Settling:
    """From SliceConfigs applied to everything written and reported: what it took and what it cost."""

    seconds: float
    writes: int
    hub_seconds: float
    bytes_per_object: Sequence[float]

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
            "worker: bytes per object of its own": _grown(
                median(self.settling.bytes_per_object), median(base.settling.bytes_per_object) if base else None
            ),
            "worker: bytes when idle": _grown(
                median(self.idling.worker_bytes), median(base.idling.worker_bytes) if base else None, "B/s"
            ),
        }


def _grown(value: float, smallest: float | None, unit: str = "B") -> Metric:
    return Metric(value, unit, smallest, COST if smallest is not None else None)
