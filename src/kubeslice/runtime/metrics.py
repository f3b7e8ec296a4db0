"""What processes count, and the text that Prometheus reads. Units are in the names, as its naming guide asks.

A registry is made in `main` and handed down, so that tests count in registries of their own. The client library at
hand is for web servers of all kinds: its import costs 40 ms of CPU, a quarter of the start of a gateway, for the few
lines of format below (docs/decisions/0015-metrics.md). Counters, gauges and histograms keep its names and arguments.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
Label = tuple[str, str]
Sample = tuple[str, Sequence[Label], float]  # suffix of the name, labels, value


class Number:
    """One value of a gauge or a counter."""

    def __init__(self) -> None:
        self._value = 0.0

    def set(self, value: float) -> None:
        """Replace the value."""
        self._value = float(value)

    def inc(self, amount: float = 1.0) -> None:
        """Add to the value."""
        self._value += amount

    def samples(self) -> Iterator[Sample]:
        """Yield what there is to tell."""
        yield "", (), self._value


class Distribution:
    """One series of a histogram: how many observations were at most as large as each bound, their sum and number."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count an observation."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[Sample]:
        """Yield buckets, number and sum."""
        total = 0
        for bound, total in zip((*map(_number, self._bounds), "+Inf"), accumulate(self._counts), strict=True):
            yield "_bucket", (("le", bound),), total
        yield "_count", (), total
        yield "_sum", (), self._sum


S = TypeVar("S", Number, Distribution)


class Family(Generic[S]):
    """All series of one metric, by the values of its labels. One without labels is there from the start."""

    type = ""

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] = (), *, registry: "CollectorRegistry"
    ) -> None:
        self.name = name
        self.documentation = documentation
        self.label_names = tuple(labels)
        self._series: dict[tuple[str, ...], S] = {}
        registry.families.append(self)
        if not labels:
            self.labels()

    def labels(self, *values: str) -> S:
        """Return the series of these values, in the order of the labels' names."""
        if len(values) != len(self.label_names):
            raise ValueError(f"{self.name} has the labels {self.label_names}, not {values}")
        return self._series.get(values) or self._series.setdefault(values, self._new())

    def remove(self, *values: str) -> None:
        """Forget the series of these values, if there is one."""
        self._series.pop(values, None)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the exposition."""
        yield f"# HELP {self.name} {_escaped(self.documentation)}"
        yield f"# TYPE {self.name} {self.type}"
        for values, series in self._series.items():
            own: list[Label] = sorted(zip(self.label_names, values, strict=True))
            samples: Iterator[Sample] = series.samples()
            for suffix, more, value in samples:
                yield f"{self.name}{suffix}{_braces((*own, *more))} {_number(value)}"

    def _new(self) -> S:
        raise NotImplementedError


class Gauge(Family[Number]):
    """A value that goes up and down."""

    type = "gauge"

    def set(self, value: float) -> None:
        """Replace the value of a gauge without labels."""
        self.labels().set(value)

    def _new(self) -> Number:
        return Number()


class Counter(Family[Number]):
    """A value that only goes up; its name ends in `_total`."""

    type = "counter"

    def inc(self, amount: float = 1.0) -> None:
        """Add to a counter without labels."""
        self.labels().inc(amount)

    def _new(self) -> Number:
        return Number()


class Histogram(Family[Distribution]):
    """How observations are distributed over `buckets`, by their upper bounds."""

    type = "histogram"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = SECONDS,
        registry: "CollectorRegistry",
    ) -> None:
        self._buckets = buckets
        super().__init__(name, documentation, labels, registry=registry)

    def observe(self, value: float) -> None:
        """Count an observation of a histogram without labels."""
        self.labels().observe(value)

    def _new(self) -> Distribution:
        return Distribution(self._buckets)


class CollectorRegistry:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.families: list[Family[Number] | Family[Distribution]] = []


class ControllerMetrics:
    """Counts and times of reconciles, by controller."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reconciles = Counter(
            "kubeslice_reconciles_total", "Reconciles by outcome.", ["controller", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "kubeslice_reconcile_duration_seconds", "Time of one reconcile.", ["controller"], registry=registry
        )
        self.waiting = Gauge(
            "kubeslice_queue_length", "Keys that wait for a reconcile.", ["controller"], registry=registry
        )


def render(registry: CollectorRegistry) -> bytes:
    """Return the exposition text of all metrics."""
    return "".join(f"{line}\n" for family in registry.families for line in family.lines()).encode()


def _braces(labels: Sequence[Label]) -> str:
    inner = ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return repr(float(value))
