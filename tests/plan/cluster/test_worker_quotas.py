"""Which exports are too many, and what a slice uses in one cluster."""

from typing import Any

from kubeslice.model.quotas import QuotaPart
from kubeslice.plan.cluster import worker_quotas
from kubeslice.plan.cluster.worker_quotas import Export

PART = QuotaPart.model_validate(
    {"exportedServices": 3, "namespaces": [{"namespace": "shop", "exportedServices": 2}, {"namespace": "pay"}]}
)


def export(name: str, namespace: str = "shop", since: str = "1", *, refused: bool = False) -> Export:
    return Export(refused, since, namespace, name)


def test_the_oldest_keep_their_places() -> None:
    found = [export("c", since="3"), export("a", since="1"), export("b", since="2"), export("d", "pay", since="4")]
    assert worker_quotas.refusals(PART, found) == {("shop", "c"): "exportedServices is 2 for namespace shop"}
    more = [*found, export("e", "pay", since="5")]
    assert worker_quotas.refusals(PART, more)["pay", "e"] == "exportedServices is 3 for this cluster"
    assert worker_quotas.refusals(None, more) == {}


def test_a_newcomer_of_the_same_second_takes_nobodys_place() -> None:
    found = [export("z"), export("y"), export("a", refused=True)]
    assert set(worker_quotas.refusals(PART, found)) == {("shop", "a")}


def test_a_new_export_is_refused_with_the_limit_and_the_remedy() -> None:
    found = [export("z"), export("y")]
    (problem,) = worker_quotas.problems("red", PART, ("shop", "a"), found)
    assert problem.reason == "QuotaExceeded"
    assert "exportedServices is 2 for namespace shop on slice red" in problem.sentence
    assert "raise exportedServices in SliceResourceQuota red" in problem.sentence
    assert worker_quotas.problems("red", PART, ("pay", "a"), found) == []
    assert worker_quotas.problems("red", None, ("shop", "a"), found) == []


def test_only_exports_of_the_slice_from_its_own_namespaces_count() -> None:
    def obj(name: str, namespace: str, **more: Any) -> Any:
        return {"metadata": {"name": name, "namespace": namespace, **more}, "spec": {"slice": "red"}}

    going = obj("b", "shop", deletionTimestamp="now")
    counted = worker_quotas.exports_of("red", ["shop"], [obj("a", "shop"), going, obj("c", "other")])
    assert [one.key for one in counted] == [("shop", "a")]


def test_use_is_what_the_cluster_counts_and_the_exports_that_are_let_in() -> None:
    quota = {"metadata": {"namespace": "shop"}, "status": {"hard": {"pods": "4"}, "used": {"pods": "1"}}}
    exports = [export("a"), export("b"), export("c", refused=True)]
    lines = {line.namespace: line for line in worker_quotas.use(PART, [quota], exports).namespaces}
    assert lines["shop"].wire() == {
        "namespace": "shop", "hard": {"pods": "4"}, "used": {"pods": "1"}, "exportedServices": 2,
    }  # fmt: skip
    assert lines["pay"].exported_services == 0


def test_quotas_are_made_only_where_something_is_limited() -> None:
    part = QuotaPart.model_validate(
        {"namespaces": [{"namespace": "shop", "hard": {"pods": "4"}}, {"namespace": "pay"}]}
    )
    made = worker_quotas.resource_quotas("red", part, ["shop", "pay", "new"])
    assert [(one["metadata"]["namespace"], one["spec"]["hard"]) for one in made] == [("shop", {"pods": "4"})]
    assert worker_quotas.resource_quotas("red", None, ["shop"]) == []
