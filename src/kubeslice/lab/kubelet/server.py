"""What the kubelet serves on the node's address: container logs and commands in containers, for the API server."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from kubeslice.lab.kubelet import commands, logreader, spec
from kubeslice.lab.kubelet.logreader import Options
from kubeslice.lab.kubelet.records import Container, Sandbox
from kubeslice.lab.kubelet.worker import Worker
from kubeslice.lab.topology import KUBELET_PORT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHUTDOWN_SECONDS = 1.0


class KubeletServer:
    """Serves one kubelet. `find` returns the worker of a pod by namespace and name."""

    def __init__(self, find: Callable[[str, str], Worker | None], token: str) -> None:
        self._find = find
        self._token = token

    async def run(self, address: str) -> None:
        """Serve until cancelled."""
        app = web.Application(middlewares=[self._authenticated])
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        app.router.add_get("/exec/{namespace}/{pod}/{container}", self._exec)
        app.router.add_get("/healthz", _healthy)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, address, KUBELET_PORT, reuse_address=True).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    @web.middleware
    async def _authenticated(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if request.path != "/healthz" and not hmac.compare_digest(given, f"Bearer {self._token}"):
            raise web.HTTPUnauthorized(text="Unauthorized")
        return await handler(request)

    def _container(self, request: web.Request) -> tuple[Worker, Sandbox, Container]:
        wanted = request.match_info
        worker = self._find(wanted["namespace"], wanted["pod"])
        if worker is None or worker.pod is None:
            raise web.HTTPNotFound(text=f'pod "{wanted["pod"]}" does not exist')
        record = worker.containers.records.get(wanted["container"])
        if record is None or worker.sandbox is None:
            reason, message = worker.containers.waiting.get(wanted["container"], ("ContainerCreating", ""))
            what = f'container "{wanted["container"]}" in pod "{wanted["pod"]}" is waiting to start: '
            raise web.HTTPBadRequest(text=what + (f"{reason}: {message}" if message else reason))
        return worker, worker.sandbox, record

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        worker, _, record = self._container(request)
        assert worker.pod
        attempt = record.restarts
        if _flag(request, "previous"):
            if not attempt:
                raise web.HTTPBadRequest(text=f'previous terminated container "{record.name}" not found')
            attempt -= 1
        path = Path(spec.log_file(worker.pod, record.name, attempt))
        options = _options(request)

        def is_over() -> bool:
            current = worker.containers.records.get(record.name)
            return worker.is_over or current is None or current.restarts != attempt or current.state == "ended"

        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        left = options.limit_bytes
        async for data in logreader.read(path, options, is_over):
            part = data if left is None else data[:left]
            left = None if left is None else left - len(part)
            await response.write(part)
            if left == 0:
                break
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        _, sandbox, record = self._container(request)
        if record.state != "running":
            raise web.HTTPBadRequest(text=f'container "{record.name}" is not running')
        wanted = commands.Wanted(
            command=request.query.getall("command", []),
            stdin=_flag(request, "stdin", "input"),
            stdout=_flag(request, "stdout", "output"),
            stderr=_flag(request, "stderr", "error"),
            terminal=_flag(request, "tty"),
        )
        if not wanted.command:
            raise web.HTTPBadRequest(text="you must specify at least 1 command for the container")
        return await commands.execute(request, wanted, sandbox, record)


def _flag(request: web.Request, *names: str) -> bool:
    return any(request.query.get(name) in {"1", "true", "True"} for name in names)


def _options(request: web.Request) -> Options:
    query = request.query
    since = query.get("sinceTime", "")
    if "sinceSeconds" in query:
        since = logreader.since_text(float(query["sinceSeconds"]), datetime.now(UTC))
    return Options(
        tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
        since=since,
        timestamps=_flag(request, "timestamps"),
        follow=_flag(request, "follow"),
        limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None,
    )


async def _healthy(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")
