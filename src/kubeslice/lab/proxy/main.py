"""The loop of one node: wait for a change, let a burst pass, replace the table, drop UDP flows that point nowhere.

The node's kubelet process awaits `run` inside the node's network namespace.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.informer import Informer
from kubeslice.lab.execution import CommandFailed
from kubeslice.lab.proxy import flows, ruleset
from kubeslice.lab.proxy.conntrack import Conntrack
from kubeslice.lab.proxy.frontends import Frontend, frontends
from kubeslice.lab.proxy.ruleset import Client, Clients, Local
from kubeslice.lab.proxy.speaker import Speaker, held
from kubeslice.model.resources import ENDPOINTSLICES, NODES, SERVICES

log = logging.getLogger(__name__)

BURST = 0.005
NFT_TIMEOUT = 10.0
FIB = Path("/proc/thread-self/net/fib_trie")


class NftError(Exception):
    """nft refused or did not end; the message is its own."""


class Proxy:
    """Brings the kernel to what Services say."""

    def __init__(self, node: Local) -> None:
        self._node = node
        self._applied: Sequence[Frontend] | None = None

    @property
    def node(self) -> str:
        """Return the name of this node."""
        return self._node.name

    def offered(self, services: Iterable[Object], slices: Iterable[Object]) -> list[Frontend]:
        """Return what Services offer on this node."""
        return frontends(services, slices, self._node.name)

    async def sync(self, offered: Sequence[Frontend]) -> bool:
        """Replace the table if anything changed; tell whether it did. Raises `NftError`."""
        if offered == self._applied:
            return False
        clients = await self._clients()
        await nft("-f", "-", text=ruleset.table(offered, self._node, clients))
        before, self._applied = self._applied, list(offered)
        if before is None or flows.has_changed(before, offered):
            await asyncio.to_thread(_forget_flows, before or [], offered)
        return True

    async def _clients(self) -> Clients:
        if not any(frontend.affinity for frontend in self._applied or ()):
            return {}
        return clients(await nft("-j", "list", "table", "ip", ruleset.TABLE))


@dataclass(frozen=True)
class Seen:
    """What a proxy follows."""

    services: Informer
    slices: Informer
    nodes: Informer

    @property
    def all(self) -> tuple[Informer, ...]:
        """Return every informer."""
        return self.services, self.slices, self.nodes


async def run(api: Api, node_name: str, pod_cidr: str = "10.244.0.0/16", pool: Collection[str] = ()) -> None:
    """Serve Services on this node until cancelled; `pool` are the addresses that load balancers may have."""
    seen = Seen(Informer(api, SERVICES), Informer(api, ENDPOINTSLICES), Informer(api, NODES))
    changed = asyncio.Event()
    for informer in seen.all:
        informer.subscribe(lambda *_: changed.set())
    async with asyncio.TaskGroup() as group:
        for informer in seen.all:
            group.create_task(informer.run(), name=informer.resource.plural)
        for informer in seen.all:
            await informer.synced.wait()
        await _follow(Proxy(Local(node_name, pod_cidr)), Speaker(pool), seen, changed)


async def nft(*arguments: str, text: str = "") -> str:
    """Run nft and return what it prints. Raises `NftError`."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("nft", *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(NFT_TIMEOUT):
            out, err = await process.communicate(text.encode())
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        raise NftError(err.decode(errors="replace").strip())
    return out.decode()


def clients(listing: str) -> dict[str, list[Client]]:
    """Read the clients of each affinity set from `nft -j list table`. Pure."""
    found: dict[str, list[Client]] = {}
    for entry in json.loads(listing)["nftables"]:
        each = entry.get("set") or {}
        if not each.get("name", "").startswith(ruleset.AFFINITY_PREFIX):
            continue
        for element in each.get("elem") or []:
            known = element["elem"]
            found.setdefault(each["name"], []).append(Client(known["val"], int(known["expires"])))
    return found


async def _follow(proxy: Proxy, speaker: Speaker, seen: Seen, changed: asyncio.Event) -> None:
    backoff = Backoff()
    while True:
        await changed.wait()
        await asyncio.sleep(BURST)
        changed.clear()
        try:
            services, slices = seen.services.items(), seen.slices.items()
            await proxy.sync(proxy.offered(services, slices))
            await speaker.sync(held(services, slices, seen.nodes.items(), proxy.node))
        except (NftError, CommandFailed, OSError, TimeoutError) as error:
            log.warning("the table was not replaced: %s", error)
            changed.set()
            await asyncio.sleep(backoff.next())
        else:
            backoff.reset()


def own_addresses(fib: str) -> frozenset[str]:
    """Read a node's own addresses from `/proc/net/fib_trie`: the leaves that are "host LOCAL". Pure."""
    lines = [line.split() for line in fib.splitlines()]
    pairs = pairwise(lines)
    return frozenset(leaf[1] for leaf, kind in pairs if leaf[:1] == ["|--"] and kind[:3] == ["/32", "host", "LOCAL"])


def _forget_flows(before: Sequence[Frontend], after: Sequence[Frontend]) -> None:
    table = Conntrack()
    try:
        gone = flows.stale(table.udp(), before, after, own_addresses(FIB.read_text()))
        table.delete(gone)
    finally:
        table.close()
    if gone:
        log.info("forgot %d UDP flows to endpoints that are gone", len(gone))
