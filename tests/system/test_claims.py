"""What the demo claims, held to it one by one on a world that nothing disturbs."""

import asyncio
import itertools
import json
import re
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from kubeslice.demo import proofs
from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model.resources import PODS, SLICECONFIGS, SLICEGATEWAYS
from kubeslice.stage import application, places, slices
from kubeslice.stage.scenario import Tenant
from tests.system import pods
from tests.system.world import World, eventually

NODES = ("worker-1-node-1", "worker-1-node-2")
VXLAN = f"udp port {names.VXLAN_PORT}"


async def test_every_tunnel_is_up(world: World) -> None:
    for tenant, tunnels in ((world.red, "12/12"), (world.blue, "4/4")):
        config = await world.hub.get(SLICECONFIGS, tenant.slice_name, slices.NAMESPACE)
        assert objects.status(config)["tunnels"] == tunnels
        assert objects.is_true(config, "Ready")
        assert objects.is_true(config, "FullyEffective")


async def test_every_cluster_reaches_the_exported_service_by_name(world: World) -> None:
    for tenant in (world.red, world.blue):
        for cluster in tenant.clusters:
            client = await world.place(tenant, cluster)
            page = await application.answered(client, f"http://{tenant.host}/")
            assert page.startswith(f"hello from {tenant.namespace}/web-")
            assert page.strip().endswith(f"in {tenant.server}")


async def test_two_nodes_of_one_cluster_talk_over_the_segment(world: World) -> None:
    async with (
        pods.pod(world, world.red, "worker-1", "first", NODES[0]) as first,
        pods.pod(world, world.red, "worker-1", "second", NODES[1]) as second,
    ):
        assert (first.node, second.node) == NODES
        capture = await places.spawn(NODES[1], ["tcpdump", "-n", "-l", "-T", "vxlan", "-i", "eth0", VXLAN])
        await asyncio.sleep(0.3)
        echo = await first.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", second.address)
        places.end(capture)
        seen, _ = await capture.communicate()
        assert echo.status == 0, echo.stdout
        assert f"{first.address} > {second.address}: ICMP echo request" in seen.decode()


async def test_slices_with_one_subnet_stay_apart(world: World) -> None:
    blue_client = await world.place(world.blue, world.blue.client)
    only_red = await world.place(world.red, world.red.clusters[-1])
    finding = await proofs.kept_apart(world.red, world.blue, blue_client, only_red)
    assert finding.held, finding
    red_server = await world.place(world.red, world.red.server, "web")
    blue_server = await world.place(world.blue, world.blue.server, "web")
    # By address nobody can choose the slice: it is always the own one that answers, or nobody.
    for address in {red_server.address, blue_server.address}:
        output = await application.ask(blue_client, f"http://{address}/")
        answered = output.stdout.decode()
        assert answered.startswith("hello from bank/") if output.status == 0 else not answered
    assert (await application.ask(blue_client, f"http://{blue_server.address}/")).status == 0


async def test_nothing_is_readable_on_the_wan(world: World) -> None:
    client = await world.place(world.red, world.red.client)
    finding = await proofs.nothing_readable(world.stage, world.red, client)
    assert finding.held, finding


async def test_gateways_report_their_tunnels(world: World) -> None:
    for cluster in world.red.clusters:
        found = await world.api(cluster).list(
            SLICEGATEWAYS, names.WORKER_NAMESPACE, labels=f"{names.SLICE_LABEL}={world.red.slice_name}"
        )
        assert len(found.items) == len(world.red.clusters) - 1
        for gateway in found.items:
            planes = objects.status(gateway)["planes"]
            assert {plane["plane"] for plane in planes} == {0, 1}
            for plane in planes:
                _is_a_working_tunnel(plane)
            assert all(peer["publicKey"] for peer in gateway["spec"]["planes"])


def _is_a_working_tunnel(plane: dict[str, Any]) -> None:
    assert plane["state"] == "UP"
    assert plane["generation"] == 1
    assert plane["latencyMicroseconds"] > 0
    assert plane["rxBytes"] > 0
    assert plane["txBytes"] > 0
    assert plane["pathMTU"] >= 1280
    assert re.search(r"kernel|wireguard-go", plane["engine"])
    age = datetime.now(UTC) - datetime.fromisoformat(plane["lastHandshakeTime"])
    assert age.total_seconds() < 180, "WireGuard makes new keys every two minutes"


async def test_every_component_has_metrics_and_health(world: World) -> None:
    wanted = {"gateway": "kubeslice_gateway_tunnel_up", "router": "kubeslice_router", "dns": "kubeslice_dns_records"}
    wanted |= {"worker": "kubeslice_worker", "webhook": "kubeslice_admission", "agent": "kubeslice_reconciles_total"}
    found = (await world.api("worker-1").list(PODS, names.WORKER_NAMESPACE)).items
    for component, metric in wanted.items():
        pod = next(pod for pod in found if re.search(rf"-{component}-", objects.name(pod)))
        port = 9479 if component == "agent" else 8081
        base = f"http://{pod['status']['podIP']}:{port}"
        for path, text in (("/healthz", ""), ("/readyz", ""), ("/metrics", metric)):
            output = await places.run(NODES[0], ["curl", "-sS", "-f", base + path])
            assert output.status == 0, (component, path, output.stderr)
            assert text in output.stdout.decode(), (component, metric)


async def test_a_pod_made_later_has_its_network_from_the_first_moment(world: World) -> None:
    async with pods.pod(world, world.red, "worker-3", "late") as late:
        pod = await world.api("worker-3").get(PODS, "late", world.red.namespace)
        assert [one["name"] for one in pod["spec"]["initContainers"]] == [names.INIT_CONTAINER]
        (network,) = json.loads(objects.annotations(pod)[names.NETWORK_STATUS_ANNOTATION])
        assert (network["interface"], network["ips"], network["default"]) == ("ks0", [late.address], False)
        assert IPv4Address(late.address) in IPv4Network("10.11.128.0/18")
        shown = await late.run("ip", "-j", "addr", "show", "ks0")
        (link,) = json.loads(shown.stdout)
        assert link["address"] == network["mac"]
        assert (await application.ask(late, f"http://{world.red.host}/", seconds=5)).status == 0


async def test_dns_follows_the_pods_behind_a_service(world: World) -> None:
    red = world.red
    client = await world.place(red, red.client)
    for replicas in (3, 1):
        scaled = await world.kubectl(red.server, "-n", red.namespace, "scale", "deploy/web", f"--replicas={replicas}")
        assert scaled.status == 0, scaled.stderr
        answers = await eventually(lambda n=replicas: _resolves_to(client, red, n), f"{replicas} addresses")  # type: ignore[misc]
        assert all(IPv4Address(address) in IPv4Network("10.11.64.0/18") for address in answers)
    await world.settled()


async def _resolves_to(client: application.Place, tenant: Tenant, count: int) -> list[str]:
    output = await client.run("kdig", "+short", tenant.host)
    found = output.stdout.decode().split()
    return found if len(found) == count else []


async def test_a_pod_gives_its_port_back(world: World) -> None:
    async with pods.pod(world, world.red, "worker-2", "brief") as brief:
        node, address = brief.node, IPv4Address(brief.address)
        before = await pods.ports(world, world.red, node)
        assert address in before

    async def is_freed() -> bool:
        return await pods.ports(world, world.red, node) == before - {address}

    await eventually(is_freed, "a freed port")


async def test_no_address_is_given_twice(world: World) -> None:
    for tenant in (world.red, world.blue):
        found: list[str] = []
        for cluster in tenant.clusters:
            listing = await world.api(cluster).list(PODS, labels=f"{names.SLICE_LABEL}={tenant.slice_name}")
            found += [objects.labels(pod)[names.OVERLAY_ADDRESS_LABEL] for pod in listing.items]
        assert len(found) >= 2 * len(tenant.clusters)
        assert not [first for first, second in itertools.combinations(found, 2) if first == second]


@pytest.mark.parametrize("words", [("kubeslice-4097",), ("kubeslice-4098",)])
async def test_nodes_never_see_routes_of_slices(world: World, words: tuple[str]) -> None:
    for node in NODES:
        routes = await places.run(node, ["ip", "-4", "route", "show", "table", "all"])
        assert b"10.11." not in routes.stdout
        assert words[0].encode() in (await places.run(node, ["ip", "netns", "list"])).stdout
