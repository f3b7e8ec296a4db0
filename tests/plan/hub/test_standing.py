"""How the state of a slice is summed up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubeslice.plan.hub import standing
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.hub.standing import MemberState, Standing
from kubeslice.plan.problems import Problem
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.legs import Leg, Legs, State
from kubeslice.plan.tunnels.topology import Graph, Pair

States = tuple[State, ...]

UP: States = ("UP", "UP")
DOWN: States = ("DOWN", "DOWN")
UNKNOWN: States = ("UNKNOWN", "UNKNOWN")
UNKNOWN_CLUSTER = Problem("spec.clusters", "there is no Cluster z", reason="UnknownCluster")


def state(cluster: str, *, is_ready: bool = True) -> MemberState:
    return MemberState(Seat(cluster, 0, "10.1.0.0/18"), is_ready, "" if is_ready else "no router")


def stands(
    members: str,
    states: Mapping[Pair, States],
    graph: Graph | None = None,
    relays: Mapping[Pair, str] | None = None,
    late: str = "",
) -> Standing:
    """Return a slice of these members with two planes, whose tunnels are up where nothing is said."""
    graph = graph or Graph(tuple(members))
    planes = {topology.pair(*ends): states.get(topology.pair(*ends), UP) for ends in graph.edges()}
    legs = {ends: Leg(told) for ends, told in planes.items()}
    ends = {way: told for (one, other), told in planes.items() for way in ((one, other), (other, one))}
    found = [state(member, is_ready=member not in late) for member in members]
    return Standing(found, graph, Legs(legs, ends), relays or {})


def verdict(standing_: Standing, *problems: Problem) -> dict[str, tuple[str, str, str]]:
    return {f.type: (f.status, f.reason, f.message) for f in standing.judge(standing_, problems)}


def test_a_slice_is_ready_when_every_cluster_and_every_tunnel_is() -> None:
    whole = stands("abc", {})
    assert verdict(whole)["Ready"] == ("True", "Connected", "3 of 3 clusters ready, 12 of 12 tunnels up")
    assert verdict(whole)["Degraded"][:2] == ("False", "NothingMissing")
    status = standing.status_fields(whole)
    assert (status["tunnels"], status["topology"]) == ("12/12", {"mode": "FullMesh", "edgesWanted": 3, "edgesReady": 3})
    assert [(member["tunnelsUp"], member["tunnels"]) for member in status["members"]] == [(4, 4)] * 3


def test_a_slice_stays_ready_with_one_plane_and_says_what_is_missing() -> None:
    found = verdict(stands("abc", {("a", "b"): ("UP", "DOWN")}))
    assert found["Ready"] == ("True", "Connected", "3 of 3 clusters ready, 10 of 12 tunnels up")
    assert found["Degraded"] == ("True", "TunnelsDown", "tunnels down: a to b, plane 1")


def test_the_sentence_names_the_cluster_that_is_late_and_why() -> None:
    status, reason, message = verdict(stands("ab", {}, late="b"))["Ready"]
    assert (status, reason) == ("False", "WaitingForClusters")
    assert "b: no router" in message


def test_what_was_ready_or_cannot_become_it_is_a_loss_and_what_is_new_is_waited_for() -> None:
    def reason(found: Standing) -> str:
        return verdict(found)["Ready"][1]

    new = stands("ab", {("a", "b"): UNKNOWN}, late="b")
    fallen = replace(new.members[1], has_fallen=True)
    assert reason(new) == "WaitingForClusters"
    assert reason(replace(new, members=[new.members[0], fallen])) == "ClustersNotReady"
    assert reason(replace(new, told="ClustersNotReady")) == "ClustersNotReady", "it is not over"
    assert reason(stands("ab", {("a", "b"): DOWN}, late="b")) == "ClustersNotReady", "tried for long enough"
    seat, report = Seat("a", 0, ""), {"type": "Ready", "status": "False", "reason": "RouterNotReady"}
    for words, was_ready, has_fallen in (
        (report, False, False),
        (report, True, True),
        ({**report, "reason": "TunnelDown"}, True, False),
        ({**report, "status": "True"}, True, False),
    ):
        judged = standing.member_state(seat, {"status": {"conditions": [words]}}, "", was_ready=was_ready)
        assert judged.has_fallen == has_fallen
    assert standing.member_state(seat, {}, "not heard of").has_fallen


def test_clusters_that_are_not_connected_are_told() -> None:
    found = verdict(stands("abc", {("a", "b"): DOWN}))
    sentence = "3 of 3 clusters ready, 8 of 12 tunnels up; not connected: a and b"
    assert found["Ready"] == ("False", "TunnelsDown", sentence)
    assert standing.status_fields(stands("abc", {("a", "b"): DOWN}))["topology"]["edgesReady"] == 2


def test_tunnels_nobody_has_reported_on_are_waited_for() -> None:
    found = verdict(stands("ab", {("a", "b"): UNKNOWN}))
    assert found["Ready"][:2] == ("False", "WaitingForTunnels")
    assert found["Degraded"][:2] == ("Unknown", "WaitingForTunnels")


def test_a_pair_with_a_relay_is_connected_and_not_as_well_as_it_should_be() -> None:
    found = verdict(stands("abc", {("a", "b"): DOWN}, relays={("a", "b"): "c"}))
    assert found["Ready"][0] == "True"
    assert found["Degraded"][:2] == ("True", "TunnelsDown")
    assert "not reached directly: a and b through c" in found["Degraded"][2]


def test_a_relay_does_not_connect_what_it_does_not_reach() -> None:
    down: dict[Pair, States] = {("a", "b"): DOWN, ("b", "c"): DOWN}
    assert verdict(stands("abc", down, relays={("a", "b"): "c"}))["Ready"][:2] == ("False", "TunnelsDown")


def test_spokes_are_connected_while_their_hub_is() -> None:
    graph = Graph(("h", "s", "t"), topology.HUB_AND_SPOKE, frozenset({"h"}))
    whole = stands("hst", {}, graph)
    assert verdict(whole)["Ready"] == ("True", "Connected", "3 of 3 clusters ready, 8 of 8 tunnels up")
    broken = verdict(stands("hst", {("h", "t"): DOWN}, graph))["Ready"]
    assert "not connected: h and t; s and t" in broken[2]


def test_a_cluster_that_the_topology_cuts_off_is_a_warning() -> None:
    graph = Graph(("a", "b", "c"), topology.RESTRICTED, allowed=frozenset([("a", "b")]))
    found = verdict(stands("abc", {}, graph))
    assert found["Ready"][0] == "True"
    assert found["Degraded"] == ("True", "ClusterCutOff", "connected to no other cluster by spec.topology: c")


def test_a_refused_change_does_not_make_what_runs_unready() -> None:
    found = verdict(stands("ab", {}), UNKNOWN_CLUSTER)
    assert found["Ready"][0] == "True"
    assert found["Accepted"] == ("False", "UnknownCluster", "spec.clusters: there is no Cluster z")


def test_a_slice_that_never_ran_says_what_is_wrong_with_it() -> None:
    found = verdict(stands("", {}), UNKNOWN_CLUSTER)
    assert found["Ready"] == ("False", "UnknownCluster", "spec.clusters: there is no Cluster z")
    assert verdict(stands("", {}))["Ready"][1] == "NoClusters"


def test_a_slice_without_a_network_has_no_tunnels_to_count() -> None:
    flat = Standing([state("a")])
    assert verdict(flat).keys() == {"Ready", "Accepted"}
    assert standing.status_fields(flat).keys() == {"members"}


def test_silence_counts_more_than_an_old_report() -> None:
    report: dict[str, Any] = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    seat = Seat("a", 0, "")
    assert standing.member_state(seat, report, "").is_ready
    assert standing.member_state(seat, report, "not heard of").message == "not heard of"
    assert "not reported" in standing.member_state(seat, {}, "").message
