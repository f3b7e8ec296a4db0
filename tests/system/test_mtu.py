"""Paths that take large packets and paths that take small ones, told or not: no black hole, and few bytes are wasted.

In a lab of its own, whose links take 9000 bytes.
"""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.lab import commands
from kubeslice.model import names
from kubeslice.model.resources import SLICEGATEWAYS
from kubeslice.stage import application, places, scenario, slices
from kubeslice.stage.application import Place
from kubeslice.stage.stage import Stage, installed
from tests.system.world import eventually

LINK, WIREGUARD = 9000, 60
TOTAL = 4_000_000
SERVE = f"""
import socket, threading
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('', 7001))
ear = socket.create_server(('', 7000))
def echo():
    while True:
        data, sender = udp.recvfrom(65535); udp.sendto(data, sender)
threading.Thread(target=echo, daemon=True).start()
print('ready', flush=True)
while True:
    one, _ = ear.accept(); one.sendall(bytes({TOTAL})); one.close()
"""
FETCH = """
import json, socket, sys
with socket.create_connection((sys.argv[1], 7000), timeout=10) as stream:
    size = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    got = sum(len(part) for part in iter(lambda: stream.recv(1 << 16), b''))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.settimeout(1)
echoed = 0
for length in (1000, 1300, 4000, 8800):
    for _ in range(3):
        udp.sendto(bytes(length), (sys.argv[1], 7001))
        try: echoed += len(udp.recv(65535)) == length
        except TimeoutError: continue
        break
print(json.dumps({'got': got, 'segment': size, 'echoed': echoed}))
"""


@dataclass(frozen=True)
class Pair:
    """Two pods in two clusters, the second of which serves."""

    stage: Stage
    client: Place
    server: Place

    async def measured(self, mtu: int) -> None:
        """Wait until every plane has found that MTU, in both directions."""
        for local, remote in (("worker-1", "worker-2"), ("worker-2", "worker-1")):
            await eventually(lambda a=local, b=remote: self._has(a, b, mtu), f"pathMTU {mtu}", 60)  # type: ignore[misc]

    async def _has(self, local: str, remote: str, mtu: int) -> bool:
        gateway = await self.gateway(local, remote)
        found = [plane.get("pathMTU") for plane in objects.status(gateway).get("planes") or []]
        return bool(found) and all(each == mtu for each in found)

    async def gateway(self, local: str, remote: str) -> Object:
        """Return one side of the pair."""
        name = names.slice_gateway("red", local, remote)
        return await self.stage.apis[local].get(SLICEGATEWAYS, name, names.WORKER_NAMESPACE)

    async def carries(self, path: int) -> None:
        """Bulk and large datagrams get through, in packets that use the path."""
        output = await self.client.run("python3", "-c", FETCH, self.server.address)
        assert output.status == 0, output.stderr.decode()
        seen = json.loads(output.stdout)
        assert seen["got"] == TOTAL
        assert seen["echoed"] == 4
        assert seen["segment"] + 52 >= 0.95 * (path - WIREGUARD)
        assert seen["segment"] + 52 <= path - WIREGUARD


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(lab_name: str) -> AsyncIterator[Pair]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBESLICE_LAB", f"{lab_name}-mtu{os.getpid()}")
        async with installed(2, 1, mtu=LINK) as stage:
            red, _ = scenario.tenants(stage.workers)
            await application.deploy(stage.apis, red)
            await slices.apply(stage, red)
            await slices.ready(stage, red)
            ends = [await application.place(stage.apis[name], red, name, "client") for name in stage.workers]
            server = await places.spawn(ends[1].target, ["python3", "-c", SERVE])
            assert server.stdout is not None
            assert await server.stdout.readline() == b"ready\n"
            yield Pair(stage, *ends)


async def test_links_with_large_packets_are_used(pair: Pair) -> None:
    await pair.measured(LINK - 80)
    await pair.carries(LINK)


async def test_a_narrow_path_is_found_and_used(pair: Pair) -> None:
    try:
        commands.narrow("worker-1", "worker-2", 1280, places.lab(), icmp=False)
        await pair.measured(1216)
        await pair.carries(1280)
        commands.narrow("worker-1", "worker-2", 1200, places.lab())
        await pair.measured(1136)
        await pair.carries(1200)
        gateway = await pair.gateway("worker-1", "worker-2")
        degraded = objects.condition(gateway, "Degraded") or {}
        assert degraded["status"] == "True"
        assert "packets of 1200 bytes only" in degraded["message"]
    finally:
        commands.heal(name=places.lab())
