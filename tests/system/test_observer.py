"""An observer on the WAN sees tunnels and the Kubernetes API only; what leaks on purpose, he finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubeslice.kube import objects
from kubeslice.model.resources import SERVICES
from kubeslice.stage import application, capture, scenario
from kubeslice.stage.observer import observer
from tests.system.world import World


@asynccontextmanager
async def around_the_slice(world: World) -> AsyncIterator[str]:
    """Yield a URL of red's server that does not lead through the slice."""
    api = world.api(world.red.server)
    service = await api.apply(SERVICES, scenario.node_port(world.red), manager="test")
    try:
        node = world.stage.cluster(world.red.server).nodes[0]
        yield f"http://{node.address}:{service['spec']['ports'][0]['nodePort']}"
    finally:
        await api.delete(SERVICES, objects.name(service), world.red.namespace)


async def test_nothing_but_tunnels_crosses_the_wan(world: World) -> None:
    client, secret = await world.place(world.red, world.red.client), capture.marker()
    async with observer(world.stage, secret, sampled=False) as seen:
        await application.answered(client, f"http://{world.red.host}/{secret}")
    assert seen.findings == []
    assert seen.kinds["WireGuard"] > 0


async def test_a_request_around_the_slice_is_found(world: World) -> None:
    client, secret = await world.place(world.red, world.red.client), capture.marker()
    async with around_the_slice(world) as url, observer(world.stage, secret) as seen:
        await application.answered(client, f"{url}/{secret}")
    assert seen.readable > 0
    assert seen.kinds["unknown"] > 0
    assert any(secret in finding for finding in seen.findings)


async def test_garbage_for_a_gateway_is_found(world: World) -> None:
    gateways = await world.api(world.red.server).list(SERVICES, labels="kubeslice.io/pod-type=slicegateway")
    port = int(gateways.items[0]["spec"]["ports"][0]["nodePort"])
    node = world.stage.cluster(world.red.server).nodes[0]
    client = await world.place(world.red, world.red.client)
    async with observer(world.stage, capture.marker()) as seen:
        sent = await client.run("bash", "-c", f"echo garbage > /dev/udp/{node.address}/{port}")
        assert sent.status == 0, sent.stderr
    assert any(f":{port}, 8 bytes" in finding for finding in seen.findings), seen.findings
