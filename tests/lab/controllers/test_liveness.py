"""Silent nodes: what their objects say, and how long pods stay."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kubeslice.lab.controllers import evictions, liveness

NOW = "2026-01-01T00:01:00Z"
MOMENT = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
TAINT = {"key": liveness.UNREACHABLE, "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:50Z"}


def node(ready: str = "True", **spec: Any) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Mine", "status": "True"},
    ]
    return {"metadata": {"name": "n"}, "spec": spec, "status": {"conditions": conditions}}


def pod(*tolerations: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"tolerations": list(tolerations)}}


def tolerating(seconds: int | None) -> dict[str, Any]:
    found = {"key": liveness.UNREACHABLE, "operator": "Exists", "effect": "NoExecute"}
    return found | ({} if seconds is None else {"tolerationSeconds": seconds})


def test_a_silent_node_is_unknown_in_all_that_its_kubelet_said() -> None:
    found = {entry["type"]: entry for entry in liveness.doubted(node(), NOW)}
    assert {kind: found[kind]["status"] for kind in liveness.DOUBTED} == dict.fromkeys(liveness.DOUBTED, "Unknown")
    assert found["Ready"]["lastTransitionTime"] == NOW
    assert found["Mine"] == {"type": "Mine", "status": "True"}


def test_doubt_does_not_move_its_own_beginning() -> None:
    again = liveness.doubted(node("Unknown"), NOW)
    ready = next(entry for entry in again if entry["type"] == "Ready")
    assert ready["lastTransitionTime"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (node(), []),
        (node(unschedulable=True), [(liveness.UNSCHEDULABLE, "NoSchedule")]),
        (node("Unknown"), [(liveness.UNREACHABLE, "NoSchedule"), (liveness.UNREACHABLE, "NoExecute")]),
        (node("False"), [(liveness.NOT_READY, "NoSchedule"), (liveness.NOT_READY, "NoExecute")]),
    ],
)
def test_taints_follow_from_the_state(seen: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert [(taint["key"], taint["effect"]) for taint in liveness.taints(seen, NOW)] == wanted


def test_taints_of_others_stay_and_ours_keep_their_time() -> None:
    other = {"key": "mine", "effect": "NoSchedule"}
    seen = node("Unknown", taints=[TAINT, other])
    found = liveness.taints(seen, NOW)
    assert other in found
    assert TAINT in found
    assert liveness.taints(node("True", taints=found), NOW) == [other]


@pytest.mark.parametrize(
    ("tolerations", "left"),
    [
        ((), 0.0),
        ((tolerating(None),), None),
        ((tolerating(30),), 20.0),
        ((tolerating(30), tolerating(15)), 5.0),
        ((tolerating(5),), 0.0),
        (({"operator": "Exists"},), None),
    ],
)
def test_pods_stay_as_long_as_they_tolerate(tolerations: tuple[dict[str, Any], ...], left: float | None) -> None:
    assert evictions.seconds_left(pod(*tolerations), [TAINT], MOMENT) == left


def test_without_taints_pods_stay() -> None:
    assert evictions.seconds_left(pod(), [], MOMENT) is None


def test_pods_of_a_silent_node_are_not_ready() -> None:
    seen = pod() | {
        "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "True"}]}
    }
    found = liveness.unready(seen, NOW)
    assert found is not None
    assert {entry["type"]: entry["status"] for entry in found} == {"Other": "True", "Ready": "False"}
    assert liveness.unready(seen | {"status": {"conditions": found}}, NOW) is None
