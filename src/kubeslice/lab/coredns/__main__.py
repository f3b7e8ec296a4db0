"""`python -m kubeslice.lab.coredns -conf Corefile`: the program behind the image `coredns/coredns`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from kubeslice.kube.config import in_cluster
from kubeslice.kube.http import HttpApi
from kubeslice.lab.coredns import listeners
from kubeslice.lab.coredns.configuration import Configuration
from kubeslice.lab.coredns.corefile import CorefileError
from kubeslice.lab.coredns.server import Mark, Server, follow, mark, read
from kubeslice.lab.coredns.view import ApiView
from kubeslice.runtime import logs

log = logging.getLogger(__name__)


async def serve(path: Path, known: Mark, configuration: Configuration, api: HttpApi) -> None:
    """Answer until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    view = ApiView(api)
    server = Server(view)
    async with asyncio.TaskGroup() as group:
        await server.use(configuration)
        tasks = [group.create_task(_view(view, configuration), name="view")]
        if configuration.reloads:
            tasks.append(group.create_task(follow(path, server, known), name="reload"))
        checks = await _checks(view, configuration)
        log.info("serving %s", ", ".join(sorted(f"{site.zone or '.'}:{site.port}" for site in configuration.sites)))
        await stop.wait()
        await asyncio.sleep(configuration.lame_duck)
        for task in tasks:
            task.cancel()
        for check in checks:
            check.close()
        server.close()


async def _view(view: ApiView, configuration: Configuration) -> None:
    if _needs_cluster(configuration):
        await view.run()


async def _checks(view: ApiView, configuration: Configuration) -> list[asyncio.Server]:
    made = []
    if configuration.health_port:
        made.append(await listeners.check(configuration.health_port, lambda: True))
    if configuration.ready_port:
        is_ready = _needs_cluster(configuration)
        made.append(await listeners.check(configuration.ready_port, lambda: view.is_synced or not is_ready))
    return made


def _needs_cluster(configuration: Configuration) -> bool:
    return any(site.kubernetes for site in configuration.sites)


async def _run(path: Path, known: Mark, configuration: Configuration) -> None:
    async with HttpApi(in_cluster(), "coredns") as api:
        await serve(path, known, configuration, api)


def main() -> int:
    """Read the Corefile and serve; return the exit status."""
    parser = argparse.ArgumentParser(prog="coredns")
    parser.add_argument("-conf", type=Path, default=Path("Corefile"))
    arguments = parser.parse_args()
    logs.configure("coredns")
    try:
        known = mark(arguments.conf)
        configuration = read(arguments.conf)
    except (CorefileError, OSError) as error:
        log.error("%s: %s", arguments.conf, error)
        return 1
    asyncio.run(_run(arguments.conf, known, configuration))
    return 0


if __name__ == "__main__":
    sys.exit(main())
