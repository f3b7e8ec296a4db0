"""StatefulSets: names that stay, up in order, down and updates backwards, one at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers import stateful
from kubeslice.lab.controllers.kinds import STATEFULSETS
from kubeslice.model.resources import SERVICES
from tests.lab.controllers.cluster import Cluster
from tests.lab.controllers.made import deployment, service

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def statefulset(replicas: int = 3, **spec: Any) -> Any:
    made = deployment("web", replicas, serviceName="web", **spec)
    made["kind"] = "StatefulSet"
    made["metadata"]["uid"] = "s1"
    return made


def running(workload: Any, number: int, *, ready: bool = True) -> Any:
    made = stateful.pod(workload, number)
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {**made, "status": {"phase": "Running", "conditions": [condition]}}


def names(change: stateful.Change) -> list[str]:
    return [each["metadata"]["name"] for each in change.delete]


@given(st.integers(0, 4), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_one_step_at_a_time_and_never_past_an_unwell_pod(wanted: int, present: set[int], unready: set[int]) -> None:
    workload = statefulset(wanted)
    owned = [running(workload, number, ready=number not in unready) for number in sorted(present)]
    change = stateful.change(workload, owned, NOW)
    assert len(change.create) + len(change.delete) <= 1
    for number in change.create:
        assert all(lower in present - unready for lower in range(number))
    if change.delete:
        assert names(change) == [f"web-{max(present)}"]
        assert max(present) >= wanted
        assert not unready & set(range(wanted))


@given(st.integers(0, 4), st.integers(0, 4))
def test_any_number_is_reached_from_any_other(before: int, after: int) -> None:
    workload = statefulset(after)
    owned = {number: running(workload, number) for number in range(before)}
    for _ in range(10):
        change = stateful.change(workload, list(owned.values()), NOW)
        owned |= {number: running(workload, number) for number in change.create}
        for name in names(change):
            del owned[int(name.rpartition("-")[2])]
    assert sorted(owned) == list(range(after))


def test_an_update_goes_backwards_waits_and_heeds_the_partition() -> None:
    old = statefulset(3)
    owned = [running(old, number) for number in range(3)]
    new = statefulset(3, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}})
    new["spec"]["template"]["metadata"]["annotations"] = {"version": "2"}
    assert names(stateful.change(new, owned, NOW)) == ["web-2"]
    owned[2] = running(new, 2, ready=False)
    assert stateful.change(new, owned, NOW) == stateful.Change()
    owned[2] = running(new, 2)
    assert names(stateful.change(new, owned, NOW)) == ["web-1"]
    owned[1] = running(new, 1)
    assert stateful.change(new, owned, NOW) == stateful.Change()
    found = stateful.status(new, owned, NOW)
    assert (found["updatedReplicas"], found["availableReplicas"]) == (2, 3)


def test_parallel_pods_come_and_go_together() -> None:
    workload = statefulset(3, podManagementPolicy="Parallel")
    assert stateful.change(workload, [], NOW).create == (0, 1, 2)
    owned = [running(workload, number, ready=False) for number in range(5)]
    assert names(stateful.change(workload, owned, NOW)) == ["web-4", "web-3"]


def test_a_broken_update_can_be_replaced_by_the_next() -> None:
    broken = statefulset(1)
    fixed = statefulset(1)
    fixed["spec"]["template"]["metadata"]["annotations"] = {"version": "2"}
    assert names(stateful.change(fixed, [running(broken, 0, ready=False)], NOW)) == ["web-0"]


@pytest.mark.api
async def test_pods_of_a_stateful_set_have_names_that_stay(cluster: Cluster) -> None:
    await cluster.api.create(SERVICES, service(clusterIP="None"))
    await cluster.api.create(STATEFULSETS, statefulset(2))

    async def ready() -> Any:
        status = (await cluster.api.get(STATEFULSETS, "web", "default")).get("status") or {}
        return status.get("readyReplicas") == 2

    await cluster.eventually(ready)
    found = await cluster.pods(app="web")
    assert [(each["metadata"]["name"], each["spec"]["hostname"], each["spec"]["subdomain"]) for each in found] == [
        ("web-0", "web-0", "web"),
        ("web-1", "web-1", "web"),
    ]
