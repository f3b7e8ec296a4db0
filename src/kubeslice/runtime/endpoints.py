"""`/healthz`, `/readyz` and `/metrics` on one plain HTTP port, for the kubelet and Prometheus.

h11 again instead of a web framework: three fixed paths do not earn 150 ms of imports in every process.
"""

import asyncio
import contextlib
from collections.abc import Callable

import h11

from kubeslice.runtime.metrics import CONTENT_TYPE, CollectorRegistry, render

TIMEOUT = 5.0
Answer = tuple[int, str, bytes]


class Endpoints:
    """Answers for one process. `is_ready` is asked at each request."""

    def __init__(self, registry: CollectorRegistry, is_ready: Callable[[], bool]) -> None:
        self._registry = registry
        self._is_ready = is_ready

    async def serve(self, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104 - the kubelet asks from the node
        """Listen until cancelled."""
        server = await asyncio.start_server(self._accept, host, port)
        try:
            async with server:
                await server.serve_forever()
        finally:
            server.close()

    def answer(self, target: str) -> Answer:
        """Return status, content type and body for a request target."""
        match target.partition("?")[0]:
            case "/healthz" | "/livez":
                return 200, "text/plain", b"ok\n"
            case "/readyz":
                return (200, "text/plain", b"ok\n") if self._is_ready() else (503, "text/plain", b"not ready\n")
            case "/metrics":
                return 200, CONTENT_TYPE, render(self._registry)
            case _:
                return 404, "text/plain", b"try /healthz, /readyz or /metrics\n"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, h11.ProtocolError):
            async with asyncio.timeout(TIMEOUT):
                await self._exchange(reader, writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        request = await _next_request(http, reader)
        if request is None:
            return
        status, content, body = self.answer(request.target.decode("ascii"))
        headers = [("content-type", content), ("content-length", str(len(body))), ("connection", "close")]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            writer.write(http.send(event) or b"")
        await writer.drain()


async def _next_request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(4096))
        elif isinstance(event, h11.Request):
            return event
        else:
            return None
