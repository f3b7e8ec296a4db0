"""One Knot DNS process: started, fed with the wanted records, started again when it dies.

`publish` only notes what is wanted; one loop brings the server there, so a burst of changes becomes one transaction.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

from kubeslice.dns import control
from kubeslice.dns.control import Refused
from kubeslice.dns.metrics import DnsMetrics
from kubeslice.kube.backoff import Backoff
from kubeslice.linux import files
from kubeslice.linux.files import NoRoom
from kubeslice.plan.services import knot, zone
from kubeslice.plan.services.zone import Record

log = logging.getLogger(__name__)

LOAD_TIMEOUT = 10.0
STOP_TIMEOUT = 1.0
ASK_EVERY = 0.02
AGAIN = 2.0  # seconds until what the disk had no room for is tried again


class NameServer:
    """A supervised name server. `address` is what its own name `ns` in the zone resolves to."""

    def __init__(self, server: knot.Server, address: str, metrics: DnsMetrics) -> None:
        self._server = server
        self._address = address
        self._metrics = metrics
        self._wanted: frozenset[Record] = frozenset()
        self._served: frozenset[Record] | None = None
        self._serial = 0
        self._changed = asyncio.Event()

    @property
    def is_serving(self) -> bool:
        """Tell whether the server runs with a zone loaded."""
        return self._served is not None

    @property
    def is_current(self) -> bool:
        """Tell whether everything published is being answered."""
        return self._served == self._wanted

    def publish(self, records: frozenset[Record]) -> None:
        """Make `records` what the zone shall hold."""
        self._wanted = records
        self._changed.set()

    async def run(self) -> None:
        """Keep the server running and current until cancelled, from the first `publish` on."""
        await self._changed.wait()
        backoff = Backoff(first=0.02, cap=5.0)
        while True:
            try:
                await self._run_once(backoff)
            except (Refused, TimeoutError, OSError, NoRoom) as error:
                log.warning("the name server failed: %s", error or "it did not load its zone in time")
            self._metrics.restarts.inc()
            await asyncio.sleep(backoff.next())

    async def _run_once(self, backoff: Backoff) -> None:
        records = self._wanted
        self._write_zone(records)
        async with self._process() as process:
            await self._until_loaded()
            self._note(records)
            log.info("serving %s with %d records", zone.ZONE, len(records))
            backoff.reset()
            await self._feed(process)

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        configuration = self._write_configuration()
        # Whatever kills this process must not leave a server behind that answers with old records.
        command = ("setpriv", "--pdeathsig", "KILL", "knotd", "--config", str(configuration))
        process = await asyncio.create_subprocess_exec(*command)
        try:
            yield process
        finally:
            self._served = None
            await _stop(process)

    async def _until_loaded(self) -> None:
        async with asyncio.timeout(LOAD_TIMEOUT):
            while not await self._is_loaded():  # noqa: ASYNC110 - another process changes what we wait for
                await asyncio.sleep(ASK_EVERY)

    async def _is_loaded(self) -> bool:
        try:
            answer = await control.send(self._server.socket, knot.status())
        except Refused:
            return False
        return any(f"serial: {self._serial}" in line for line in answer)

    async def _feed(self, process: asyncio.subprocess.Process) -> None:
        death = asyncio.create_task(process.wait())
        try:
            while not death.done():
                self._changed.clear()
                wait = await self._catch_up()
                change = asyncio.create_task(self._changed.wait())
                await asyncio.wait({death, change}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
        finally:
            death.cancel()
        log.warning("the name server ended with status %s", process.returncode)

    async def _catch_up(self) -> float | None:
        """Bring the server up to date; return when to try again if it has to go on with what it has."""
        try:
            await self._bring_up_to_date()
        except NoRoom as obstacle:
            log.warning("the zone stays as it is: %s", obstacle)
            return AGAIN
        return None

    async def _bring_up_to_date(self) -> None:
        wanted = self._wanted
        change = zone.difference(self._served or frozenset(), wanted)
        if not change:
            return
        started = time.monotonic()
        if len(change) > knot.LARGEST_TRANSACTION:
            await self._reload(wanted)
        else:
            await self._transact(change, wanted)
        self._note(wanted)
        self._metrics.seconds.observe(time.monotonic() - started)
        log.info("zone changed: %d records added, %d removed", len(change.added), len(change.removed))

    async def _transact(self, change: zone.Difference, wanted: frozenset[Record]) -> None:
        try:
            await control.send(self._server.socket, knot.transaction(change))
            self._serial += 1
        except Refused as refusal:
            log.warning("a zone transaction failed, loading the whole zone instead: %s", refusal)
            with contextlib.suppress(Refused):
                await control.send(self._server.socket, knot.abort())
            await self._reload(wanted)

    async def _reload(self, records: frozenset[Record]) -> None:
        self._write_zone(records)
        await control.send(self._server.socket, knot.reload())
        await self._until_loaded()

    def _write_configuration(self) -> Path:
        path = Path(self._server.directory / "knot.conf")
        files.write(path, knot.configuration(self._server))
        return path

    def _write_zone(self, records: frozenset[Record]) -> None:
        # One more than the server can have counted to, should an answer to a commit have been lost.
        self._serial = max(self._serial + 2, int(time.time()))
        files.write(Path(self._server.zone_file), knot.zone_file(records, self._serial, self._address))

    def _note(self, records: frozenset[Record]) -> None:
        self._served = records
        self._metrics.records.set(len(records))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
            return
    process.kill()
    await process.wait()
