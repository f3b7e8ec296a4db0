"""`export`: from the creation of a ServiceExport until its name resolves in every cluster of the slice."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from kubeslice.bench.metric import Bound, Budget, Metric
from kubeslice.bench.report import Report, median, percentile
from kubeslice.bench.resolver import Resolver
from kubeslice.kube.api import Object
from kubeslice.model.names import DNS_SERVICE, WORKER_NAMESPACE, service_dns
from kubeslice.model.resources import SERVICEEXPORTS, SERVICES
from kubeslice.stage import application, scenario, slices
from kubeslice.stage.probes import NotMeasured
from kubeslice.stage.scenario import Tenant
from kubeslice.stage.stage import Stage, installed

BUDGET = Budget(Bound.AT_MOST, 500.0)
EXPORTS = 30
GIVE_UP = 10.0


async def measure() -> Report:
    """Export one service under many names, one after another, and ask every cluster's DNS until it answers."""
    async with installed(workers=3) as stage:
        red = Tenant("red", "shop", tuple(stage.workers), stage.workers[1])
        await application.deploy(stage.apis, red)
        await slices.apply(stage, red)
        await slices.ready(stage, red)
        await application.place(stage.apis[red.server], red, red.server, "web")
        slowest: list[float] = []
        first: list[float] = []
        async with _resolvers(stage, red.clusters) as resolvers:
            for number in range(EXPORTS):
                times = await _export(stage, red, f"web-{number}", resolvers)
                slowest.append(max(times))
                first.append(min(times))
    return Report(
        "export",
        {
            "resolves in every cluster, p99": Metric(percentile(slowest, 99), "ms", budget=BUDGET),
            "resolves in every cluster, p50": Metric(median(slowest), "ms"),
            "resolves in the first cluster, p50": Metric(median(first), "ms"),
        },
        {"every cluster (ms)": slowest, "first cluster (ms)": first},
    )


@asynccontextmanager
async def _resolvers(stage: Stage, clusters: Iterable[str]) -> AsyncIterator[list[Resolver]]:
    async with AsyncExitStack() as stack:
        resolvers = []
        for cluster in clusters:
            service = await stage.apis[cluster].get(SERVICES, DNS_SERVICE, WORKER_NAMESPACE)
            resolver = await Resolver.at(stage.cluster(cluster).nodes[0].name, service["spec"]["clusterIP"])
            stack.callback(resolver.close)
            resolvers.append(resolver)
        yield resolvers


async def _export(stage: Stage, tenant: Tenant, name: str, resolvers: Iterable[Resolver]) -> list[float]:
    export: Object = scenario.service_export(tenant)
    export["metadata"]["name"] = name
    domain = service_dns(name, tenant.namespace)
    started = time.monotonic()
    await stage.apis[tenant.server].create(SERVICEEXPORTS, export)
    return await asyncio.gather(*(_resolves(resolver, domain, started) for resolver in resolvers))


async def _resolves(resolver: Resolver, domain: str, started: float) -> float:
    try:
        async with asyncio.timeout(GIVE_UP):
            await resolver.until_known(domain)
    except TimeoutError:
        raise NotMeasured(f"{domain} did not resolve in every cluster within {GIVE_UP:g} s") from None
    return (time.monotonic() - started) * 1000
