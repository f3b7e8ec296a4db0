"""DaemonSets: one pod on each node that should have one, replaced within the limits."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers import daemons, scheduling
from kubeslice.lab.controllers.affinity import Machine
from tests.lab.controllers.made import daemonset, node

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SOMEWHERE = "2026-01-01T00:00:00Z"


def uid(daemon: Any) -> Any:
    daemon["metadata"]["uid"] = "d1"
    return daemon


def running(daemon: Any, where: Any, *, ready: Any = True, bound: Any = True) -> Any:
    made = daemons.pod(daemon, where, f"agent-{where}")
    made["metadata"]["uid"] = made["metadata"]["name"]
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": SOMEWHERE}
    made["status"] = {"phase": "Running", "conditions": [condition]}
    if bound:
        made["spec"]["nodeName"] = where
    return made


def test_every_node_that_tolerates_it_gets_one_cordoned_or_not_ready_too() -> None:
    edge = node("c", taints=[{"key": "dedicated", "effect": "NoSchedule"}])
    nodes = [node("a", ready=False), node("b", unschedulable=True), edge]
    daemon = uid(daemonset())
    assert daemons.change(daemon, nodes, [], NOW).create == ("a", "b")
    daemon["spec"]["template"]["spec"]["tolerations"] = [{"operator": "Exists"}]
    assert daemons.change(daemon, nodes, [], NOW).create == ("a", "b", "c")


def test_a_node_selector_confines_it_and_misplaced_pods_are_counted() -> None:
    daemon = uid(daemonset(nodeSelector={"gateway": "yes"}))
    nodes = [node("a", labels={"gateway": "yes"}), node("b")]
    assert daemons.change(daemon, nodes, [], NOW).create == ("a",)
    found = daemons.status(daemon, nodes, [running(daemon, "a"), running(daemon, "b")], NOW)
    assert (found["desiredNumberScheduled"], found["numberMisscheduled"], found["numberAvailable"]) == (1, 1, 1)


def test_the_scheduler_puts_each_pod_on_its_own_node() -> None:
    daemon = uid(daemonset())
    machines = [Machine(node("a")), Machine(node("b", ready=False)), Machine(node("c", unschedulable=True))]
    for name in ("a", "b", "c"):
        assert scheduling.place(daemons.pod(daemon, name, "p"), machines).node == name


def test_pods_of_nodes_that_are_gone_go_and_ended_ones_are_replaced() -> None:
    daemon = uid(daemonset())
    lost, ended = running(daemon, "gone"), running(daemon, "a")
    ended["status"]["phase"] = "Failed"
    change = daemons.change(daemon, [node("a")], [lost, ended], NOW)
    assert {each["metadata"]["name"] for each in change.delete} == {"agent-gone", "agent-a"}
    assert change.create == ("a",)


def test_a_pod_that_waits_for_its_node_holds_the_place() -> None:
    daemon = uid(daemonset())
    assert daemons.change(daemon, [node("a")], [running(daemon, "a", bound=False)], NOW).create == ()


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(1, 3))
def test_an_update_takes_down_no_more_than_allowed(ready: Any, limit: Any) -> None:
    daemon = uid(daemonset())
    daemon["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": limit}}
    nodes = [node(f"n{index}") for index in range(len(ready))]
    owned = [running(daemon, f"n{index}", ready=is_ready) for index, is_ready in enumerate(ready)]
    daemon["spec"]["template"]["metadata"]["annotations"] = {"version": "2"}
    deleted = daemons.change(daemon, nodes, owned, NOW).delete
    healthy = [each for each in deleted if each["status"]["conditions"][0]["status"] == "True"]
    down = ready.count(False)
    assert len(healthy) == min(ready.count(True), max(0, limit - down))
    assert len(deleted) - len(healthy) == down, "what does not work may always be replaced"
    daemon["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert daemons.change(daemon, nodes, owned, NOW).delete == ()
