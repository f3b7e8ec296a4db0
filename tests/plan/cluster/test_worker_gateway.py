from typing import Any

import pytest

from kubeslice.model.tunnels import PlanePeer, PlaneState
from kubeslice.model.workerslicegateway import WorkerSliceGateway
from kubeslice.plan import findings
from kubeslice.plan.cluster import worker_gateway
from kubeslice.plan.cluster.worker_gateway import Told

UP = PlaneState(
    plane=0,
    pod_name="gw-0",
    state="UP",
    since="2030-01-01T00:00:00Z",
    last_handshake_time="2030-01-01T00:00:10Z",
    latency_microseconds=412,
    endpoint="172.31.2.11:30001",
)
DOWN = UP.model_copy(update={"state": "DOWN", "since": "2030-01-01T00:01:00Z"})


@pytest.mark.parametrize(
    ("planes", "expected", "peers", "status", "reason", "words"),
    [
        ([UP], 1, 1, "True", "TunnelUp", "tunnel to worker-2 up, last handshake 2030-01-01T00:00:10Z, 0.4 ms"),
        ([UP], 2, 2, "True", "TunnelUp", "1 of 2 tunnels to worker-2 up"),
        (
            [DOWN],
            1,
            1,
            "False",
            "TunnelDown",
            "no tunnel to worker-2 is up since 2030-01-01T00:01:00Z: see whether packets",
        ),
        ([DOWN], 1, 0, "False", "WaitingForPeer", "waiting for key and address of the gateway of worker-2"),
        ([], 1, 1, "False", "WaitingForGateway", "no gateway has reported on its tunnel to worker-2 yet"),
    ],
)
def test_the_state_of_a_pair_is_one_sentence(
    planes: Any, expected: Any, peers: Any, status: Any, reason: Any, words: Any
) -> None:
    found = worker_gateway.readiness("worker-2", expected, planes, peers)
    assert (found.type, found.status, found.reason) == ("Ready", status, reason)
    assert words in found.message


DOWN_1 = DOWN.model_copy(update={"plane": 1, "pod_name": "gw-1"})


@pytest.mark.parametrize(
    ("planes", "expected", "status", "reason"),
    [
        ([UP], 1, "False", "TunnelUp"),
        ([UP, DOWN_1], 2, "True", "TunnelDegraded"),
        ([UP.model_copy(update={"message": "too narrow"})], 1, "True", "TunnelImpaired"),
        ([UP], 2, "Unknown", "WaitingForGateway"),
        ([DOWN, DOWN_1], 2, "False", "WaitingForTunnel"),
        ([], 2, "False", "WaitingForTunnel"),
    ],
)
def test_a_pair_is_degraded_while_some_of_its_tunnels_are_down(
    planes: Any, expected: Any, status: Any, reason: Any
) -> None:
    found = worker_gateway.degradation("worker-2", expected, planes)
    assert (found.type, found.status, found.reason) == ("Degraded", status, reason)


def test_a_pair_with_a_relay_is_connected_and_not_as_well_as_it_should_be() -> None:
    ready = worker_gateway.readiness("b", 2, [DOWN, DOWN_1], 2, "c")
    assert (ready.status, ready.message) == ("True", "b is reached through c, with 0 of 2 tunnels of its own up")
    assert worker_gateway.degradation("b", 2, [DOWN, DOWN_1], "c").status == "True"


def test_every_turn_of_a_pair_is_told_once() -> None:
    def after(planes: Any, seen: Any) -> Any:
        found = [worker_gateway.readiness("b", 2, planes, 2), worker_gateway.degradation("b", 2, planes)]
        return findings.conditions_after(seen, found, 1, "2030-01-01T00:00:00Z")

    up_1 = DOWN_1.model_copy(update={"state": "UP"})
    history = [[], [UP], [UP, up_1], [UP, DOWN_1], [DOWN, DOWN_1], [DOWN, up_1], [UP, up_1], [DOWN, DOWN_1], [UP, up_1]]
    seen: Any = []
    told = []
    for planes in history:
        now = after(planes, seen)
        told.append([entry["reason"] for entry in findings.news(seen, now)])
        seen = now
    assert told == [
        [],
        ["TunnelUp"],
        [],
        ["TunnelDegraded"],
        ["TunnelDown"],
        ["TunnelUp", "TunnelDegraded"],
        ["TunnelUp"],
        ["TunnelDown"],
        ["TunnelUp"],
    ]


def test_the_tunnel_of_a_pod_that_is_gone_is_down() -> None:
    seen = {"status": {"planes": [DOWN_1.wire(), UP.wire()]}}
    assert worker_gateway.planes_of(seen, 2, {"gw-0", "gw-1"}) == [UP, DOWN_1]
    assert worker_gateway.planes_of(seen, 1, {"gw-0", "gw-1"}) == [UP]
    gone = worker_gateway.planes_of(seen, 2, set())
    assert [(plane.state, plane.since) for plane in gone] == [("DOWN", ""), ("DOWN", DOWN_1.since)]


def test_figures_are_no_change_of_state() -> None:
    before = [UP.wire()]
    assert worker_gateway.is_same_state(before, [UP.wire() | {"rxBytes": 7, "latencyMicroseconds": 9}])
    assert not worker_gateway.is_same_state(before, [DOWN.wire()])
    unknown = [UP.wire() | {"state": "UNKNOWN"}]
    assert worker_gateway.is_same_state([], unknown)
    assert not worker_gateway.is_same_state(before, unknown)
    assert not worker_gateway.is_same_state(before, [])


def test_the_slice_gateway_says_where_the_other_side_is() -> None:
    peers = [
        {"plane": 1, "publicKey": "b"},
        {"plane": 0, "generation": 2, "publicKey": "c"},
        {"plane": 0, "publicKey": "a", "endpoints": ["172.31.2.11:30001"]},
    ]
    pair = WorkerSliceGateway.parse(
        {
            "metadata": {"name": "red-worker-1-worker-2"},
            "spec": {
                "sliceName": "red",
                "gatewayType": "OpenVPN",
                "gatewayHostType": "Client",
                "gatewayProtocol": "TCP",
                "cipher": "AES-256-GCM",
                "relay": "worker-3",
                "localGatewayConfig": {"clusterName": "worker-1", "gatewaySubnet": "10.1.0.0/18"},
                "remoteGatewayConfig": {
                    "clusterName": "worker-2",
                    "gatewayName": "red-worker-2-worker-1",
                    "gatewaySubnet": "10.1.64.0/18",
                    "transitSubnets": ["10.1.128.0/18"],
                    "carriedSubnets": ["10.1.192.0/18"],
                    "planes": peers,
                },
            },
        }
    )
    assert worker_gateway.spec(pair).wire() == {
        "sliceName": "red",
        "siteName": "worker-1",
        "localCluster": "worker-1",
        "remoteCluster": "worker-2",
        "remoteSubnet": "10.1.64.0/18",
        "gatewayType": "OpenVPN",
        "hostType": "Client",
        "protocol": "TCP",
        "cipher": "AES-256-GCM",
        "relay": "worker-3",
        "transitSubnets": ["10.1.128.0/18"],
        "carriedSubnets": ["10.1.192.0/18"],
        "planes": [
            {"plane": 0, "generation": 1, "publicKey": "a", "endpoints": ["172.31.2.11:30001"]},
            {"plane": 0, "generation": 2, "publicKey": "c", "endpoints": []},
            {"plane": 1, "generation": 1, "publicKey": "b", "endpoints": []},
        ],
    }
    config = worker_gateway.config(pair, [30001], "TunnelUp")
    assert config.slice_gateway_remote_gateway_id == "red-worker-2-worker-1"
    assert config.slice_gateway_node_ports == [30001]


def test_a_peer_waits_for_the_pre_shared_key_that_the_hub_names() -> None:
    remote = {"clusterName": "b", "planes": [{"plane": 0}, {"plane": 0, "generation": 2}, {"plane": 1}]}
    spec = {"gatewayCredentials": {"secretName": "red-a-b"}, "remoteGatewayConfig": remote}
    pair = WorkerSliceGateway.parse({"metadata": {"name": "red-a-b"}, "spec": spec})
    waiting = worker_gateway.waiting(pair, {0: {"psk-b-1": "x"}})
    assert waiting == {(0, 2), (1, 1)}
    assert [(peer.plane, peer.generation) for peer in worker_gateway.spec(pair, waiting).planes] == [(0, 1)]
    without = WorkerSliceGateway.parse({"metadata": {"name": "red-a-b"}, "spec": {"remoteGatewayConfig": remote}})
    assert worker_gateway.waiting(without, {}) == set()


def test_the_node_ports_are_those_of_the_generations_in_force() -> None:
    def service(plane: int, even: int, odd: int) -> Any:
        ports = [{"port": 51820, "nodePort": even}, {"port": 51821, "nodePort": odd}]
        return {"metadata": {"name": f"slice-gateway-red-{plane}"}, "spec": {"ports": ports}}

    spec = {"sliceName": "red", "gatewayReplicas": 2, "gatewayKeys": [{"plane": 1, "generations": [3, 4]}]}
    ports = worker_gateway.node_ports(spec, [service(0, 30000, 30001), service(1, 30010, 30011)])
    assert ports == [30001, 30011, 30010]


def test_with_more_planes_each_turn_of_one_is_told_once_and_names_those_that_are_down() -> None:
    told, seen = [], list[Any]()
    for down in [(), (1,), (1,), (1, 3), (1, 3), (3,), ()]:
        planes = [UP.model_copy(update={"plane": n, "state": "DOWN" if n in down else "UP"}) for n in range(4)]
        found = [worker_gateway.readiness("b", 4, planes, 4), worker_gateway.degradation("b", 4, planes)]
        now = findings.conditions_after(seen, found, 1, "2030-01-01T00:00:00Z")
        told.append([entry["message"].partition("none on ")[2] for entry in findings.news(seen, now)])
        seen = now
    others = "traffic takes the others"
    assert told[1:] == [[f"plane 1: {others}"], [], [f"plane 1 and 3: {others}"], [], [f"plane 3: {others}"], [""]]


def test_keys_newer_than_a_restored_hub_tells_of_stay() -> None:
    def planes(*told: tuple[int, int]) -> list[dict[str, Any]]:
        return [{"plane": plane, "generation": number, "publicKey": f"{plane}-{number}"} for plane, number in told]

    remote = {"clusterName": "worker-1", "gatewaySubnet": "10.1.0.0/18", "planes": planes((0, 3), (1, 6))}
    wanted = WorkerSliceGateway.parse({"metadata": {"name": "x"}, "spec": {"remoteGatewayConfig": remote}})
    held = [PlanePeer.model_validate(entry) for entry in planes((0, 5), (1, 5), (2, 5))]
    kept = worker_gateway.spec(wanted, held=held).planes
    assert [(peer.plane, peer.generation) for peer in kept] == [(0, 3), (0, 5), (1, 6)]


def test_figures_of_many_gateways_are_told_at_a_steady_rate_from_the_start() -> None:
    interval = 100 / worker_gateway.REPORTS_PER_SECOND
    due = [Told.state(f"s-a-{number}", 1000.0).due(100, is_first=False) for number in range(100)]
    assert all(1000.0 <= moment <= 1000.0 + interval for moment in due)
    assert 30 < sum(moment < 1000.0 + interval / 2 for moment in due) < 70
    assert Told.figures(1000.0).due(100, is_first=False) == 1000.0 + interval
    assert Told.figures(1000.0).due(1, is_first=False) == 1000.0 + worker_gateway.FIGURES_EVERY


def test_the_first_word_about_a_gateway_waits_for_what_its_tunnel_comes_to() -> None:
    assert Told.state("s-a-b", 7.0).due(100, is_first=True) == 7.0 + worker_gateway.FIRST_WORD


def test_of_a_gateway_whose_keys_have_not_come_nothing_is_said_for_a_while() -> None:
    met = Told.known(None, "s-a-b", 7.0, is_keyed=False)
    assert Told.known(met, "s-a-b", 9.0, is_keyed=False).due(1, is_first=True) == 7.0 + worker_gateway.KEYLESS_WORD
    keyed = Told.known(met, "s-a-b", 9.0, is_keyed=True)
    assert keyed.due(1, is_first=True) == 9.0 + worker_gateway.FIRST_WORD
    assert Told.known(keyed, "s-a-b", 11.0, is_keyed=False) == keyed
