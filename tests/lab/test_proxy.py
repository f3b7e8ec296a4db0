"""Services on a node: real packets through a node's namespace, and the pure parts with examples and laws."""

import asyncio
import os
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.proxy import conntrack, flows, main
from kubeslice.lab.proxy.flows import Flow
from kubeslice.lab.proxy.frontends import Backend, Frontend, frontends, usable
from kubeslice.lab.proxy.ruleset import Client, Local, affinity_set, render
from tests.lab.netns import NODE_IP, OUTSIDE_IP, POD_A, POD_B, Net

VIP = "10.96.0.50"


def service(protocol: Any = "TCP", port: Any = 80, node_port: Any = 0, **spec: Any) -> Any:
    entry = {"port": port, "protocol": protocol} | ({"nodePort": node_port} if node_port else {})
    return {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"clusterIP": VIP, "ports": [entry], "type": "ClusterIP", **spec},
    }


def endpoint(address: Any, node: Any = "n1", **conditions: Any) -> Any:
    return {"addresses": [address], "nodeName": node, "conditions": {"ready": True, **conditions}}


def slice_of(*endpoints: Any, port: Any = 8080, protocol: Any = "TCP") -> Any:
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": list(endpoints),
        "ports": [{"port": port, "protocol": protocol}],
    }


@pytest.fixture
def net() -> Any:
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    made = Net()
    yield made
    made.remove()


def sync(net: Net, proxy: Any, services: Any, slices: Any) -> None:
    net.run("node", proxy.sync(frontends(services, slices, "n1")))


@pytest.mark.kernel
def test_a_cluster_address_is_balanced_and_keeps_the_source_of_pods(net: Net) -> None:
    sync(net, main.Proxy(Local("n1")), [service()], [slice_of(endpoint(POD_A), endpoint(POD_B))])
    with net.serve("a", 8080), net.serve("b", 8080):
        answers = [net.ask("a", VIP, 80) for _ in range(20)]
        assert {name for name, _ in answers} == {"a", "b"}
        assert {source for name, source in answers if name == "b"} == {POD_A}


@pytest.mark.kernel
def test_a_pod_reaches_itself_through_its_service(net: Net) -> None:
    sync(net, main.Proxy(Local("n1")), [service()], [slice_of(endpoint(POD_A))])
    with net.serve("a", 8080):
        assert net.ask("a", VIP, 80)[0] == "a"


@pytest.mark.kernel
def test_the_node_itself_is_a_client_also_of_its_own_processes(net: Net) -> None:
    proxy = main.Proxy(Local("n1"))
    sync(net, proxy, [service()], [slice_of(endpoint(POD_B))])
    with net.serve("b", 8080):
        assert net.ask("node", VIP, 80)[0] == "b"
    sync(net, proxy, [service(port=443)], [slice_of(endpoint(NODE_IP), port=6443)])
    with net.serve("node", 6443):
        assert net.ask("node", VIP, 443)[0] == "node"
        assert net.ask("a", VIP, 443) == ["node", POD_A]


@pytest.mark.kernel
def test_a_node_port_is_masqueraded_unless_its_policy_is_local(net: Net) -> None:
    remote = endpoint(POD_B, node="n2")
    proxy = main.Proxy(Local("n1"))
    with net.serve("a", 8080), net.serve("b", 8080):
        sync(net, proxy, [service(node_port=30080)], [slice_of(remote)])
        assert net.ask("outside", NODE_IP, 30080) == ["b", "10.244.2.1"]
        local = service(node_port=30080, externalTrafficPolicy="Local")
        sync(net, proxy, [local], [slice_of(remote, endpoint(POD_A))])
        assert {tuple(net.ask("outside", NODE_IP, 30080)) for _ in range(8)} == {("a", OUTSIDE_IP)}
        sync(net, proxy, [local], [slice_of(remote)])
        with pytest.raises(TimeoutError):
            net.ask("outside", NODE_IP, 30080)
        assert net.ask("a", NODE_IP, 30080)[0] == "b", "the cluster itself may still use any backend"


@pytest.mark.kernel
def test_an_address_without_backends_refuses_at_once(net: Net) -> None:
    proxy = main.Proxy(Local("n1"))
    sync(net, proxy, [service(node_port=30080)], [])
    for client, address, port in (("a", VIP, 80), ("node", VIP, 80), ("outside", NODE_IP, 30080), ("a", VIP, 81)):
        with pytest.raises(ConnectionRefusedError):
            net.ask(client, address, port)


@pytest.mark.kernel
def test_a_client_stays_with_its_backend_while_the_table_changes(net: Net) -> None:
    proxy = main.Proxy(Local("n1"))
    sticky = service(sessionAffinity="ClientIP")
    both = slice_of(endpoint(POD_A), endpoint(POD_B))
    with net.serve("a", 8080), net.serve("b", 8080):
        sync(net, proxy, [sticky], [both])
        first = net.ask("a", VIP, 80)[0]
        for round_ in range(6):
            other = {**service(), "metadata": {"name": f"s{round_}", "namespace": "x"}}
            other["spec"] = {**other["spec"], "clusterIP": f"10.96.1.{round_}"}
            sync(net, proxy, [sticky, other], [both])
            assert net.ask("a", VIP, 80)[0] == first
        gone = slice_of(endpoint(POD_B if first == "a" else POD_A))
        sync(net, proxy, [sticky], [gone])
        assert net.ask("a", VIP, 80)[0] != first


@pytest.mark.kernel
@pytest.mark.parametrize(("client", "address", "port"), [("a", VIP, 53), ("outside", NODE_IP, 30053)])
def test_a_udp_flow_leaves_a_dead_backend(net: Net, client: Any, address: Any, port: Any) -> None:
    proxy = main.Proxy(Local("n1"))
    dns = service("UDP", 53, node_port=30053)
    sync(net, proxy, [dns], [slice_of(endpoint(POD_A), port=5353, protocol="UDP")])
    with (
        net.serve("a", 5353, socket.SOCK_DGRAM),
        net.serve("b", 5353, socket.SOCK_DGRAM),
        net.open_socket(client, socket.SOCK_DGRAM) as flow,
    ):
        flow.connect((address, port))
        flow.send(b"x")
        assert flow.recv(100).split()[0] == b"a"
        sync(net, proxy, [dns], [slice_of(endpoint(POD_B), port=5353, protocol="UDP")])
        flow.send(b"x")
        assert flow.recv(100).split()[0] == b"b"


@pytest.mark.kernel
@pytest.mark.parametrize(("client", "address", "port"), [("a", VIP, 53), ("outside", NODE_IP, 30053)])
def test_a_udp_flow_that_began_too_early_is_translated_once_there_is_a_backend(
    net: Net, client: Any, address: Any, port: Any
) -> None:
    proxy = main.Proxy(Local("n1"))
    sync(net, proxy, [], [])
    with net.serve("b", 5353, socket.SOCK_DGRAM), net.open_socket(client, socket.SOCK_DGRAM) as flow:
        flow.sendto(b"x", (address, port))
        backends = [slice_of(endpoint(POD_B), port=5353, protocol="UDP")]
        sync(net, proxy, [service("UDP", 53, node_port=30053)], backends)
        flow.sendto(b"x", (address, port))
        assert flow.recv(100).split()[0] == b"b"


def test_own_addresses_are_the_local_leaves_of_the_routing_table() -> None:
    text = "        |-- 10.0.0.0\n           /24 link UNICAST\n        |-- 10.0.0.1\n           /32 host LOCAL\n"
    assert main.own_addresses(text) == {"10.0.0.1"}


@pytest.mark.kernel
def test_the_table_accepts_every_shape_and_replacing_it_is_idempotent(net: Net) -> Any:
    shapes = [
        service(
            node_port=30080, sessionAffinity="ClientIP", externalTrafficPolicy="Local", externalIPs=["198.51.100.1"]
        ),
        service("UDP", 53),
    ]
    shapes[1]["metadata"] = {"name": "dns", "namespace": "kube-system"}
    offered = frontends(shapes, [slice_of(endpoint(POD_A), endpoint(POD_B))], "n1")
    known = {affinity_set(offered[-1], offered[-1].cluster[0]): [Client("10.244.9.9", 60)]}
    text = render(shapes, [slice_of(endpoint(POD_A), endpoint(POD_B))], Local("n1"), known)

    async def twice() -> Any:
        await main.nft("-f", "-", text=text)
        first = await main.nft("-s", "list", "table", "ip", "kube-proxy")
        kept = main.clients(await main.nft("-j", "list", "table", "ip", "kube-proxy"))
        await main.nft("-f", "-", text=text)
        return first, await main.nft("-s", "list", "table", "ip", "kube-proxy"), kept

    first, second, kept = net.run("node", twice())
    assert first == second
    assert [client.address for found in kept.values() for client in found] == ["10.244.9.9"]


@pytest.mark.kernel
def test_nft_says_what_is_wrong(net: Net) -> None:
    with pytest.raises(main.NftError, match="syntax error"):
        net.run("node", main.nft("-f", "-", text="nonsense"))


def test_ready_backends_first_then_those_that_still_serve() -> None:
    ready, ending, dead = Backend("10.0.0.1", 1), Backend("10.0.0.2", 1), Backend("10.0.0.3", 1)
    known = [
        (ready, {"ready": True}),
        (ending, {"ready": False, "serving": True, "terminating": True}),
        (dead, {"ready": False, "serving": False, "terminating": False}),
    ]
    assert usable(known) == (ready,)
    assert usable(known[1:]) == (ending,)
    assert usable(known[2:]) == ()


def test_headless_services_and_aliases_need_no_rules() -> None:
    headless, alias = service(clusterIP="None"), service(type="ExternalName", clusterIP="")
    assert frontends([headless, alias], [slice_of(endpoint(POD_A))], "n1") == []


def test_rendering_does_not_depend_on_the_order_of_endpoints() -> None:
    one, two = endpoint(POD_A), endpoint(POD_B)
    forward = render([service()], [slice_of(one, two)], Local("n1"))
    assert forward == render([service()], [slice_of(two, one)], Local("n1"))


def offered(address: Any, backends: Any, node_port: Any = 0) -> Any:
    made = tuple(Backend(each, 53) for each in backends)
    return Frontend("x/dns/udp/", "udp", 53, address, (), node_port, made, made, False, False, 0)


places = st.tuples(st.sampled_from(["10.96.0.1", "10.96.0.2", "10.0.0.1", "10.0.0.2"]), st.sampled_from([53, 54]))


@given(
    st.lists(st.builds(Flow, places, places, places)),
    st.sets(st.sampled_from(["10.0.0.1", "10.0.0.2"])),
    st.sets(st.sampled_from(["10.0.0.1", "10.0.0.2"])),
)
def test_only_flows_to_the_service_that_lost_their_backend_are_stale(found: Any, before: Any, after: Any) -> None:
    then, now = [offered("10.96.0.1", sorted(before))], [offered("10.96.0.1", sorted(after))]
    gone = flows.stale(found, then, now, ["10.0.0.1"])
    meant = {(address, 53) for address in after}
    assert all(flow.asked == ("10.96.0.1", 53) and flow.answered_by not in meant for flow in gone)
    assert flows.stale([flow for flow in found if flow not in gone], then, now, ["10.0.0.1"]) == []
    assert flows.has_changed(then, now) == (before != after)


@given(places, places)
def test_a_flow_is_named_to_the_kernel_as_the_kernel_names_it(source: Any, asked: Any) -> None:
    reply = conntrack.original(Flow(asked, source, source)).replace(b"\x01\x80", b"\x02\x80", 1)
    attributes = conntrack.original(Flow(source, asked, asked)) + reply
    assert conntrack.parse(attributes) == Flow(source, asked, asked)


@pytest.mark.kernel
async def test_nothing_is_written_when_nothing_changed(net: Net) -> None:
    proxy = main.Proxy(Local("n1"))
    same = frontends([service()], [slice_of(endpoint(POD_A))], "n1")
    first = await asyncio.to_thread(net.run, "node", proxy.sync(same))
    again = await asyncio.to_thread(net.run, "node", proxy.sync(list(same)))
    assert (first, again) == (True, False)
