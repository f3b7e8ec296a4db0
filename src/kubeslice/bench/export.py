"""`export`: from the creation of a ServiceExport until its name resolves in every cluster of the slice."""

import asyncio
import time

from kubeslice.bench.report import Bound, Budget, Metric, Report, median, percentile
from kubeslice.kube.api import Object
from kubeslice.model.names import DNS_SERVICE, WORKER_NAMESPACE, service_dns
from kubeslice.model.resources import SERVICEEXPORTS, SERVICES
from kubeslice.stage import application, places, scenario, slices
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
        resolvers = {cluster: await _resolver(stage, cluster) for cluster in red.clusters}
        slowest: list[float] = []
        first: list[float] = []
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


async def _resolver(stage: Stage, cluster: str) -> str:
    service = await stage.apis[cluster].get(SERVICES, DNS_SERVICE, WORKER_NAMESPACE)
    return str(service["spec"]["clusterIP"])


async def _export(stage: Stage, tenant: Tenant, name: str, resolvers: dict[str, str]) -> list[float]:
    export: Object = scenario.service_export(tenant)
    export["metadata"]["name"] = name
    started = time.monotonic()
    await stage.apis[tenant.server].create(SERVICEEXPORTS, export)
    domain = service_dns(name, tenant.namespace)
    return await asyncio.gather(
        *(_resolves(stage, cluster, resolver, domain, started) for cluster, resolver in resolvers.items())
    )


async def _resolves(stage: Stage, cluster: str, resolver: str, domain: str, started: float) -> float:
    node = stage.cluster(cluster).nodes[0].name
    while time.monotonic() - started < GIVE_UP:
        query = ["kdig", f"@{resolver}", domain, "A", "+short", "+time=1", "+retry=0"]
        answer = await places.run(node, query)
        if answer.stdout.strip():
            return (time.monotonic() - started) * 1000
    raise NotMeasured(f"{domain} did not resolve in {cluster} within {GIVE_UP:g} s")
