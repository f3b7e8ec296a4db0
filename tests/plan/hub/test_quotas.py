"""How the limits of a slice are shared out, and what cannot be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.sliceresourcequota import SliceResourceQuotaSpec
from kubeslice.plan import quantities
from kubeslice.plan.checks import quotachecks
from kubeslice.plan.hub import quotas

TWO = {"a": ["shop", "pay"], "b": ["shop"]}


def quota(**spec: Any) -> SliceResourceQuotaSpec:
    return SliceResourceQuotaSpec.model_validate(spec)


def hard(division: quotas.Division) -> dict[str, dict[str, str]]:
    return {f"{share.cluster}/{share.namespace}": quotas.written(share.hard) for share in division.shares}


@pytest.mark.parametrize(
    ("resource", "text", "amount", "shortest"),
    [
        ("requests.cpu", "2", 2000, "2"),
        ("requests.cpu", "250m", 250, "250m"),
        ("limits.cpu", "1.5", 1500, "1500m"),
        ("limits.memory", "4Gi", 4 * 2**30, "4Gi"),
        ("requests.memory", "1536Mi", 1536 * 2**20, "1536Mi"),
        ("requests.memory", "1G", 10**9, "1000000000"),
        ("requests.memory", "0", 0, "0"),
        ("pods", "7", 7, "7"),
    ],
)
def test_quantities_are_whole_numbers(resource: str, text: str, amount: int, shortest: str) -> None:
    assert quantities.parse(resource, text) == amount
    assert quantities.render(resource, amount) == shortest
    assert quantities.parse(resource, shortest) == amount


@pytest.mark.parametrize("text", ["", "lots", "-1", "1 Gi", "1gi", "٣"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert quantities.parse("requests.memory", text) is None


def test_what_the_slice_has_is_shared_out_evenly_where_nobody_has_an_entry() -> None:
    division = quotas.divide(quota(sliceQuota={"requests": {"cpu": 3, "memory": "3Gi"}, "pods": 7}), TWO)
    assert {name: quotas.written(found) for name, found in division.clusters.items()} == {
        "a": {"pods": "4", "requests.cpu": "1500m", "requests.memory": "1536Mi"},
        "b": {"pods": "3", "requests.cpu": "1500m", "requests.memory": "1536Mi"},
    }
    assert hard(division) == {
        "a/pay": {"pods": "2", "requests.cpu": "750m", "requests.memory": "768Mi"},
        "a/shop": {"pods": "2", "requests.cpu": "750m", "requests.memory": "768Mi"},
        "b/shop": {"pods": "3", "requests.cpu": "1500m", "requests.memory": "1536Mi"},
    }
    assert all(share.fair == {"pods", "requests.cpu", "requests.memory"} for share in division.shares)


def test_an_entry_wins_and_the_others_share_what_is_left() -> None:
    spec = quota(
        sliceQuota={"pods": 20, "exportedServices": 5, "bandwidthCeilingKbps": 900},
        clusterQuota=[{"cluster": "b", "pods": 4, "bandwidthCeilingKbps": 1000}],
        namespaceQuota=[{"namespace": "shop", "pods": 3, "exportedServices": 1, "clusters": ["a"]}],
    )
    division = quotas.divide(spec, TWO)
    assert hard(division) == {
        "a/pay": {"pods": "13"},
        "a/shop": {"exportedServices": "1", "pods": "3"},
        "b/shop": {"pods": "4"},
    }
    part = division.part("a")
    assert (part.exported_services, part.bandwidth_ceiling_kbps) == (3, 900)
    assert [(one.namespace, one.hard, one.exported_services) for one in part.namespaces] == [
        ("pay", {"pods": "13"}, None),
        ("shop", {"pods": "3"}, 1),
    ]
    assert division.part("b").bandwidth_ceiling_kbps == 900


def test_every_cluster_without_an_entry_has_that_of_all() -> None:
    spec = quota(clusterQuota=[{"cluster": "*", "pods": 4}, {"cluster": "b", "exportedServices": 2}])
    division = quotas.divide(spec, TWO)
    assert division.clusters == {"a": {"pods": 4}, "b": {"pods": 4, "exportedServices": 2}}


amount = st.integers(0, 12)
members = st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from("xyz"), unique=True), max_size=3)
entries = st.dictionaries(st.sampled_from("xyz"), amount, max_size=3)


@given(members, st.none() | amount, st.dictionaries(st.sampled_from("abc"), amount), entries)
def test_together_nobody_gets_more_than_there_is(
    found: dict[str, list[str]], total: int | None, clusters: dict[str, int], named: dict[str, int]
) -> None:
    spec = quota(
        sliceQuota={"pods": total} if total is not None else None,
        clusterQuota=[{"cluster": name, "pods": pods} for name, pods in clusters.items()],
        namespaceQuota=[{"namespace": name, "pods": pods} for name, pods in named.items()],
    )
    if quotachecks.slice_resource_quota(spec, "red", found, None):
        return
    division = quotas.divide(spec, found)
    sums = {
        cluster: sum(share.hard.get("pods", 0) for share in division.shares if share.cluster == cluster)
        for cluster in found
    }
    if total is not None:
        assert sum(sums.values()) <= total
        assert sum(given.get("pods", 0) for given in division.clusters.values()) <= total
    for cluster, given_there in division.clusters.items():
        if "pods" in given_there:
            assert sums[cluster] <= given_there["pods"]
        # Everything is given away where somebody could take it: a share is fair, not stingy.
        if "pods" in given_there and any(share.fair and share.cluster == cluster for share in division.shares):
            assert sums[cluster] == given_there["pods"]
    for share in division.shares:
        if share.namespace in named:
            assert share.hard["pods"] == named[share.namespace]


@pytest.mark.parametrize(
    ("spec", "field", "reason", "words"),
    [
        ({"sliceQuota": {"requests": {"cpu": "lots"}}}, "spec.sliceQuota", "InvalidQuantity", "lots"),
        (
            {"sliceQuota": {"requests": {"cpu": 3}, "limits": {"cpu": "2500m"}}},
            "spec.sliceQuota",
            "RequestsAboveLimits",
            "requests.cpu is 3",
        ),
        ({"clusterQuota": [{"cluster": "x", "pods": 1}]}, "spec.clusterQuota", "UnknownCluster", "x"),
        (
            {"namespaceQuota": [{"namespace": "shop", "clusters": ["x"]}]},
            "spec.namespaceQuota",
            "UnknownCluster",
            "x",
        ),
        ({"namespaceQuota": [{"namespace": "nix", "pods": 1}]}, "spec.namespaceQuota", "UnknownNamespace", "nix"),
        (
            {"sliceQuota": {"pods": 5}, "clusterQuota": [{"cluster": "*", "pods": 3}]},
            "spec.sliceQuota",
            "SumAboveQuota",
            "add up to 6",
        ),
        (
            {"clusterQuota": [{"cluster": "a", "pods": 5}], "namespaceQuota": [{"namespace": "shop", "pods": 6}]},
            "spec.clusterQuota",
            "SumAboveQuota",
            "in cluster a",
        ),
        (
            {"sliceQuota": {"requests": {"memory": "3Gi"}},
             "namespaceQuota": [{"namespace": "shop", "requests": {"memory": "2Gi"}}]},
            "spec.sliceQuota",
            "SumAboveQuota",
            "4Gi",
        ),
        ({"sliceQuota": {"bandwidthCeilingKbps": 600}}, "spec.sliceQuota", "BandwidthAboveProfile", "500"),
        (
            {"clusterQuota": [{"cluster": "a", "bandwidthCeilingKbps": 501}]},
            "spec.clusterQuota",
            "BandwidthAboveProfile",
            "500",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_said(spec: Any, field: str, reason: str, words: str) -> None:
    problems = quotachecks.slice_resource_quota(quota(**spec), "red", TWO, 500)
    assert [(problem.field, problem.reason) for problem in problems] == [(field, reason)]
    assert words in problems[0].sentence
    assert ":" in problems[0].sentence, "the remedy comes after a colon"


def test_what_fits_together_is_accepted() -> None:
    spec = quota(
        sliceQuota={"requests": {"cpu": 4}, "limits": {"cpu": 8}, "pods": 10, "bandwidthCeilingKbps": 500},
        clusterQuota=[{"cluster": "a", "pods": 6}, {"cluster": "*", "pods": 4}],
        namespaceQuota=[{"namespace": "shop", "pods": 4, "clusters": ["*"]}],
    )
    assert quotachecks.slice_resource_quota(spec, "red", TWO, 500) == []
    assert quotachecks.slice_resource_quota(quota(), "red", {}, None) == []
