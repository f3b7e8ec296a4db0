"""Reading reviews, preparing pods, answering."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model import names
from kubeslice.plan import admission
from kubeslice.plan.admission import BadReview, Review, Verdict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = ["uid", "resource", "operation", "namespace", "name", "object", "oldObject"]


def review(**request: Any) -> bytes:
    known = {"uid": "u", "operation": "CREATE", "resource": {"group": "", "version": "v1", "resource": "pods"}}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "request": {**known, **request}}).encode()


@given(st.binary(max_size=200))
def test_bytes_are_a_review_or_a_bad_review(body: bytes) -> None:
    with pytest.raises(BadReview):
        admission.read_review(body)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_json_is_a_review_or_a_bad_review(changes: dict[str, Any]) -> None:
    try:
        read = admission.read_review(review(**changes))
    except BadReview:
        return
    assert read.uid
    assert isinstance(read.object, dict)
    assert isinstance(read.name, str)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"request": 5}', b"[" * 100_000, b"\xff"])
def test_a_bad_review_says_what_is_wrong(body: bytes) -> None:
    with pytest.raises(BadReview, match=r"\w"):
        admission.read_review(body)


def patched(pod: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply `add` and `remove` of RFC 6902 to mappings and lists."""
    result = copy.deepcopy(pod)
    for operation in operations:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        holder: Any = result
        for part in path:
            holder = holder[part]
        if operation["op"] == "remove":
            del holder[last]
        elif isinstance(holder, list):
            holder.insert(int(last), operation["value"])
        else:
            holder[last] = operation["value"]
    return result


LABELS = st.none() | st.dictionaries(
    st.sampled_from(["app", names.SLICE_LABEL, names.POD_TYPE_LABEL, names.OVERLAY_ADDRESS_LABEL]), st.just("x")
)
CONTAINERS = st.none() | st.lists(st.sampled_from([{"name": "one"}, {"name": names.INIT_CONTAINER}]), max_size=2)


@given(labels=LABELS, init=CONTAINERS)
def test_a_prepared_pod_waits_first_and_needs_no_second_preparation(labels: Any, init: Any) -> None:
    pod: dict[str, Any] = {"metadata": {}, "spec": {"containers": [{"name": "app"}]}}
    if labels is not None:
        pod["metadata"]["labels"] = labels
    if init is not None:
        pod["spec"]["initContainers"] = init
    once = patched(pod, admission.pod_patch(pod, "red", "image"))
    assert [c["name"] for c in once["spec"]["initContainers"]].count(names.INIT_CONTAINER) >= 1
    if {"name": names.INIT_CONTAINER} not in (init or []):
        assert once["spec"]["initContainers"][0]["args"] == ["run", "wait"]
    assert once["metadata"]["labels"][names.SLICE_LABEL] == "red"
    assert once["metadata"]["labels"][names.POD_TYPE_LABEL] == "app"
    assert names.OVERLAY_ADDRESS_LABEL not in once["metadata"]["labels"]
    assert admission.pod_patch(once, "red", "image") == []


@pytest.mark.parametrize(
    "pod",
    [
        {"metadata": {}, "spec": {"hostNetwork": True}},
        {"metadata": {"labels": {names.EXCLUDE_LABEL: "true"}}, "spec": {}},
    ],
)
def test_pods_that_cannot_or_do_not_want_to_join_stay_as_they_are(pod: dict[str, Any]) -> None:
    assert admission.pod_patch(pod, "red", "image") == []


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([{"cpu": "500m"}, {"cpu": 2}], "2"),
        ([{"cpu": "500m", "memory": "1Gi"}], "500m"),
        ([{"cpu": "500m"}, {"memory": "1Gi"}], None),
        ([{}], None),
    ],
)
def test_who_waits_is_limited_where_all_others_are(limits: list[dict[str, Any]], expected: str | None) -> None:
    pod = {"metadata": {}, "spec": {"containers": [{"name": "app", "resources": {"limits": each}} for each in limits]}}
    once = patched(pod, admission.pod_patch(pod, "red", "image"))
    assert once["spec"]["initContainers"][0]["resources"]["limits"].get("cpu") == expected


def test_answers_carry_the_uid_and_one_of_refusal_and_patch() -> None:
    asked = Review("u", "", "pods", "CREATE", "ns", "p")
    refusal = admission.answer(asked, Verdict(problems=["a", "b"], patch=[{"op": "remove", "path": "/x"}]))["response"]
    assert (refusal["uid"], refusal["allowed"], refusal["status"]["message"]) == ("u", False, "a; b")
    assert "patch" not in refusal
    permission = admission.answer(asked, Verdict(patch=[{"op": "remove", "path": "/x"}], warnings=["w"]))["response"]
    assert json.loads(base64.b64decode(permission["patch"])) == [{"op": "remove", "path": "/x"}]
    assert (permission["allowed"], permission["warnings"]) == (True, ["w"])
