"""`throughput`: one path, four ways: raw, a bare tunnel engine, through the slice, OpenVPN as the Go implementation.

All are measured in one run between the same two nodes, in rounds, so that a noisy machine disturbs all alike.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial

from kubeslice.bench import engines
from kubeslice.bench.engines import End
from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median
from kubeslice.stage import application, places, probes, slices
from kubeslice.stage.probes import Path
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage, installed

ROUNDS = 3
OF_ENGINE = Budget(Bound.AT_LEAST, 0.95, on_ratio=True)
OF_OPENVPN = Budget(Bound.AT_LEAST, 4.0, on_ratio=True)
Samples = dict[str, list[float]]


async def measure() -> Report:
    """Measure TCP with 1 and 4 streams, small UDP packets and ping on every way."""
    samples: Samples = defaultdict(list)
    async with installed(workers=2) as stage:
        tenant = Tenant("red", "shop", tuple(stage.workers), stage.workers[1])
        await application.deploy(stage.apis, tenant)
        await slices.apply(stage, tenant)
        await slices.ready(stage, tenant)
        through_slice, (client, server) = await _ends(stage, tenant)
        ways = {"raw": Path(client.run, server.run, server.underlay), "slice": through_slice}
        for _ in range(ROUNDS):
            await _sample(ways["raw"], "raw", samples)
            async with engines.wireguard(client, server) as engine:
                await _sample(engine, "engine", samples)
            await _sample(ways["slice"], "slice", samples)
            async with engines.openvpn(client, server) as tunnel:
                samples["openvpn tcp 1"].append(await probes.tcp(tunnel) / 1e6)
    return Report("throughput", _metrics(samples), samples)


async def _ends(stage: Stage, tenant: Tenant) -> tuple[Path, tuple[End, End]]:
    client = await application.place(stage.apis[tenant.client], tenant, tenant.client, "client")
    server = await application.place(stage.apis[tenant.server], tenant, tenant.server, "web")
    nodes = {node.name: node for node in stage.topology.nodes}
    ends = [
        End(partial(places.run, place.node, kinds=places.NETWORK), nodes[place.node].address)
        for place in (client, server)
    ]
    path = Path(partial(places.run, client.target), partial(places.run, server.target), server.address)
    return path, (ends[0], ends[1])


async def _sample(path: Path, way: str, samples: Samples) -> None:
    samples[f"{way} tcp 1"].append(await probes.tcp(path) / 1e6)
    samples[f"{way} tcp 4"].append(await probes.tcp(path, streams=4) / 1e6)
    samples[f"{way} udp"].append(await probes.small_packets(path))
    samples[f"{way} rtt"].append(median(await probes.round_trips(path)))


def _metrics(samples: Mapping[str, list[float]]) -> dict[str, Metric]:
    middle = {name: median(values) for name, values in samples.items()}
    return {
        "TCP, 1 stream ÷ bare engine": Metric(middle["slice tcp 1"], "Mbit/s", middle["engine tcp 1"], OF_ENGINE),
        "TCP, 1 stream ÷ OpenVPN": Metric(middle["slice tcp 1"], "Mbit/s", middle["openvpn tcp 1"], OF_OPENVPN),
        "TCP, 4 streams ÷ bare engine": Metric(middle["slice tcp 4"], "Mbit/s", middle["engine tcp 4"], OF_ENGINE),
        "TCP, 1 stream ÷ raw path": Metric(middle["slice tcp 1"], "Mbit/s", middle["raw tcp 1"]),
        "UDP, 64 bytes ÷ bare engine": Metric(middle["slice udp"], "packets/s", middle["engine udp"]),
        "round trip ÷ bare engine": Metric(middle["slice rtt"], "ms", middle["engine rtt"]),
    }
