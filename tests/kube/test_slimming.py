"""A slim object says the same as before to the manager that it is for, and takes less."""

import copy
from typing import Any

from kubeslice.kube import subset
from kubeslice.kube.slimming import Slimming

Object = dict[str, Any]
HUB, WORKER = "hub", "worker"


def entry(manager: str, fields: Object, operation: str = "Apply", subresource: str = "") -> Object:
    return {
        "manager": manager,
        "operation": operation,
        "time": "2026-01-01T00:00:00Z",
        "fieldsV1": fields,
        **({"subresource": subresource} if subresource else {}),
    }


def stored(name: str = "a") -> Object:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid of {name}",
            "resourceVersion": "7",
            "labels": {"slice": "red"},
            "managedFields": [
                entry(HUB, {"f:spec": {"f:subnet": {}, "f:members": {}}}),
                entry(HUB, {"f:status": {"f:ready": {}}}, subresource="status"),
                entry(WORKER, {"f:status": {"f:planes": {}}}, subresource="status"),
                entry("kubectl", {"f:metadata": {}}, operation="Update"),
            ],
        },
        "spec": {"subnet": "10.0.0.0/16", "members": [{"name": "x", "octet": 1}, {"name": "y", "octet": None}]},
        "status": {"ready": True, "planes": [0, 1], "message": "m" * 100},
    }


def test_nothing_but_the_fields_of_others_is_lost() -> None:
    slim, before = Slimming(HUB)(stored()), stored()
    assert [field["manager"] for field in slim["metadata"].pop("managedFields")] == [HUB, HUB]
    del before["metadata"]["managedFields"]
    assert slim == before


def test_whether_an_apply_would_change_something_is_known_as_before() -> None:
    slim = Slimming(HUB)(stored())
    spec = copy.deepcopy(stored()["spec"])
    for wanted, expected in (
        ({"metadata": {"name": "a"}, "spec": spec}, True),
        ({"metadata": {"name": "a"}, "spec": {**spec, "subnet": "10.1.0.0/16"}}, False),
        ({"metadata": {"name": "a"}, "spec": {"members": spec["members"]}}, False),
    ):
        assert subset.is_applied(slim, wanted, HUB) is subset.is_applied(stored(), wanted, HUB) is expected
    assert subset.is_applied(slim, {"status": {"ready": True}}, HUB, "status")


def test_what_repeats_is_kept_once() -> None:
    slimming = Slimming(HUB)
    one, other = slimming(stored("a")), slimming(stored("b"))
    assert one["metadata"]["managedFields"] is other["metadata"]["managedFields"]
    assert one["spec"]["subnet"] is other["spec"]["subnet"]
    assert one["metadata"]["labels"]["slice"] is other["metadata"]["labels"]["slice"]


def test_an_object_that_nobody_manages_stays_without_managers() -> None:
    assert "managedFields" not in Slimming(HUB)({"metadata": {"name": "a"}})["metadata"]
