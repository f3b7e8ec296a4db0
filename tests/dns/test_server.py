"""A real name server on a loopback port, asked with kdig."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kubeslice.dns.metrics import DnsMetrics
from kubeslice.dns.server import NameServer
from kubeslice.plan.services import knot, zone
from kubeslice.plan.services.zone import Endpoint, Record, Service
from kubeslice.runtime.metrics import CollectorRegistry
from tests.disks import a_disk, fill
from tests.dns import ports

pytestmark = pytest.mark.kernel

ENDPOINTS = frozenset({Endpoint("web-0", "worker-2", "10.1.64.20"), Endpoint("web-1", "worker-1", "10.1.0.20")})
WEB = zone.render([Service("shop", "web", ENDPOINTS, aliases=("web.slice.local",))])


class Running:
    def __init__(self, server: NameServer, port: int, directory: Path) -> None:
        self.server = server
        self.port = port
        self.directory = directory

    async def ask(self, name: str, kind: str = "A", *options: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "kdig", "@127.0.0.1", "-p", str(self.port), "+retry=0", "+timeout=1", *options, name, kind,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        return output.decode()

    async def addresses(self, name: str) -> set[str]:
        return set((await self.ask(name, "A", "+short")).split())

    async def until_current(self) -> None:
        async with asyncio.timeout(5):
            while not self.server.is_current:
                await asyncio.sleep(0.002)

    def knotd(self) -> int:
        return int((self.directory / "knot.pid").read_text())


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[Running]:
    port = ports.free()
    server = NameServer(knot.Server(directory, (f"127.0.0.1@{port}",)), "127.0.0.1", DnsMetrics(CollectorRegistry()))
    server.publish(WEB)
    task = asyncio.create_task(server.run())
    result = Running(server, port, directory)
    try:
        await result.until_current()
        yield result
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def running(tmp_path: Any) -> Any:
    async with serving(tmp_path) as result:
        yield result


async def test_services_pods_and_aliases_are_answered(running: Any) -> None:
    assert await running.addresses("web.shop.svc.slice.local") == {"10.1.64.20", "10.1.0.20"}
    assert await running.addresses("web-0.worker-2.web.shop.svc.slice.local") == {"10.1.64.20"}
    assert await running.addresses("web.slice.local") == {"10.1.64.20", "10.1.0.20"}


async def test_answers_live_five_seconds_and_absence_not_at_all(running: Any) -> None:
    assert "5\tIN\tA" in " ".join((await running.ask("web.slice.local")).split(" ")).replace(" ", "\t")
    missing = await running.ask("nobody.shop.svc.slice.local")
    assert "NXDOMAIN" in missing
    assert missing.split("hostmaster.slice.local. ")[1].split()[4] == "0"


async def test_tcp_is_answered_too(running: Any) -> None:
    assert "10.1.64.20" in await running.ask("web-0.worker-2.web.shop.svc.slice.local", "A", "+tcp", "+short")


async def test_other_zones_are_refused(running: Any) -> None:
    assert "REFUSED" in await running.ask("example.org")


async def test_a_change_is_visible_when_the_server_says_it_is_current(running: Any) -> None:
    running.server.publish(WEB | {Record("new.shop.svc.slice.local", "10.1.0.99")})
    await running.until_current()
    assert await running.addresses("new.shop.svc.slice.local") == {"10.1.0.99"}
    running.server.publish(frozenset())
    await running.until_current()
    assert "NXDOMAIN" in await running.ask("web.shop.svc.slice.local")


async def test_a_single_change_is_quick(running: Any) -> None:
    times = []
    for number in range(10):
        started = time.monotonic()
        running.server.publish(WEB | {Record("new.shop.svc.slice.local", f"10.1.0.{number}")})
        await running.until_current()
        times.append(time.monotonic() - started)
    assert sorted(times)[5] < 0.1


async def test_a_large_change_loads_the_zone_file(running: Any) -> None:
    many = frozenset(Record(f"s{number}.shop.svc.slice.local", "10.1.0.99") for number in range(1000))
    running.server.publish(many)
    await running.until_current()
    assert await running.addresses("s999.shop.svc.slice.local") == {"10.1.0.99"}
    assert await running.addresses("web.slice.local") == set()
    running.server.publish(many | WEB)
    await running.until_current()
    assert await running.addresses("web-1.worker-1.web.shop.svc.slice.local") == {"10.1.0.20"}


async def test_a_transaction_somebody_left_open_does_not_stop_changes(running: Any) -> None:
    process = await asyncio.create_subprocess_exec(
        "knotc", "--socket", str(running.directory / "knot.sock"), "zone-begin", "slice.local.",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await process.wait()
    running.server.publish(WEB | {Record("new.shop.svc.slice.local", "10.1.0.99")})
    await running.until_current()
    assert await running.addresses("new.shop.svc.slice.local") == {"10.1.0.99"}


async def test_a_killed_server_comes_back_with_what_was_published_meanwhile(running: Any) -> None:
    dead = running.knotd()
    os.kill(dead, signal.SIGKILL)
    running.server.publish(WEB | {Record("new.shop.svc.slice.local", "10.1.0.99")})
    async with asyncio.timeout(5):
        while await running.addresses("new.shop.svc.slice.local") != {"10.1.0.99"}:
            await asyncio.sleep(0.01)
    assert running.knotd() != dead
    assert await running.addresses("web-0.worker-2.web.shop.svc.slice.local") == {"10.1.64.20"}


async def test_nothing_runs_on_after_the_end(tmp_path: Any) -> None:
    port = ports.free()
    server = NameServer(knot.Server(tmp_path, (f"127.0.0.1@{port}",)), "127.0.0.1", DnsMetrics(CollectorRegistry()))
    server.publish(WEB)
    task = asyncio.create_task(server.run())
    async with asyncio.timeout(5):
        while not server.is_serving:
            await asyncio.sleep(0.01)
    pid = int((tmp_path / "knot.pid").read_text())
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240
    assert not server.is_serving


async def test_on_a_full_disk_old_records_are_answered_and_new_ones_when_there_is_room() -> None:
    many = zone.render([Service("shop", f"web-{number}", ENDPOINTS) for number in range(200)])
    with a_disk(1 << 24) as disk:
        async with serving(disk) as running:
            waste = fill(disk)
            running.server.publish(WEB | many)
            await asyncio.sleep(0.2)
            assert await running.addresses("web.slice.local") == {"10.1.64.20", "10.1.0.20"}
            assert not running.server.is_current
            shutil.rmtree(waste)
            await running.until_current()
            assert await running.addresses("web-199.shop.svc.slice.local") == {"10.1.64.20", "10.1.0.20"}
