"""The load of a scale bench is what it says, and its verdicts follow from the figures."""

import dataclasses
from collections import Counter

import pytest

from kubeslice.bench.hub_scale import Options, quick
from kubeslice.bench.scale.figures import Cost, Figures, Idling, Joined, Settling
from kubeslice.bench.scale.growth import Growth
from kubeslice.bench.scale.load import Load, cluster
from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.plan.checks import validation


def test_the_first_slice_has_all_clusters_and_the_others_are_spread() -> None:
    load = Load(clusters=10, slices=4, members=3)
    assert load.members_of(0) == load.cluster_names
    assert [len(load.members_of(number)) for number in range(4)] == [10, 3, 3, 3]
    assert len({member for number in (1, 2, 3) for member in load.members_of(number)}) == 9
    assert load.pairs == 10 * 9 + 3 * 3 * 2
    given = sum(load.objects().values(), Counter())
    assert given.total() == 2 * (10 * 10 + 3 * 3 * 3)
    assert given["workerslicegateways"] == given["secrets"] == load.pairs


@pytest.mark.parametrize("clusters", [3, 31, 100])
def test_every_slice_is_one_that_the_hub_accepts_with_one_cluster_more(clusters: int) -> None:
    load = Load(clusters, slices=3, members=2)
    specs: dict[str, SliceConfigSpec] = {}
    for number in range(load.slices):
        obj = load.slice_config(number)
        obj["spec"]["clusters"] = [*obj["spec"]["clusters"], load.spare]
        config = SliceConfig.parse({"apiVersion": "controller.kubeslice.io/v1alpha1", "kind": "SliceConfig", **obj})
        assert validation.slice_config(config.spec, config.metadata.name, specs, registered(load), []) == []
        specs[config.metadata.name] = config.spec


def registered(load: Load) -> dict[str, Cluster]:
    return {name: Cluster.parse(cluster(name)) for name in (*load.cluster_names, load.spare)}


def test_sizes_grow_to_the_one_asked_for() -> None:
    assert [load.clusters for load in Options(clusters=100).loads()] == [10, 30, 100]
    assert [load.clusters for load in Options(clusters=20).loads()] == [10, 20]
    assert all(load.members <= load.clusters for load in quick(Options()).loads())


def figures(clusters: int, writes: int, per_object: float, joined: float) -> Figures:
    cost = Cost(Counter(secrets=100), Counter(secrets=int(100 * per_object), clusters=50_000))
    settling = Settling(seconds=10.0, writes=writes, hub_seconds=5.0, costs=[cost] * clusters)
    idling = Idling(writes=1.0, worker_bytes=[100.0] * clusters, hub_percent=1.0)
    return Figures(Load(clusters, 12, 10), 1.0, settling, [Joined(joined, 50)], [0.1], idling, 100.0, bare=100.0)


def test_a_budget_counts_where_it_is_set() -> None:
    small, large = figures(10, 800, 1000.0, 3.0), figures(100, 800, 1100.0, 1.5)
    assert Growth("hub-scale", [small, large]).is_ok
    assert not Growth("hub-scale", [small, dataclasses.replace(large, joined=[Joined(2.5, 50)])]).is_ok
    assert not Growth("hub-scale", [small, figures(100, 600, 1100.0, 1.5)]).is_ok
    assert not Growth("hub-scale", [small, figures(100, 800, 1400.0, 1.5)]).is_ok
    assert not Growth("hub-scale", [small, dataclasses.replace(large, hub_mebibytes=301.0)]).is_ok


def test_the_bytes_of_a_worker_are_those_of_its_objects_and_each_kind_shows_its_part() -> None:
    views, keys = Counter(workerslicegateways=10, secrets=10), Counter(workerslicegateways=9000, secrets=1000)
    settling = Settling(10.0, 100, 5.0, [Cost(views, keys + Counter(clusters=7000))] * 3)
    shown = dataclasses.replace(figures(10, 800, 1000.0, 1.0), settling=settling)
    told = shown.metrics(shown, is_largest=True)
    assert told["worker: bytes per object of its own"].value == 500.0
    assert told["worker: bytes per WorkerSliceGateway"].value == 900.0
    assert told["worker: bytes for heartbeats meanwhile"].value == 700.0
    assert told["worker: bytes per WorkerServiceImport"].value == 0.0


def test_a_write_rate_is_judged_where_there_is_enough_to_write() -> None:
    few = dataclasses.replace(figures(10, 100, 1000.0, 1.0), load=Load(10, 1, 10))
    assert few.settling.rate / few.bare < 0.7
    assert Growth("hub-scale", [few]).is_ok


def test_a_join_is_shown_beside_the_bare_loop_for_as_many_writes() -> None:
    shown = figures(10, 800, 1000.0, 1.0).metrics(figures(10, 800, 1000.0, 1.0), is_largest=True)
    assert shown["a cluster joins a slice of all, p50"].baseline == 50 / 100.0


def test_the_report_has_a_column_for_each_number_of_clusters() -> None:
    growth = Growth("hub-scale", [figures(10, 800, 1000.0, 1.0), figures(100, 800, 1100.0, 1.5)])
    assert [str(column.header) for column in growth.table().columns][1:3] == ["10 clusters", "100 clusters"]
    assert [run["clusters"] for run in growth.wire()["runs"]] == [10, 100]
