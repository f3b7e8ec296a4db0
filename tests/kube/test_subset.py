"""Comparing what is with what is wanted: no needless write, no missed one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.kube.subset import covers, has_surplus, is_applied

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_everything_covers_itself(value: Any) -> None:
    assert covers(value, value)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("xyz"), JSON))
def test_defaults_that_a_server_adds_are_no_difference(wanted: dict[str, Any], added: dict[str, Any]) -> None:
    assert covers({**wanted, **added}, wanted)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [({"a": 1}, {"a": 2}), ({}, {"a": 1}), ({"a": [1, 2]}, {"a": [1]}), ({"a": [{"b": 1}]}, {"a": [{"b": 2}]})],
)
def test_differences_are_seen(seen: Any, wanted: Any) -> None:
    assert not covers(seen, wanted)


def test_a_field_that_is_no_longer_wanted_is_surplus() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:a": {}, "f:b": {}}}
    assert has_surplus(fields, {"spec": {"a": 1}})
    assert not has_surplus(fields, {"spec": {"a": 1, "b": 2}})


def test_an_object_applied_by_somebody_else_is_not_ours_yet() -> None:
    seen = {"metadata": {"name": "x", "managedFields": [{"manager": "other", "operation": "Apply", "fieldsV1": {}}]}}
    assert not is_applied(seen, {"metadata": {"name": "x"}, "data": {}}, "kubeslice")
