"""What a kubelet does next, and what it says of a pod: tables, and the life of a pod step by step."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.kubelet import decisions, status
from kubeslice.lab.kubelet.decisions import Health, next_steps, phase
from kubeslice.lab.kubelet.records import Container
from kubeslice.lab.kubelet.status import View

NOW = 1000.0


def pod(policy: str = "Always", inits: tuple[Any, ...] = (), mains: tuple[str, ...] = ("main",)) -> dict[str, Any]:
    spec = {
        "restartPolicy": policy,
        "initContainers": [init if isinstance(init, dict) else {"name": init} for init in inits],
        "containers": [{"name": main} for main in mains],
    }
    return {"metadata": {"name": "p", "namespace": "n", "uid": "u", "generation": 1}, "spec": spec}


def record(name: str, state: str, code: int = 0, **more: Any) -> Container:
    return Container(name, f"id-{name}", "busybox", {}, state=state, exit_code=code, **more)  # type: ignore[arg-type]


def steps(subject: dict[str, Any], *records: Container, **healths: Health) -> decisions.Steps:
    return next_steps(subject, {each.name: each for each in records}, healths, NOW)


def test_init_containers_run_one_after_the_other() -> None:
    subject = pod(inits=("a", "b"))
    assert steps(subject).start == ("a",)
    assert steps(subject, record("a", "running")).start == ()
    assert steps(subject, record("a", "ended")).start == ("b",)
    assert steps(subject, record("a", "ended"), record("b", "ended")).start == ("main",)


def test_a_sidecar_lets_others_start_when_it_has_started() -> None:
    subject = pod(inits=({"name": "side", "restartPolicy": "Always"},))
    side = record("side", "running")
    assert steps(subject, side, side=Health(started=False)).start == ()
    assert steps(subject, side).start == ("main",)
    assert steps(subject, record("side", "ended")).start == ("side",)


@pytest.mark.parametrize(
    ("policy", "code", "starts"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_restart_policies(policy: str, code: int, *, starts: bool) -> None:
    assert (steps(pod(policy), record("main", "ended", code)).start == ("main",)) is starts


def test_a_failed_container_waits() -> None:
    late = record("main", "ended", 1, retry_at=NOW + 5)
    assert steps(pod(), late) == decisions.Steps((), NOW + 5)
    assert steps(pod(), record("main", "ended", 1, retry_at=NOW)).start == ("main",)


def test_waiting_grows_to_a_limit_and_is_forgotten() -> None:
    delays, last = [], record("main", "ended", 1)
    for _ in range(9):
        last.delay = decisions.delay_after(last, ran_for=1)
        delays.append(last.delay)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert decisions.delay_after(last, ran_for=601) == 1


@pytest.mark.parametrize(
    ("policy", "states", "expected"),
    [
        ("Always", {}, "Pending"),
        ("Always", {"main": ("starting", 0)}, "Pending"),
        ("Always", {"main": ("running", 0)}, "Running"),
        ("Always", {"main": ("ended", 0)}, "Running"),
        ("Never", {"main": ("ended", 0)}, "Succeeded"),
        ("Never", {"main": ("ended", 2)}, "Failed"),
        ("OnFailure", {"main": ("ended", 2)}, "Running"),
        ("OnFailure", {"main": ("ended", 0)}, "Succeeded"),
        ("Never", {"init": ("ended", 1)}, "Failed"),
    ],
)
def test_phases(policy: str, states: dict[str, tuple[str, int]], expected: str) -> None:
    records = {name: record(name, *state) for name, state in states.items()}
    assert phase(pod(policy, inits=("init",)), records) == expected


def render(subject: dict[str, Any], *records: Container, now: str = "T1", **more: Any) -> dict[str, Any]:
    view = View(subject, "172.31.1.11", None, {each.name: each for each in records}, more.pop("healths", {}), **more)
    return status.render(view, now, NOW)


def condition(rendered: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(entry for entry in rendered["conditions"] if entry["type"] == kind)


def test_a_running_pod_is_ready_when_its_probes_are_content() -> None:
    running = record("main", "running", started_at="T0")
    assert condition(render(pod(), running), "Ready")["status"] == "True"
    unready = render(pod(), running, healths={"main": Health(ready=False)})
    assert condition(unready, "Ready")["message"] == "containers with unready status: [main]"


def test_readiness_gates_hold_a_pod_back() -> None:
    subject = pod()
    subject["spec"]["readinessGates"] = [{"conditionType": "net/ready"}]
    rendered = render(subject, record("main", "running"))
    assert condition(rendered, "ContainersReady")["status"] == "True"
    assert condition(rendered, "Ready")["reason"] == "ReadinessGatesNotReady"
    subject["status"] = {"conditions": [{"type": "net/ready", "status": "True"}]}
    rendered = render(subject, record("main", "running"))
    assert condition(rendered, "Ready")["status"] == "True"
    assert condition(rendered, "net/ready") == {"type": "net/ready", "status": "True"}


def test_conditions_keep_their_time_until_they_change() -> None:
    subject = pod()
    subject["status"] = render(subject, now="T1")
    later = render(subject, now="T2")
    assert later == subject["status"]
    running = render(subject, record("main", "running"), now="T3")
    assert condition(running, "Ready")["lastTransitionTime"] == "T3"
    assert condition(running, "PodScheduled")["lastTransitionTime"] == "T1"


def test_states_as_kubectl_knows_them() -> None:
    crashed = record("main", "ended", 1, retry_at=NOW + 2, delay=2.0, restarts=3)
    state = render(pod(), crashed)["containerStatuses"][0]
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["restartCount"] == 3
    done = render(pod("Never"), record("main", "ended", retry_at=NOW + 2))["containerStatuses"][0]
    assert done["state"]["terminated"]["reason"] == "Completed"
    held = render(pod(), waiting={"main": ("ErrImagePull", "no such thing")})["containerStatuses"][0]
    assert held["state"] == {"waiting": {"reason": "ErrImagePull", "message": "no such thing"}}


RECORDS = st.builds(
    record,
    st.just("main"),
    st.sampled_from(["starting", "running", "ended"]),
    st.integers(0, 2),
    retry_at=st.floats(990, 1010),
    restarts=st.integers(0, 2),
)


@given(st.sampled_from(["Always", "OnFailure", "Never"]), RECORDS)
def test_a_pod_that_is_over_starts_nothing(policy: str, only: Container) -> None:
    if phase(pod(policy), {"main": only}) in {"Succeeded", "Failed"}:
        assert steps(pod(policy), only) == decisions.Steps()
