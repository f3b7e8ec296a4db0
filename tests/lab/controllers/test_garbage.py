"""What becomes of an object when its owners go, as laws over everything that may be known of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers import garbage
from kubeslice.lab.controllers.census import custom_resource
from kubeslice.lab.controllers.garbage import Cascade, Delete, Keep, Orphan, Owner, Release, Unlink, judge
from kubeslice.model.resources import Resource

owners = st.dictionaries(st.sampled_from("abc"), st.sampled_from(Owner), max_size=3)


def made(
    uid: Any = "x", *, deleting: Any = False, finalizers: Any = (), owned_by: Any = (), blocking: Any = True
) -> Any:
    references = [{"uid": each, "blockOwnerDeletion": blocking} for each in owned_by]
    metadata = {"name": uid, "uid": uid, "finalizers": list(finalizers), "ownerReferences": references}
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata}


@given(owners)
def test_an_object_lives_while_one_owner_does(known: Any) -> None:
    verdict = judge(made(owned_by=known), known, [])
    lost = {uid for uid, owner in known.items() if owner is not Owner.SOLID}
    if not known or not lost:
        assert verdict == Keep()
    elif len(lost) < len(known):
        assert verdict == Unlink(frozenset(lost))
        assert {each["uid"] for each in garbage.without(made(owned_by=known), verdict.uids)} == known.keys() - lost
    else:
        assert isinstance(verdict, Delete)


@given(owners, st.booleans())
def test_nothing_is_deleted_twice(known: Any, has_finalizer: Any) -> None:
    leaving = made(deleting=True, finalizers=["example.com/x"] if has_finalizer else [], owned_by=known)
    assert judge(leaving, known, []) == Keep()


@pytest.mark.parametrize(
    ("obj", "known", "dependents", "verdict"),
    [
        (made(owned_by="a"), {"a": Owner.ABSENT}, [], Delete("Background")),
        (made(owned_by="a"), {"a": Owner.WAITING}, [made("d")], Delete("Foreground")),
        (made(owned_by="a"), {"a": Owner.WAITING}, [], Delete("Background")),
        (made(owned_by="a", finalizers=["orphan"]), {"a": Owner.ABSENT}, [], Delete("Orphan")),
        (made(owned_by="a", finalizers=["foregroundDeletion"]), {"a": Owner.ABSENT}, [], Delete("Foreground")),
        (made(deleting=True, finalizers=["orphan"]), {}, [made("d", owned_by="x")], Orphan()),
        (made(deleting=True, finalizers=["foregroundDeletion"]), {}, [made("d", owned_by="x")], Cascade()),
        (made(deleting=True, finalizers=["foregroundDeletion"]), {}, [], Release("foregroundDeletion")),
        (
            made(deleting=True, finalizers=["foregroundDeletion"]),
            {},
            [made("d", owned_by="x", blocking=False)],
            Release("foregroundDeletion"),
        ),
    ],
)
def test_verdicts(obj: Any, known: Any, dependents: Any, verdict: Any) -> None:
    assert judge(obj, known, dependents) == verdict


def test_a_custom_resource_is_followed_once_its_definition_is_established() -> None:
    definition = {
        "metadata": {"name": "slices.x.io"},
        "spec": {
            "group": "x.io",
            "scope": "Namespaced",
            "names": {"kind": "Slice", "plural": "slices"},
            "versions": [{"name": "v1", "served": False}, {"name": "v2", "served": True}],
        },
    }
    assert custom_resource(definition) is None
    definition["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
    assert custom_resource(definition) == Resource("x.io", "v2", "Slice", "slices")
