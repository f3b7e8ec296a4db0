from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeslice.plan.cluster import rollouts

NAMES = ["router-0", "router-1", "gateway-0", "gateway-1"]
NOW = datetime(2030, 1, 1, 0, 10, tzinfo=UTC)


def deployment(*, ready: int = 1, available: int = 1, updated: int = 1, observed: int = 2) -> Any:
    status = {
        "replicas": 1,
        "readyReplicas": ready,
        "availableReplicas": available,
        "updatedReplicas": updated,
        "observedGeneration": observed,
    }
    return {"metadata": {"generation": 2}, "status": status}


def held(differing: Any, unsteady: str = "", **changed: Any) -> set[str]:
    seen = {name: deployment() for name in NAMES} | {name.replace("_", "-"): obj for name, obj in changed.items()}
    return set(rollouts.release(NAMES, differing, seen, unsteady).held)


def test_one_changes_and_the_others_wait() -> None:
    assert held(NAMES) == {"router-1", "gateway-0", "gateway-1"}
    assert held(["gateway-0", "gateway-1"]) == {"gateway-1"}
    assert held(["gateway-1"]) == set()
    assert held([]) == set()


@pytest.mark.parametrize(
    "router",
    [
        deployment(ready=0, available=0),
        deployment(available=0),
        deployment(updated=0),
        deployment(observed=1),
        {"metadata": {"generation": 1}},
    ],
)
def test_the_next_one_changes_when_the_one_before_has_been_ready_for_a_while(router: Any) -> None:
    assert held(["gateway-0", "gateway-1"], router_0=router) == {"gateway-0", "gateway-1"}


def test_what_does_not_run_changes_at_once_and_holds_the_others_up() -> None:
    broken = deployment(ready=0, available=0)
    assert held(["gateway-0", "gateway-1"], gateway_1=broken) == {"gateway-0"}


def test_what_does_not_exist_yet_is_made_at_once() -> None:
    assert rollouts.release(NAMES, NAMES, {}, "").held == frozenset()


def test_a_tunnel_that_is_not_back_holds_the_next_one_up_and_is_named() -> None:
    seen = {name: deployment() for name in NAMES}
    found = rollouts.release(NAMES, ["gateway-1"], seen, "the tunnel of plane 0 to b to be up")
    assert found.held == {"gateway-1"}
    assert found.waiting == "gateway-1 waits for the tunnel of plane 0 to b to be up"


def gateway_pod(plane: int, age: float) -> Any:
    since = (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
    return {
        "metadata": {"name": f"gw-{plane}", "labels": {"kubeslice.io/plane": str(plane)}},
        "status": {"conditions": [ready]},
    }


def gateway(**states: Any) -> Any:
    planes = [{"plane": int(key[1:]), "state": state, "podName": pod} for key, (state, pod) in states.items()]
    return {"spec": {"remoteCluster": "b"}, "status": {"planes": planes}}


@pytest.mark.parametrize(
    ("age", "state", "pod", "is_missing"),
    [
        (5, "UP", "gw-0", False),
        (5, "DOWN", "gw-0", True),
        (5, "UP", "its predecessor", True),
        (70, "DOWN", "gw-0", False),
    ],
)
def test_a_young_gateway_is_given_a_minute_to_have_its_tunnels(
    age: float, state: str, pod: str, is_missing: bool
) -> None:
    gateways = [gateway(p0=(state, pod), p1=("UP", "gw-1"))]
    found = rollouts.missing_tunnel(gateways, [gateway_pod(0, age), gateway_pod(1, 500)], NOW)
    assert bool(found) is is_missing


BOTH = {0: "gw-0", 1: "gw-1"}


@pytest.mark.parametrize(
    ("changing", "tunnels", "held", "reason"),
    [
        (BOTH, {"b": {0: "UP", 1: "UP"}}, {"gw-1"}, "gw-0 to be reached anew"),
        ({1: "gw-1"}, {"b": {0: "UP", 1: "UP"}}, set(), ""),
        ({1: "gw-1"}, {"b": {0: "DOWN", 1: "UP"}}, {"gw-1"}, "the tunnel of plane 0 to b to be up"),
        ({1: "gw-1"}, {"b": {1: "UP"}}, {"gw-1"}, "the tunnel of plane 0 to b to be up"),
        (BOTH, {"b": {0: "UP", 1: "DOWN"}}, {"gw-0"}, "gw-1 to be reached anew"),
        ({1: "gw-1"}, {"a": {0: "UP", 1: "UP"}, "b": {0: "DOWN", 1: "DOWN"}}, set(), ""),
        (BOTH, {}, {"gw-1"}, "gw-0 to be reached anew"),
    ],
)
def test_a_plane_is_exposed_anew_while_the_others_reach_whom_it_reaches(
    changing: Any, tunnels: Any, held: set[str], reason: str
) -> None:
    found = rollouts.exposure(changing, 2, tunnels, "")
    assert set(found.held) == held
    assert found.waiting.partition(" for ")[2] == reason


def test_no_plane_is_exposed_anew_while_something_else_moves_but_the_only_one_is_at_once() -> None:
    up = {"b": {0: "UP", 1: "UP"}}
    assert rollouts.exposure(BOTH, 2, up, "an upgrade").held == {"gw-0", "gw-1"}
    assert not rollouts.exposure({0: "gw-0"}, 1, {"b": {0: "UP"}}, "an upgrade").held
