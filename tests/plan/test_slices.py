"""What a slice means for each cluster, and how its state is summed up."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import slices
from kubeslice.plan.problems import Problem
from kubeslice.plan.slices import MemberState, Seat, Standing


def config(*clusters: str, **spec: Any) -> SliceConfig:
    wire = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
    return SliceConfig.parse({"metadata": {"name": "red", "namespace": "kubeslice-shop"}, "spec": wire})


CLUSTERS = st.lists(st.sampled_from("abcd"), unique=True)


@given(before=CLUSTERS, after=CLUSTERS)
def test_members_that_stay_keep_their_place_and_places_never_overlap(before: list[str], after: list[str]) -> None:
    first = slices.seats(config(*before), {})
    octets = {seat.cluster: seat.octet for seat in first}
    staying = {cluster: octet for cluster, octet in octets.items() if cluster in after}
    second = {seat.cluster: seat for seat in slices.seats(config(*after), staying)}
    assert {c: second[c].octet for c in staying} == staying
    assert len({seat.subnet for seat in second.values()}) == len(after)


def test_octets_come_from_the_worker_configs_before_the_status() -> None:
    status = {"members": [{"cluster": "a", "octet": 3}, {"cluster": "b", "octet": 1}]}
    assert slices.remembered_octets([("a", {"spec": {"octet": 2}}), ("c", {"spec": {}})], status) == {"a": 2, "b": 1}


def test_a_worker_config_holds_what_concerns_its_cluster() -> None:
    profile = {
        "isolationEnabled": True,
        "applicationNamespaces": [
            {"namespace": "web", "clusters": ["*"]},
            {"namespace": "db", "clusters": ["a"]},
        ],
        "allowedNamespaces": [{"namespace": "ops", "clusters": ["b"]}],
    }
    wanted = config("a", "b", namespaceIsolationProfile=profile)
    made = slices.worker_config("shop", wanted, slices.seat(wanted, "b", 1), {"queueType": "HTB"})
    assert made["metadata"]["namespace"] == "kubeslice-shop-b"
    assert made["metadata"]["name"] == "red-b"
    assert made["spec"]["namespaceIsolationProfile"] == {
        "isolationEnabled": True,
        "applicationNamespaces": ["web"],
        "allowedNamespaces": ["ops"],
    }
    assert (made["spec"]["octet"], made["spec"]["clusterSubnetCIDR"]) == (1, "10.1.64.0/18")
    assert made["spec"]["gatewayReplicas"] == 1


def test_the_entry_for_a_cluster_comes_before_the_one_for_all() -> None:
    entries = [{"cluster": "*", "type": "LoadBalancer"}, {"cluster": "a", "type": "NodePort"}]
    wanted = config("a", "b", sliceGatewayProvider={"sliceGatewayServiceType": entries})
    assert [slices.service_type(wanted, cluster).type for cluster in "ab"] == ["NodePort", "LoadBalancer"]


def test_a_slice_without_a_network_has_no_subnets() -> None:
    wanted = config("a", sliceSubnet="", overlayNetworkDeploymentMode="no-network")
    made = slices.worker_config("shop", wanted, slices.seats(wanted, {})[0], None)
    assert not {"sliceSubnet", "clusterSubnetCIDR", "qosProfileDetails"} & set(made["spec"])


def state(cluster: str, *, is_ready: bool = True, up: int = 2) -> MemberState:
    return MemberState(Seat(cluster, 0, "10.1.0.0/18"), is_ready, "" if is_ready else "no router", up)


UNKNOWN_CLUSTER = Problem("spec.clusters", "there is no Cluster z", reason="UnknownCluster")


def verdict(standing: Standing, *problems: Problem) -> dict[str, tuple[str, str, str]]:
    return {f.type: (f.status, f.reason, f.message) for f in slices.judge(standing, problems)}


def test_a_slice_is_ready_when_every_cluster_and_every_tunnel_is() -> None:
    standing = Standing([state("a"), state("b"), state("c")], has_network=True)
    assert verdict(standing)["Ready"] == ("True", "AllUp", "3 of 3 clusters ready, 6 of 6 tunnels up")
    assert slices.status_fields(standing)["tunnels"] == "6/6"


def test_the_sentence_names_the_cluster_that_is_late_and_why() -> None:
    status, reason, message = verdict(Standing([state("a"), state("b", is_ready=False, up=1)], has_network=True))[
        "Ready"
    ]
    assert (status, reason) == ("False", "ClustersNotReady")
    assert "b: no router" in message


def test_a_tunnel_that_is_down_is_told() -> None:
    assert verdict(Standing([state("a", up=1), state("b", up=0)], has_network=True))["Ready"] == (
        "False",
        "TunnelsDown",
        "2 of 2 clusters ready, 1 of 2 tunnels up",
    )


def test_a_refused_change_does_not_make_what_runs_unready() -> None:
    found = verdict(Standing([state("a", up=1), state("b", up=1)], has_network=True), UNKNOWN_CLUSTER)
    assert found["Ready"][0] == "True"
    assert found["Accepted"] == ("False", "UnknownCluster", "spec.clusters: there is no Cluster z")


def test_a_slice_that_never_ran_says_what_is_wrong_with_it() -> None:
    found = verdict(Standing([], has_network=True), UNKNOWN_CLUSTER)
    assert found["Ready"] == ("False", "UnknownCluster", "spec.clusters: there is no Cluster z")
    assert verdict(Standing([], has_network=True))["Ready"][1] == "NoClusters"


def test_silence_counts_more_than_an_old_report() -> None:
    report = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    seat = Seat("a", 0, "")
    assert slices.member_state(seat, report, 0, "").is_ready
    assert slices.member_state(seat, report, 0, "not heard of").message == "not heard of"
    assert "not reported" in slices.member_state(seat, {}, 0, "").message
