"""What is counted reads back the same through Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

from kubeslice.runtime.metrics import CollectorRegistry, Counter, Gauge, Histogram, render

Reading = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(registry: CollectorRegistry) -> Reading:
    families = text_string_to_metric_families(render(registry).decode())
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for it in families for each in it.samples}


def test_counters_and_gauges_say_their_values_from_the_start() -> None:
    registry = CollectorRegistry()
    starts = Counter("starts_total", "Starts.", registry=registry)
    size = Gauge("size_bytes", "Size.", registry=registry)
    assert read(registry) == {("starts_total", ()): 0.0, ("size_bytes", ()): 0.0}
    starts.inc()
    starts.inc(2)
    size.set(1.5)
    assert read(registry) == {("starts_total", ()): 3.0, ("size_bytes", ()): 1.5}


def test_series_come_and_go_with_their_labels() -> None:
    registry = CollectorRegistry()
    up = Gauge("up", 'Whether a "thing" is up,\nsaid in \\ two lines.', ["cluster", "plane"], registry=registry)
    assert read(registry) == {}
    up.labels("west", "0").set(True)
    up.labels('odd "name"\\\n', "1").set(False)
    assert read(registry) == {
        ("up", (("cluster", "west"), ("plane", "0"))): 1.0,
        ("up", (("cluster", 'odd "name"\\\n'), ("plane", "1"))): 0.0,
    }
    up.remove("west", "0")
    up.remove("never", "there")
    assert list(read(registry)) == [("up", (("cluster", 'odd "name"\\\n'), ("plane", "1")))]


def test_a_histogram_counts_cumulatively_and_its_bounds_belong_to_their_buckets() -> None:
    registry = CollectorRegistry()
    seconds = Histogram("took_seconds", "Time.", ["what"], buckets=(0.1, 1), registry=registry)
    for value in (0.05, 0.1, 0.5, 3.0):
        seconds.labels("x").observe(value)
    what = ("what", "x")
    assert read(registry) == {
        ("took_seconds_bucket", (("le", "0.1"), what)): 2.0,
        ("took_seconds_bucket", (("le", "1.0"), what)): 3.0,
        ("took_seconds_bucket", (("le", "+Inf"), what)): 4.0,
        ("took_seconds_count", (what,)): 4.0,
        ("took_seconds_sum", (what,)): 3.65,
    }
