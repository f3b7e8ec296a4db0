"""The demo's proofs: each tries what it claims on the running lab, and returns what it found."""

import statistics
from functools import partial

from kubeslice.demo.findings import Finding, encryption
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model.resources import SERVICES
from kubeslice.stage import application, places, probes, scenario
from kubeslice.stage.application import Place
from kubeslice.stage.capture import marker
from kubeslice.stage.observer import observer
from kubeslice.stage.probes import Path
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage

SECONDS = 2


async def named_request(tenant: Tenant, client: Place) -> Finding:
    """Ask the exported service by its name from another cluster; the page says who answered."""
    page = await application.answered(client, f"http://{tenant.host}/")
    greeting = page.strip().splitlines()[0]
    held = _is_from(tenant, page) and tenant.server in greeting
    return Finding(f"{tenant.client} asks http://{tenant.host}", f"“{greeting}”", held)


def tunnels(slice_config: Object) -> Finding:
    """Judge that every tunnel of the slice is up."""
    count = str(objects.status(slice_config).get("tunnels") or "0/0")
    up, _, wanted = count.partition("/")
    name = objects.name(slice_config)
    return Finding(f"WireGuard tunnels of {name} are up", f"{count}", wanted not in ("", "0") and up == wanted)


async def figures(stage: Stage, client: Place, server: Place) -> list[Finding]:
    """Measure round trip and TCP goodput through the slice beside the raw path between the two nodes."""
    nodes = {node.name: node.address for node in stage.topology.nodes}
    raw = Path(partial(places.run, client.node), partial(places.run, server.node), nodes[server.node])
    overlay = Path(partial(places.run, client.target), partial(places.run, server.target), server.address)
    rtt = [statistics.median(await probes.round_trips(path, count=20)) for path in (raw, overlay)]
    goodput = [await probes.tcp(path, seconds=SECONDS) / 1e6 for path in (raw, overlay)]
    return [
        Finding("round trip through the slice", f"{rtt[1]:.2f} ms (raw path {rtt[0]:.2f} ms)", held=True),
        Finding("TCP through the slice", f"{goodput[1]:,.0f} Mbit/s (raw path {goodput[0]:,.0f})", goodput[1] > 0),
    ]


async def nothing_readable(stage: Stage, tenant: Tenant, client: Place) -> Finding:
    """Capture the WAN during a request through the slice, and during the same request around it."""
    secret = marker()
    async with observer(stage, secret, sampled=False) as through_slice:
        await application.answered(client, f"http://{tenant.host}/{secret}")
    api = stage.apis[tenant.server]
    service = await api.apply(SERVICES, scenario.node_port(tenant), manager="kubeslice-stage")
    node = stage.cluster(tenant.server).nodes[0]
    url = f"http://{node.address}:{service['spec']['ports'][0]['nodePort']}/{secret}"
    async with observer(stage, secret, sampled=False) as around:
        await application.answered(client, url)
    await api.delete(SERVICES, objects.name(service), tenant.namespace)
    return encryption(through_slice, around)


async def kept_apart(red: Tenant, blue: Tenant, blue_client: Place, red_only: Place) -> Finding:
    """Try to reach red from a pod of blue with the same subnet: by red's name, and where only red has pods."""
    own = await application.answered(blue_client, f"http://{blue.host}/")
    named = await application.ask(blue_client, f"http://{red.host}/")
    echo = await blue_client.run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", red_only.address)
    red_answered = _is_from(red, named.stdout.decode()) or echo.status == 0
    held = _is_from(blue, own) and not red_answered
    what = "red answered" if red_answered else f"red never answered, nor did {red_only.address}; blue answers itself"
    return Finding(f"a pod of {blue.slice_name} cannot reach {red.slice_name}", what, held)


def _is_from(tenant: Tenant, page: str) -> bool:
    return f"hello from {tenant.namespace}/" in page
