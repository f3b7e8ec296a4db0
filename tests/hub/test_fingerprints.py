"""Equal values have equal fingerprints, whatever else is different about them."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.hub import fingerprints

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_a_copy_has_the_same_fingerprint(value: Any) -> None:
    assert (
        fingerprints.of(value)
        == fingerprints.of(copy.deepcopy(value))
        == fingerprints.of(json.loads(json.dumps(value)))
    )


@given(plain, plain)
def test_another_value_has_another(one: Any, other: Any) -> None:
    assert (fingerprints.of(one) == fingerprints.of(other)) == (json.dumps(one) == json.dumps(other))


def test_an_intent_ignores_status_and_versions() -> None:
    obj = {"metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1, "labels": {"x": "y"}}}
    reported = {"metadata": {**obj["metadata"], "resourceVersion": "9", "finalizers": ["f"]}, "status": {"up": True}}
    assert fingerprints.intent(obj) == fingerprints.intent(reported)
    changes: list[dict[str, Any]] = [{"generation": 2}, {"labels": {}}, {"uid": "v"}, {"deletionTimestamp": "now"}]
    for change in changes:
        assert fingerprints.intent({"metadata": {**obj["metadata"], **change}}) != fingerprints.intent(obj)
