"""What the members of a slice are told about each other."""

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model import names
from kubeslice.plan.hub import gateways, slices
from kubeslice.plan.hub.gateways import Detours, Published
from kubeslice.plan.hub.slices import Seat
from tests.plan.hub.test_slices import config

KEY = {"plane": 0, "publicKey": "k", "endpoints": ["198.51.100.7:30001"], "pod": "p", "node": "n"}


def seats(*clusters: str) -> dict[str, Seat]:
    return {seat.cluster: seat for seat in slices.seats(config(*clusters), slices.octets(config(*clusters), {}))}


@given(st.lists(st.sampled_from("abcd"), unique=True))
def test_every_ordered_pair_has_exactly_one_view(clusters: list[str]) -> None:
    roster = seats(*clusters)
    views = [v for c in clusters for v in gateways.views("shop", config(*clusters), roster, c, Published())]
    ends = [(v["spec"]["localGatewayConfig"], v["spec"]["remoteGatewayConfig"]) for v in views]
    pairs = {(near["clusterName"], far["clusterName"]) for near, far in ends}
    assert pairs == {(a, b) for a in clusters for b in clusters if a != b}
    assert len(views) == len(pairs)


@given(st.lists(st.sampled_from("abcd"), unique=True, min_size=2))
def test_both_ends_of_a_pair_agree(clusters: list[str]) -> None:
    roster = seats(*clusters)
    views = [v["spec"] for c in clusters for v in gateways.views("shop", config(*clusters), roster, c, Published())]
    ends = {(v["localGatewayConfig"]["clusterName"], v["remoteGatewayConfig"]["clusterName"]): v for v in views}
    for (near, far), view in ends.items():
        other = ends[far, near]
        assert view["gatewayNumber"] == other["gatewayNumber"]
        assert {view["gatewayHostType"], other["gatewayHostType"]} == {"Server", "Client"}
        assert view["localGatewayConfig"]["gatewaySubnet"] == other["remoteGatewayConfig"]["gatewaySubnet"]
        assert view["remoteGatewayConfig"]["gatewayName"] == other["localGatewayConfig"]["gatewayName"]
        is_server = clusters.index(near) < clusters.index(far)
        assert (view["gatewayHostType"] == "Server") == is_server


def test_a_view_carries_the_remote_key_and_endpoints_and_nothing_of_its_pods() -> None:
    published = Published([KEY], ["198.51.100.7"])
    (view,) = gateways.views("shop", config("a", "b"), seats("a", "b"), "b", published)
    assert view["metadata"]["namespace"] == "kubeslice-shop-a"
    assert view["metadata"]["name"] == "red-a-b"
    local, remote = view["spec"]["localGatewayConfig"], view["spec"]["remoteGatewayConfig"]
    assert local == {"clusterName": "a", "gatewayName": "red-a-b", "gatewaySubnet": "10.1.0.0/18", "vpnIp": "10.1.0.8"}
    assert remote["planes"] == [{"plane": 0, "generation": 1, "publicKey": "k", "endpoints": ["198.51.100.7:30001"]}]
    assert (remote["nodeIps"], remote["nodePorts"], remote["vpnIp"]) == (["198.51.100.7"], [30001], "10.1.64.8")


def test_who_is_no_member_is_seen_by_nobody() -> None:
    assert gateways.views("shop", config("a", "b"), seats("a", "b"), "z", Published()) == []


def test_a_slice_without_a_network_has_no_gateways() -> None:
    flat = config("a", "b", sliceSubnet="", overlayNetworkDeploymentMode="no-network")
    roster = {seat.cluster: seat for seat in slices.seats(flat, slices.octets(flat, {}))}
    assert gateways.views("shop", flat, roster, "a", Published()) == []


def test_pairs_of_openvpn_say_their_cipher_and_protocol_is_that_of_who_is_called() -> None:
    provider = {
        "sliceGatewayType": "OpenVPN",
        "sliceGatewayServiceType": [{"cluster": "a", "type": "LoadBalancer", "protocol": "TCP"}],
    }
    wanted = config("a", "b", sliceGatewayProvider=provider)
    for swapped, protocol in (([], "TCP"), ([("a", "b")], "UDP")):
        (view,) = gateways.views("shop", wanted, seats("a", "b"), "b", Published(), Detours(swapped=swapped))
        assert (view["spec"]["gatewayProtocol"], view["spec"]["cipher"]) == (protocol, "AES-256-GCM")


def test_a_relayed_pair_goes_through_the_relay_and_keeps_its_own_view() -> None:
    roster, wanted = seats("a", "b", "c"), config("a", "b", "c")
    relayed = Detours({("a", "b"): "c"})
    found = {
        view["metadata"]["name"]: view["spec"]
        for remote in roster
        for view in gateways.views("shop", wanted, roster, remote, Published(), relayed)
    }
    assert (found["red-a-b"]["relay"], found["red-b-a"]["relay"]) == ("c", "c")
    assert found["red-a-c"]["remoteGatewayConfig"]["transitSubnets"] == [roster["b"].subnet]
    assert found["red-c-a"]["remoteGatewayConfig"]["carriedSubnets"] == [roster["b"].subnet]
    assert "relay" not in found["red-a-c"]


def test_a_view_that_is_renewed_keeps_everything_but_what_the_remote_says() -> None:
    roster, wanted = seats("a", "b", "c"), config("a", "b", "c")
    relayed = Detours({("a", "c"): "b"})
    old, new = Published([KEY]), Published([KEY | {"publicKey": "new"}])
    before = gateways.views("shop", wanted, roster, "b", old, relayed)
    after = gateways.views("shop", wanted, roster, "b", new, relayed)
    assert [gateways.renewed(view, new) for view in before] == after


def test_what_others_were_told_of_a_cluster_stands_while_its_report_is_missing() -> None:
    planes = [{"plane": 0, "generation": 3, "publicKey": "k", "endpoints": ["192.0.2.1:30001"]}]
    view = {"spec": {"remoteGatewayConfig": {"planes": planes, "nodeIps": ["192.0.2.1"]}}}
    empty: dict[str, object] = {"spec": {"remoteGatewayConfig": {"planes": []}}}
    assert gateways.told([empty, view], []) == Published(planes, ["192.0.2.1"])
    assert gateways.told([view], ["192.0.2.9"]) == Published(planes, ["192.0.2.9"])
    assert gateways.told([], []) == Published([], [])


def test_a_new_view_is_held_for_a_worker_that_holds_the_slice_and_stays_as_it_is_held() -> None:
    held = [names.WORKER_SLICE_GATEWAY_FINALIZER]
    assert gateways.holders(None, is_held=True) == held
    assert gateways.holders(None, is_held=False) == []
    for finalizers in ([], held, [*held, "other.example/finalizer"]):
        seen = {"metadata": {"name": "red-a-b", "finalizers": finalizers}}
        assert gateways.holders(seen, is_held=True) == gateways.holders(seen, is_held=False) == finalizers


def test_what_is_renewed_keeps_its_finalizers() -> None:
    terrain = gateways.Terrain.of("shop", config("a", "b"), seats("a", "b"), Detours())
    (side,) = terrain.sides_to("b")
    held = [names.WORKER_SLICE_GATEWAY_FINALIZER]
    view = terrain.view(side, Published(), held)
    assert gateways.renewed(view, Published([KEY]))["metadata"]["finalizers"] == held
