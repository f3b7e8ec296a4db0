"""The ends of pairs are found by slice and cluster, as long as they are where and what they say."""

from typing import Any, cast

import pytest

from kubeslice.hub.ends import Ends
from kubeslice.hub.groups import SliceName
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.model.resources import WORKERSLICEGATEWAYS
from kubeslice.plan.hub.slices import slice_labels
from kubeslice.plan.tenants.tenancy import Member
from tests.kube.fake_collection import Collection

RED = SliceName("shop", "red")
HOMES = {Member("shop", cluster).namespace: Member("shop", cluster) for cluster in "abc"}


def view(local: str, remote: str, *, home: str = "", version: int = 1, **labels: str) -> Object:
    marks = slice_labels(Member("shop", local), "red") | {names.REMOTE_CLUSTER_LABEL: remote} | labels
    place = {"name": names.slice_gateway("red", local, remote), "namespace": f"kubeslice-shop-{home or local}"}
    return {"metadata": {**place, "uid": local + remote, "resourceVersion": str(version), "labels": marks}}


@pytest.fixture
def informer() -> Informer:
    return Informer(cast("Api", Collection()), WORKERSLICEGATEWAYS)


def test_each_end_is_found_while_it_is_there(informer: Informer) -> None:
    ends = Ends(informer, HOMES.get)
    for local, remote in ("ab", "ba", "ac"):
        informer._remember(view(local, remote))
    assert {local: sorted(row) for local, row in ends.rows(RED).items()} == {"a": ["b", "c"], "b": ["a"]}
    newer = view("a", "b", version=2)
    informer._remember(newer)
    assert ends.rows(RED)["a"]["b"] is newer
    for local, remote in ("ab", "ba", "ac"):
        informer._forget((f"kubeslice-shop-{local}", f"red-{local}-{remote}"), view(local, remote))
    assert ends.rows(RED) == {}
    assert list(ends.pairs(RED)) == []


LIES: list[dict[str, Any]] = [
    {"home": "c"},
    {names.REMOTE_CLUSTER_LABEL: "c"},
    {names.CLUSTER_LABEL: "c"},
    {names.ORIGINAL_SLICE_LABEL: "blue"},
    {names.PROJECT_LABEL: "other"},
]


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_where_or_what_it_says_is_not_found(informer: Informer, lie: dict[str, Any]) -> None:
    ends = Ends(informer, HOMES.get)
    told = view("a", "b", **lie)
    informer._remember(told)
    assert list(ends.pairs(RED)) == []
    if "home" not in lie:
        informer._remember(view("a", "b", version=2))
        assert [pair for pair, _ in ends.pairs(RED)] == [("a", "b")]
        informer._remember({"metadata": {**told["metadata"], "resourceVersion": "3"}})
        assert list(ends.pairs(RED)) == []
