"""What a slice means for each cluster, and how its state is summed up."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.hub import slices


def config(*clusters: str, **spec: Any) -> SliceConfig:
    wire = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
    return SliceConfig.parse({"metadata": {"name": "red", "namespace": "kubeslice-shop"}, "spec": wire})


def placed(wanted: SliceConfig, taken: dict[str, int]) -> list[slices.Seat]:
    return slices.seats(wanted, slices.octets(wanted, taken))


CLUSTERS = st.lists(st.sampled_from("abcd"), unique=True)


@given(before=CLUSTERS, after=CLUSTERS)
def test_members_that_stay_keep_their_place_and_places_never_overlap(before: list[str], after: list[str]) -> None:
    first = placed(config(*before), {})
    octets = {seat.cluster: seat.octet for seat in first}
    staying = {cluster: octet for cluster, octet in octets.items() if cluster in after}
    second = {seat.cluster: seat for seat in placed(config(*after), staying)}
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
    made = slices.worker_config("shop", wanted, slices.seat(wanted, "b", 1), {"queueType": "HTB"}, {})
    assert made["metadata"]["namespace"] == "kubeslice-shop-b"
    assert made["metadata"]["name"] == "red-b"
    assert made["spec"]["namespaceIsolationProfile"] == {
        "isolationEnabled": True,
        "applicationNamespaces": ["web"],
        "allowedNamespaces": ["ops"],
    }
    assert (made["spec"]["octet"], made["spec"]["clusterSubnetCIDR"]) == (1, "10.1.64.0/18")
    assert made["spec"]["gatewayReplicas"] == 2


def test_the_entry_for_a_cluster_comes_before_the_one_for_all() -> None:
    entries = [{"cluster": "*", "type": "LoadBalancer"}, {"cluster": "a", "type": "NodePort"}]
    wanted = config("a", "b", sliceGatewayProvider={"sliceGatewayServiceType": entries})
    assert [slices.service_type(wanted, cluster).type for cluster in "ab"] == ["NodePort", "LoadBalancer"]


def test_a_slice_without_a_network_has_no_subnets() -> None:
    wanted = config("a", sliceSubnet="", overlayNetworkDeploymentMode="no-network")
    made = slices.worker_config("shop", wanted, placed(wanted, {})[0], None, {})
    assert not {"sliceSubnet", "clusterSubnetCIDR", "qosProfileDetails"} & set(made["spec"])
