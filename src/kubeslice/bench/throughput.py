"""`throughput`: one path, many ways: raw, bare tunnel engines, through slices of both engines, rivals; and their cost.

All are measured in one run between the same two nodes, in rounds, so that a noisy machine disturbs all alike.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console

from kubeslice.bench import engines, rivals
from kubeslice.bench.engines import End, Tunnel
from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median
from kubeslice.stage import application, places, probes, processes, processors, slices
from kubeslice.stage.probes import Path
from kubeslice.stage.processors import Find
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage, installed

ROUNDS = 3
OF_ENGINE = Budget(Bound.AT_LEAST, 0.95, on_ratio=True)
OF_OPENVPN = Budget(Bound.AT_LEAST, 4.0, on_ratio=True)
AS_OPENVPN = Budget(Bound.AT_LEAST, 1.0, on_ratio=True)
GIGABYTE = 1e9
OPENVPN = {"sliceGatewayProvider": {"sliceGatewayType": "OpenVPN", "sliceCaType": "Local"}, "gatewayReplicas": 1}
SLICES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "one plane": ("red", {"gatewayReplicas": 1}),
    "two planes": ("blue", {"gatewayReplicas": 2}),
    "openvpn slice": ("green", OPENVPN),
}
Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Way:
    """A path and how to find the programs that carry it."""

    path: Path
    programs: Find


async def measure(rounds: int = ROUNDS) -> Report:
    """Measure TCP on every way; with 4 streams, small UDP packets and ping where WireGuard is the engine."""
    console = Console(stderr=True, highlight=False)
    samples: Samples = defaultdict(list)
    async with installed(workers=2) as stage:
        ways = {name: await _slice(stage, *wanted) for name, wanted in SLICES.items()}
        client, server = await _nodes(stage)
        raw = Way(Path(client.run, server.run, server.underlay), _nothing)
        for number in range(rounds):
            await _sample(raw, "raw", samples)
            async with _bare(engines.wireguard(client, server), client, server) as bare:
                await _sample(bare, "engine", samples)
            await _sample(ways["one plane"], "one plane", samples)
            await _sample(ways["two planes"], "two planes", samples)
            await _tcp(ways["openvpn slice"], "openvpn slice", samples)
            for name, tunnel in _others().items():
                async with _bare(tunnel(client, server), client, server) as bare:
                    await _tcp(bare, name, samples)
            console.print(f"  round {number + 1} of {rounds} done", soft_wrap=True)
    return Report("throughput", _metrics(samples), samples)


def _others() -> dict[str, Any]:
    """Return what else there is to compare with."""
    known = {"nebula": rivals.nebula, "tinc": rivals.tinc}
    return {"openvpn": engines.openvpn, **{name: known[name] for name in rivals.present()}}


async def _nothing() -> list[int]:
    return []


async def _slice(stage: Stage, name: str, more: Mapping[str, Any]) -> Way:
    """Bring up a slice and return the way through it, between two pods of it."""
    tenant = Tenant(name, f"{name}-shop", tuple(stage.workers), stage.workers[1])
    await application.create_namespaces(stage.apis, tenant)
    await slices.apply(stage, tenant, more)
    nodes = {cluster: stage.cluster(cluster).nodes[0].name for cluster in tenant.clusters}
    client, server = await application.meters(stage.apis, tenant, nodes)
    await slices.ready(stage, tenant)
    path = Path(partial(places.run, client.target), partial(places.run, server.target), server.address)

    async def programs() -> list[int]:
        engine = ("wireguard-go", "openvpn")
        return [one.pid for one in await processes.of_pods(stage) if one.slice_name == name and one.kind in engine]

    return Way(path, programs)


async def _nodes(stage: Stage) -> tuple[End, End]:
    nodes = [stage.cluster(cluster).nodes[0] for cluster in stage.workers[:2]]
    client, server = (End(partial(places.run, node.name, kinds=places.NETWORK), node.address) for node in nodes)
    return client, server


@asynccontextmanager
async def _bare(tunnel: AbstractAsyncContextManager[Tunnel], client: End, server: End) -> AsyncIterator[Way]:
    async with tunnel as made:
        yield Way(made.path, partial(processors.in_networks, (client.run, server.run), made.program))


async def _sample(way: Way, name: str, samples: Samples) -> None:
    await _tcp(way, name, samples)
    samples[f"{name} tcp 4"].append(await probes.tcp(way.path, streams=4) / 1e6)
    samples[f"{name} udp"].append(await probes.small_packets(way.path))
    samples[f"{name} rtt"].append(median(await probes.round_trips(way.path)))


async def _tcp(way: Way, name: str, samples: Samples) -> None:
    """Sample TCP with one stream, and the processor time of the programs that carried it."""
    pids = await way.programs()
    before = processors.spent(pids)
    rate = await probes.tcp(way.path)
    seconds = processors.spent(pids).since(before)
    samples[f"{name} tcp 1"].append(rate / 1e6)
    if seconds is not None:
        carried = rate / 8 * (probes.SECONDS + probes.WARM_UP)
        samples[f"{name} cost"].append(seconds / (carried / GIGABYTE))


def _metrics(samples: Mapping[str, list[float]]) -> dict[str, Metric]:
    middle = {name: median(values) for name, values in samples.items()}
    one, go = middle["one plane tcp 1"], middle["openvpn tcp 1"]
    metrics = {
        "TCP, one plane ÷ bare engine": Metric(one, "Mbit/s", middle["engine tcp 1"], OF_ENGINE),
        "TCP, one plane ÷ OpenVPN as in Go": Metric(one, "Mbit/s", go, OF_OPENVPN),
        "TCP, OpenVPN slice ÷ OpenVPN as in Go": Metric(middle["openvpn slice tcp 1"], "Mbit/s", go, AS_OPENVPN),
    }
    pairs = {
        "TCP, two planes ÷ bare engine": ("two planes tcp 1", "engine tcp 1", "Mbit/s"),
        "TCP, 4 streams, one plane ÷ bare engine": ("one plane tcp 4", "engine tcp 4", "Mbit/s"),
        "TCP, 4 streams, two planes ÷ bare engine": ("two planes tcp 4", "engine tcp 4", "Mbit/s"),
        "TCP, one plane ÷ raw path": ("one plane tcp 1", "raw tcp 1", "Mbit/s"),
        "TCP, one plane ÷ Nebula": ("one plane tcp 1", "nebula tcp 1", "Mbit/s"),
        "TCP, one plane ÷ tinc": ("one plane tcp 1", "tinc tcp 1", "Mbit/s"),
        "UDP of 64 bytes, one plane ÷ bare engine": ("one plane udp", "engine udp", "packets/s"),
        "round trip, one plane ÷ bare engine": ("one plane rtt", "engine rtt", "ms"),
        "processor, one plane ÷ bare engine": ("one plane cost", "engine cost", "s/GB"),
        "processor, two planes ÷ bare engine": ("two planes cost", "engine cost", "s/GB"),
        "processor, OpenVPN slice ÷ OpenVPN as in Go": ("openvpn slice cost", "openvpn cost", "s/GB"),
        "processor, one plane ÷ Nebula": ("one plane cost", "nebula cost", "s/GB"),
        "processor, one plane ÷ tinc": ("one plane cost", "tinc cost", "s/GB"),
    }
    taken = {what: ends for what, ends in pairs.items() if ends[0] in middle and ends[1] in middle}
    return metrics | {what: Metric(middle[a], unit, middle[b]) for what, (a, b, unit) in taken.items()}
