"""`kubeslice demo`: the whole story in order. Ends with status 0 only if every claim held."""

import asyncio
from contextlib import AsyncExitStack

from rich.console import Console

from kubeslice.demo import inventory, proofs
from kubeslice.demo.findings import Finding, cleaned
from kubeslice.demo.screen import Screen
from kubeslice.stage import application, slices
from kubeslice.stage.application import Place
from kubeslice.stage.play import play, reason
from kubeslice.stage.scenario import Tenant, tenants
from kubeslice.stage.stage import Stage, clusters

DID_NOT_HOLD = 1
TIMEOUT = 300.0
SETTLE_TRIES = 50
LINES_TO_EXPLORE = """
The lab is still running. Look around:

  kubeslice lab kubeconfig > lab.kubeconfig && export KUBECONFIG=$PWD/lab.kubeconfig
  kubeslice slice get
  kubeslice slice status red
  kubectl --context worker-1 get slices,slicegateways -n kubeslice-system
  kubectl --context worker-1 -n shop exec deploy/client -- curl -s http://web.shop.svc.slice.local
  kubeslice lab cut worker-1 worker-2      and then: kubeslice slice status red --watch
  kubeslice lab down
"""
LINES_TO_TRY = """
Try next:

  kubeslice demo --keep        the same, and leave the clusters running to explore them
  kubeslice lab up             clusters of your own on this machine
  kubeslice bench slice-ready  measure it
"""


def run(*, keep: bool, workers: int) -> int:
    """Run the demo; return the exit status."""
    console = Console(highlight=False)
    screen = Screen(console)
    try:
        findings = play(_whole(screen, keep=keep, workers=workers), TIMEOUT)
    except Exception as failure:  # noqa: BLE001 - a newcomer gets a sentence, not a traceback
        console.print(f"[red]the demo failed:[/] {reason(failure)}")
        return DID_NOT_HOLD
    screen.findings(findings)
    screen.say(LINES_TO_EXPLORE if keep else LINES_TO_TRY)
    return 0 if all(finding.held for finding in findings) else DID_NOT_HOLD


async def _whole(screen: Screen, *, keep: bool, workers: int) -> list[Finding]:
    before = inventory.of_machine()
    findings = await _story(screen, keep=keep, workers=workers)
    if not keep:
        left = sorted(inventory.of_machine() - before)
        findings.append(cleaned("the lab leaves nothing on the machine", left))
    return findings


async def _story(screen: Screen, *, keep: bool, workers: int) -> list[Finding]:
    async with AsyncExitStack() as stack:
        async with screen.step(f"a hub and {workers} workers are up, with the same pod and service networks"):
            stage = await stack.enter_async_context(clusters(workers, keep=keep))
        async with screen.step("the hub is installed, every worker has joined with its own credential"):
            await stage.install()
        red, blue = tenants(stage.workers)
        async with screen.step("the applications run, not yet connected"):
            await asyncio.gather(*(application.deploy(stage.apis, tenant) for tenant in (red, blue)))
        nodes_before = await inventory.of_nodes(stage)
        findings = await _connect(screen, stage, red, blue)
        findings += await _prove(screen, stage, red, blue)
        if not keep:
            findings.append(await _disconnect(screen, stage, (red, blue), nodes_before))
            async with screen.step("the lab is down"):
                await stack.aclose()
        return findings


async def _connect(screen: Screen, stage: Stage, red: Tenant, blue: Tenant) -> list[Finding]:
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with screen.step(f"slice red on {len(red.clusters)} clusters, blue on {len(blue.clusters)}, same subnet"):
        for tenant in (red, blue):
            await slices.apply(stage, tenant)
            await slices.export(stage, tenant)
        configs = [await slices.ready(stage, tenant) for tenant in (red, blue)]
    ready = Finding("both slices are ready", f"{loop.time() - started:.1f} s after they were applied", held=True)
    return [ready, *map(proofs.tunnels, configs)]


async def _prove(screen: Screen, stage: Stage, red: Tenant, blue: Tenant) -> list[Finding]:
    client, server = await _place(stage, red, red.client, "client"), await _place(stage, red, red.server, "web")
    blue_client = await _place(stage, blue, blue.client, "client")
    async with screen.step(f"a pod in {red.client} asks {red.host}"):
        findings = [await proofs.named_request(red, client)]
    async with screen.step("latency and throughput, against the raw path"):
        findings += await proofs.figures(stage, client, server)
    async with screen.step("what an observer on the WAN can read"):
        findings.append(await proofs.nothing_readable(stage, red, client))
    red_only = await _place(stage, red, red.clusters[-1], "client")
    async with screen.step("a pod of blue tries to reach red"):
        findings.append(await proofs.kept_apart(red, blue, blue_client, red_only))
    return findings


async def _disconnect(screen: Screen, stage: Stage, slices_made: tuple[Tenant, ...], nodes_before: set[str]) -> Finding:
    async with screen.step("the slices are deleted"):
        left: list[str] = []
        for tenant in slices_made:
            await slices.delete(stage, tenant)
            left += await inventory.of_slice(stage, tenant.slice_name)
        left += await _settled(stage, nodes_before)
    return cleaned("deleted slices leave nothing in the clusters", left)


async def _settled(stage: Stage, before: set[str]) -> list[str]:
    """Return what the nodes hold beyond `before`, giving agents and kubelets a moment to finish."""
    for _ in range(SETTLE_TRIES):
        left = await inventory.of_nodes(stage) - before
        if not left:
            break
        await asyncio.sleep(0.1)
    return sorted(left)


async def _place(stage: Stage, tenant: Tenant, cluster: str, app: str) -> Place:
    return await application.place(stage.apis[cluster], tenant, cluster, app)
