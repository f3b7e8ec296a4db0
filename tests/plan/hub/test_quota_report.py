"""What a slice uses of what it may use, and what is said about it."""

from typing import Any

from kubeslice.model.quotas import QuotaUse
from kubeslice.model.sliceresourcequota import MAX_LISTED, SliceResourceQuotaSpec
from kubeslice.plan.hub import quota_report, quotas
from kubeslice.plan.hub.quota_report import Usage


def usage(members: dict[str, list[str]], told: dict[str, dict[str, str]], **spec: Any) -> Usage:
    """Return the usage of limits; `told` is what namespaces use, by `cluster/namespace`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for place, used in told.items():
        cluster, _, namespace = place.partition("/")
        found.setdefault(cluster, []).append({"namespace": namespace, "used": used, "exportedServices": 1})
    reports = {cluster: QuotaUse.model_validate({"namespaces": lines}) for cluster, lines in found.items()}
    return Usage(quotas.divide(SliceResourceQuotaSpec.model_validate(spec), members), reports)


def test_use_is_summed_up_and_the_fullest_named_first() -> None:
    seen = usage(
        {"a": ["shop", "pay"], "b": ["shop"]},
        {"a/shop": {"pods": "1"}, "b/shop": {"pods": "4", "requests.cpu": "250m"}},
        sliceQuota={"pods": 12},
    )
    told = quota_report.status(seen)
    assert told["used"] == {"exportedServices": "2", "pods": "5", "requests.cpu": "250m"}
    assert [line["used"].get("pods") for line in told["clusters"]] == ["1", "4"]
    assert [(line["cluster"], line["namespace"]) for line in told["namespaces"]] == [
        ("b", "shop"), ("a", "shop"), ("a", "pay"),
    ]  # fmt: skip
    assert told["fullest"] == "pods 67%"
    assert quota_report.ratios(seen) == {"pods": 5 / 12}
    assert [(one.type, one.status) for one in quota_report.judge(seen)] == [("Ready", "True"), ("WithinQuota", "True")]


def test_who_is_above_a_lowered_limit_is_named_and_nothing_else_happens() -> None:
    ready, within = quota_report.judge(usage({"a": ["shop"]}, {"a/shop": {"pods": "3"}}, clusterQuota=[
        {"cluster": "*", "pods": 2}]))  # fmt: skip
    assert (ready.status, within.status, within.reason) == ("True", "False", "QuotaExceeded")
    assert "cluster a uses 3 pods of 2; shop in a uses 3 pods of 2" in within.message


def test_a_share_of_nothing_is_told() -> None:
    ready, _ = quota_report.judge(usage({"a": ["shop", "pay"]}, {}, sliceQuota={"pods": 1}))
    assert "the even share of shop in a is nothing: raise the limits" in ready.message


def test_a_status_of_many_namespaces_stays_small() -> None:
    many = [f"n{number}" for number in range(MAX_LISTED + 50)]
    seen = usage({"a": many}, {"a/n299": {"pods": "1"}}, sliceQuota={"pods": 1000})
    listed = quota_report.status(seen)["namespaces"]
    assert len(listed) == MAX_LISTED
    assert listed[0]["namespace"] == "n299"
