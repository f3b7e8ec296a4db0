from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model.errors import Terminal
from kubeslice.model.slice import Slice
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from kubeslice.plan.cluster import worker_slice
from kubeslice.plan.cluster.worker_slice import Terrain, Wish

WISH = Wish("red", "red", "10.1.0.0/16", "10.1.64.0/18", 1, frozenset({"shop"}))
LAND = Terrain("worker-2", frozenset({"n1", "n2"}), frozenset(), (1500, 1450), {}, frozenset())


def config(**spec: Any) -> Any:
    base = {"sliceName": "red", "sliceSubnet": "10.1.0.0/16", "clusterSubnetCIDR": "10.1.64.0/18"}
    return WorkerSliceConfig.parse({"metadata": {"name": "red-worker-2"}, "spec": base | spec})


def test_the_first_spec_has_the_lowest_vni_a_block_for_each_node_and_the_mtu_of_the_worst_node() -> None:
    spec = worker_slice.spec(WISH, ["shop"], LAND, None)
    assert spec.wire() == {
        "sliceName": "red",
        "sliceSubnet": "10.1.0.0/16",
        "clusterSubnet": "10.1.64.0/18",
        "clusterName": "worker-2",
        "vni": 4097,
        "mtu": 1370,
        "gatewayReplicas": 1,
        "gatewayType": "Wireguard",
        "gatewayKeys": [],
        "namespaces": ["shop"],
        "nodeBlocks": [
            {"node": "n1", "cidrs": ["10.1.64.64/26"]},
            {"node": "n2", "cidrs": ["10.1.64.128/26"]},
        ],
    }


def test_engine_and_generations_of_keys_are_the_hubs_and_stay_while_it_is_silent() -> None:
    keys = [{"plane": 1, "generations": [2, 3]}, {"plane": 0, "generations": [2]}]
    told = config(gatewayKeys=keys, sliceGatewayProvider={"sliceGatewayType": "OpenVPN"})
    spec = worker_slice.spec(worker_slice.wish_of_config(told), [], LAND, None)
    assert spec.gateway_type == "OpenVPN"
    assert [(entry.plane, entry.generations) for entry in spec.gateway_keys] == [(0, [2]), (1, [2, 3])]
    seen = Slice.parse({"metadata": {"name": "red"}, "spec": spec.wire()})
    assert worker_slice.spec(worker_slice.wish_of_slice(seen), [], LAND, seen.spec) == spec


def test_isolation_stays_as_it_was_while_the_hub_is_silent() -> None:
    asked = {"applicationNamespaces": ["shop"], "allowedNamespaces": ["ops"], "isolationEnabled": True}
    wish = worker_slice.wish_of_config(config(namespaceIsolationProfile=asked))
    spec = worker_slice.spec(wish, ["shop"], LAND, None)
    assert spec.wire()["isolation"] == {"allowedNamespaces": ["ops"]}
    seen = Slice.parse({"metadata": {"name": "red"}, "spec": spec.wire()})
    assert worker_slice.wish_of_slice(seen) == wish
    off = worker_slice.wish_of_config(config(namespaceIsolationProfile=asked | {"isolationEnabled": False}))
    assert off.isolation is None


node_sets = st.frozensets(st.sampled_from(["n1", "n2", "n3"]), min_size=1)
lands = st.builds(
    Terrain,
    cluster=st.just("worker-2"),
    nodes=node_sets,
    cordoned=st.frozensets(st.sampled_from(["n1", "n2"])),
    mtus=st.just((1500,)),
    demand=st.dictionaries(st.sampled_from(["n1", "n2", "n3"]), st.integers(0, 200)),
    vnis=st.frozensets(st.integers(4097, 4100)),
)


@given(st.lists(lands, min_size=2, max_size=4))
def test_what_was_given_stays_while_the_node_stays(history: Any) -> None:
    seen = None
    for land in history:
        after = worker_slice.spec(WISH, [], land, seen)
        if seen is not None:
            assert after.vni == seen.vni
            before = {entry.node: entry.cidrs for entry in seen.node_blocks}
            now = {entry.node: entry.cidrs for entry in after.node_blocks}
            for node in before.keys() & land.nodes:
                assert now[node][: len(before[node])] == before[node]
        cidrs = [cidr for entry in after.node_blocks for cidr in entry.cidrs]
        assert len(cidrs) == len(set(cidrs))
        assert worker_slice.spec(WISH, [], land, after) == after
        seen = after


@given(lands)
def test_a_new_slice_takes_no_vni_of_another(land: Any) -> None:
    assert worker_slice.spec(WISH, [], land, None).vni not in land.vnis


def test_a_cordoned_node_keeps_its_block_but_gets_no_first_one() -> None:
    seen = worker_slice.spec(WISH, [], LAND, None)
    cordoned = Terrain("worker-2", frozenset({"n1", "n2", "n3"}), frozenset({"n2", "n3"}), (), {}, frozenset())
    after = worker_slice.spec(WISH, [], cordoned, seen)
    assert [entry.node for entry in after.node_blocks] == ["n1", "n2"]
    assert after.mtu == 1420


def test_a_full_subnet_is_reported_by_node() -> None:
    small = Wish("red", "red", "10.1.0.0/16", "10.1.0.0/26", 1, frozenset())
    land = Terrain("c", frozenset({"n1", "n2", "n3"}), frozenset(), (), {"n1": 17}, frozenset())
    spec = worker_slice.spec(small, [], land, None)
    sentences = worker_slice.shortages(spec, land)
    assert sentences[0].startswith("node n1 lacks addresses for 1 pods")
    assert sentences[1].startswith("node n3 lacks addresses for 1 pods")


def test_a_slice_without_network_has_namespaces_and_nothing_else() -> None:
    wish = worker_slice.wish_of_config(config(overlayNetworkDeploymentMode="no-network"))
    assert not wish.has_network
    spec = worker_slice.spec(wish, ["shop"], LAND, None)
    assert (spec.cluster_subnet, spec.vni, spec.node_blocks, spec.namespaces) == ("", None, [], ["shop"])


def test_a_subnet_that_is_none_is_refused() -> None:
    with pytest.raises(Terminal, match="is not a subnet"):
        worker_slice.spec(Wish("red", "red", "x", "10.1.0.1/18", 1, frozenset()), [], LAND, None)


def test_the_wish_survives_in_the_slice_while_the_hub_is_away() -> None:
    wanted = config(namespaceIsolationProfile={"applicationNamespaces": ["shop", "bank"]})
    spec = worker_slice.spec(worker_slice.wish_of_config(wanted), ["shop"], LAND, None)
    here = Slice.parse(
        {
            "metadata": {"name": "red"},
            "spec": spec.wire(),
            "status": {"sliceConfig": worker_slice.local_config(wanted).wire()},
        }
    )
    assert worker_slice.wish_of_slice(here) == worker_slice.wish_of_config(wanted)


def test_the_terrain_counts_application_pods_and_one_more() -> None:
    node = {"metadata": {"name": "n1", "annotations": {"kubeslice.io/underlay-mtu": "1450"}}, "spec": {}}
    bare = {"metadata": {"name": "n2"}, "spec": {"unschedulable": True}}
    on_n1 = [
        {"metadata": {"labels": {"kubeslice.io/pod-type": kind}}, "spec": {"nodeName": "n1"}}
        for kind in ("app", "app", "router")
    ]
    land = worker_slice.terrain("c", [node, bare], on_n1, [4097])
    assert land == Terrain("c", frozenset({"n1", "n2"}), frozenset({"n2"}), (1450,), {"n1": 3}, frozenset({4097}))
