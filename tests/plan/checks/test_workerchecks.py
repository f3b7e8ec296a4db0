"""What a worker may change of the hub's objects."""

from typing import Any

import pytest

from kubeslice.plan.checks import validation

WORKER = "system:serviceaccount:kubeslice-shop:kubeslice-rbac-worker-west"
OLD: dict[str, Any] = {
    "metadata": {"name": "red-west", "labels": {"a": "1"}, "resourceVersion": "1", "managedFields": [1]},
    "spec": {"octet": 1},
}


def changed(**metadata: Any) -> dict[str, Any]:
    return {**OLD, "metadata": {**OLD["metadata"], **metadata}}


@pytest.mark.parametrize(
    ("user", "new", "fields"),
    [
        (WORKER, changed(finalizers=["x"], resourceVersion="2", managedFields=[2]), []),
        (WORKER, {**OLD, "spec": {"octet": 2}}, ["spec"]),
        (WORKER, changed(labels={}), ["metadata.labels"]),
        (WORKER, changed(ownerReferences=[{}]), ["metadata.ownerReferences"]),
        (WORKER, changed(annotations={"a": "b"}), ["metadata.annotations"]),
        ("system:serviceaccount:kubeslice-controller:kubeslice-hub", {**OLD, "spec": {}}, []),
        ("system:serviceaccount:other:kubeslice-rbac-worker-west", {**OLD, "spec": {}}, []),
        ("admin", changed(labels={}), []),
    ],
)
def test_a_worker_changes_finalizers_and_nothing_else(user: str, new: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in validation.worker_update(user, OLD, new)] == fields


@pytest.mark.parametrize(
    ("wanted", "granted", "is_fine"),
    [
        (600, 600, True),
        (86_400, 600, True),
        (86_401, 600, False),
        (700_000, 700_000, True),
        (700_001, 700_000, False),
    ],
)
def test_no_token_of_a_worker_outlives_those_that_it_renews(wanted: int, granted: int, is_fine: bool) -> None:
    assert (not validation.worker_token(wanted, granted)) == is_fine
