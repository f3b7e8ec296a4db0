"""Deployments and ReplicaSets: each step keeps the promises of its strategy, and the steps come to an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubeslice.lab.controllers import deployments, progress, replicas, rollout, templates
from tests.lab.controllers.made import deployment, pod

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Fleet:
    """ReplicaSets as the API would hold them, moved on by steps of the rollout and by pods that come up."""

    def __init__(self, wanted: Any) -> None:
        self.wanted = wanted
        self.sets: list[Any] = []

    def add(self, size: Any, *, ready: Any = 0) -> Any:
        made = deployments.replica_set(self.wanted, self.sets)
        made["metadata"]["uid"] = made["metadata"]["name"]
        made["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:{len(self.sets):02d}Z"
        made["spec"]["replicas"] = size
        made["status"] = {"replicas": size, "availableReplicas": ready, "readyReplicas": ready}
        self.sets.append(made)
        return made

    def change_template(self, value: Any) -> None:
        self.wanted["spec"]["template"]["metadata"]["annotations"] = {"version": value}

    def step(self) -> None:
        """One reconcile; the pods of the changed sizes exist at once but are not ready."""
        if rollout.current(self.wanted, self.sets) is None and rollout.may_create(self.wanted, self.sets, {}):
            self.add(rollout.first_size(self.wanted, self.sets))
        sizes = rollout.sizes(self.wanted, self.sets, {})
        for each in self.sets:
            size = sizes[each["metadata"]["name"]]
            each["spec"]["replicas"] = size
            each["status"] = {
                "replicas": size,
                "availableReplicas": min(size, each["status"]["availableReplicas"]),
            }

    def make_one_ready(self) -> Any:
        for each in self.sets:
            if each["status"]["availableReplicas"] < each["status"]["replicas"]:
                each["status"]["availableReplicas"] += 1
                return True
        return False

    @property
    def available(self) -> Any:
        return sum(each["status"]["availableReplicas"] for each in self.sets)

    @property
    def total(self) -> Any:
        return sum(each["spec"]["replicas"] for each in self.sets)


bounds = st.one_of(st.integers(0, 3), st.sampled_from(["0%", "25%", "50%", "100%"]))


@given(st.integers(0, 7), bounds, bounds)
def test_a_rolling_update_stays_within_its_limits_and_ends(count: Any, surge: Any, unavailable: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    fleet = Fleet(deployment(replicas=count, strategy=strategy))
    fleet.add(count, ready=count)
    fleet.change_template("2")
    limits = rollout.limits(fleet.wanted)
    for _ in range(60):
        fleet.step()
        assert fleet.total <= count + limits.surge
        assert fleet.available >= count - limits.unavailable
        fleet.make_one_ready()
    newest = rollout.current(fleet.wanted, fleet.sets)
    assert [each["spec"]["replicas"] for each in fleet.sets if each is not newest] == [0]
    assert newest is not None
    assert newest["spec"]["replicas"] == count


@given(st.integers(0, 5), st.integers(0, 5))
def test_scaling_alone_touches_only_the_current_set(before: Any, after: Any) -> None:
    fleet = Fleet(deployment(replicas=before))
    fleet.add(before, ready=before)
    fleet.wanted["spec"]["replicas"] = after
    fleet.step()
    assert [each["spec"]["replicas"] for each in fleet.sets] == [after]


def test_recreate_waits_until_the_old_pods_are_gone() -> None:
    wanted = deployment(replicas=2, strategy={"type": "Recreate"})
    fleet = Fleet(wanted)
    old = fleet.add(2, ready=2)
    fleet.change_template("2")
    owned = {old["metadata"]["uid"]: [pod("p", deleting=True)]}
    assert not rollout.may_create(wanted, fleet.sets, owned)
    assert rollout.sizes(wanted, fleet.sets, owned) == {old["metadata"]["name"]: 0}
    old["spec"]["replicas"], old["status"] = 0, {"replicas": 0}
    assert not rollout.may_create(wanted, fleet.sets, owned), (
        "a pod that is ending may still hold what the new one needs"
    )
    assert rollout.may_create(wanted, fleet.sets, {})
    assert rollout.first_size(wanted, fleet.sets) == 2


def test_going_back_to_an_old_template_takes_its_set_up_again() -> None:
    fleet = Fleet(deployment(replicas=1))
    first = fleet.add(0)
    fleet.change_template("2")
    fleet.add(1, ready=1)
    del fleet.wanted["spec"]["template"]["metadata"]["annotations"]
    assert rollout.current(fleet.wanted, fleet.sets) is first
    assert deployments.revision(first, fleet.sets) == "3"


def test_a_paused_deployment_rolls_nothing_but_scales() -> None:
    fleet = Fleet(deployment(replicas=2, paused=True))
    first = fleet.add(2, ready=2)
    fleet.change_template("2")
    assert not rollout.may_create(fleet.wanted, fleet.sets, {})
    fleet.wanted["spec"]["replicas"] = 4
    assert rollout.sizes(fleet.wanted, fleet.sets, {}) == {first["metadata"]["name"]: 4}


def test_history_beyond_the_limit_goes_oldest_first() -> None:
    fleet = Fleet(deployment(revisionHistoryLimit=1))
    old = []
    for version in range(4):
        fleet.change_template(str(version))
        old.append(fleet.add(0 if version < 3 else 2))
    assert rollout.surplus(fleet.wanted, fleet.sets) == old[:2]


@given(
    st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.dictionaries(st.text(max_size=3), st.text(max_size=3))
)
def test_fingerprints_differ_exactly_when_templates_differ(one: Any, other: Any) -> None:
    assert (templates.fingerprint(one) == templates.fingerprint(other)) == (one == other)
    assert set(templates.fingerprint(one)) <= set(templates.ALPHABET)


@given(st.integers(0, 5), st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=6))
def test_a_replica_set_comes_to_its_number_and_spares_what_works(wanted: Any, found: Any) -> None:
    owned = [
        pod(f"p{index}", on="n" if bound else "", ready=ready and bound, deleting=deleting)
        for index, (bound, ready, deleting) in enumerate(found)
    ]
    active = [each for each in owned if not each["metadata"].get("deletionTimestamp")]
    change = replicas.change(deployment(replicas=wanted), owned)
    assert len(active) + change.create - len(change.delete) == wanted
    assert not change.create or not change.delete
    kept = [each for each in active if each not in change.delete]
    if any(not is_ready(each) for each in kept):
        assert not any(is_ready(each) for each in change.delete)


def is_ready(each: Any) -> Any:
    return bool(each["status"].get("conditions"))


def test_a_pod_becomes_available_by_the_passing_of_time() -> None:
    wanted = deployment(minReadySeconds=10)
    ready = [pod("p", ready=True)]
    soon = NOW + timedelta(seconds=4)
    assert replicas.status(wanted, ready, soon).get("availableReplicas") is None
    assert replicas.next_look(wanted, ready, soon) == 6.0
    assert replicas.status(wanted, ready, NOW + timedelta(seconds=10))["availableReplicas"] == 1


def stamped(fleet: Any, now: Any) -> Any:
    fleet.wanted["metadata"]["generation"] = 1
    fleet.wanted["status"] = progress.status(fleet.wanted, fleet.sets, now)
    return {each["type"]: each for each in fleet.wanted["status"]["conditions"]}


def test_a_rollout_that_stands_still_exceeds_its_deadline_and_recovers() -> None:
    fleet = Fleet(deployment(replicas=1, progressDeadlineSeconds=60))
    fleet.add(1)
    assert stamped(fleet, NOW)["Progressing"]["reason"] == "ReplicaSetUpdated"
    assert progress.deadline(fleet.wanted, NOW) == 60
    later = NOW + timedelta(seconds=61)
    assert stamped(fleet, later)["Progressing"]["reason"] == "ProgressDeadlineExceeded"
    fleet.make_one_ready()
    conditions = stamped(fleet, later)
    assert (conditions["Progressing"]["reason"], conditions["Available"]["status"]) == (
        "NewReplicaSetAvailable",
        "True",
    )
    assert progress.deadline(fleet.wanted, later) is None


@given(st.integers(0, 3), st.integers(0, 3))
def test_reporting_the_same_twice_changes_nothing(count: Any, ready: Any) -> None:
    assume(ready <= count)
    fleet = Fleet(deployment(replicas=count))
    fleet.add(count, ready=ready)
    stamped(fleet, NOW)
    before = fleet.wanted["status"]
    stamped(fleet, NOW + timedelta(seconds=1))
    again = fleet.wanted["status"]
    stamped(fleet, NOW + timedelta(seconds=2))
    assert fleet.wanted["status"] == again
    assert {key: value for key, value in before.items() if key != "conditions"} == {
        key: value for key, value in again.items() if key != "conditions"
    }


@pytest.mark.parametrize(
    ("value", "up", "expected"), [("25%", True, 1), ("25%", False, 0), (2, True, 2), ("3", False, 3)]
)
def test_shares_are_rounded_up_for_surge_and_down_for_loss(value: Any, up: Any, expected: Any) -> None:
    assert rollout.resolve(value, 3, up=up) == expected
