"""pods/exec: a client's streams joined to those of a command that the kubelet of the pod's node runs."""

import asyncio
import logging

import aiohttp
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.reading import find
from kubeslice.lab.apiserver.streams import spdychannels
from kubeslice.lab.apiserver.streams.channels import (
    ERROR,
    PROTOCOLS,
    RESIZE,
    STDERR,
    STDIN,
    STDOUT,
    Channels,
    ClientSocket,
    KubeletSocket,
)
from kubeslice.lab.apiserver.streams.kubelet import unreachable
from kubeslice.lab.apiserver.streams.logs import container_of

log = logging.getLogger(__name__)

_NAMES = {"stdin": ("input", STDIN), "stdout": ("output", STDOUT), "stderr": ("error", STDERR), "tty": ("tty", RESIZE)}


async def execute(backend: Backend, call: Call) -> web.StreamResponse:
    """Answer a request to run a command in a container."""
    pod = find(backend, call).obj
    container = container_of(pod, call.query.get("container", ""))
    wanted = frozenset(name for name in _NAMES if call.query.get(name) in ("true", "1"))
    if not wanted - {"tty"}:
        raise refusals.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    if not _is_upgrade(call.http):
        raise refusals.bad_request("Upgrade request required")
    path = f"/exec/{call.namespace}/{call.path.name}/{container}"
    query = [("command", word) for word in call.http.query.getall("command", [])]
    url = backend.kubelets.url(pod, path, query + [(_NAMES[name][0], "1") for name in sorted(wanted)])
    protocols = _protocols(call.http)
    try:
        async with backend.kubelets.session().ws_connect(url, protocols=protocols, max_msg_size=0) as socket:
            return await _joined(call.http, KubeletSocket(socket), wanted, socket.protocol or protocols[0])
    except aiohttp.WSServerHandshakeError as error:
        raise ApiError(error.status, "BadRequest" if error.status == 400 else "InternalError", error.message) from error
    except aiohttp.ClientConnectorError as error:
        raise unreachable(error) from error


def _is_upgrade(http: web.BaseRequest) -> bool:
    return spdychannels.is_spdy(http) or http.headers.get("Upgrade", "").lower() == "websocket"


def _protocols(http: web.BaseRequest) -> tuple[str, ...]:
    """Return what to speak with the kubelet: what the client speaks, so that messages pass as they are."""
    if spdychannels.is_spdy(http):
        return PROTOCOLS[:1]
    offered = [name.strip() for name in http.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    common = tuple(name for name in PROTOCOLS if name in offered)
    if not common:
        raise refusals.bad_request(f"unable to upgrade: none of the protocols {', '.join(PROTOCOLS)} is offered")
    return common[:1]


async def _joined(
    http: web.BaseRequest, kubelet: KubeletSocket, wanted: frozenset[str], protocol: str
) -> web.StreamResponse:
    if not spdychannels.is_spdy(http):
        socket = web.WebSocketResponse(protocols=(protocol,), max_msg_size=0)
        await socket.prepare(http)
        await _pump(ClientSocket(socket), kubelet)
        return socket
    client = await spdychannels.accept(http)
    channels = frozenset(_NAMES[name][1] for name in wanted if not (name == "stderr" and "tty" in wanted))
    if await client.opened(channels | {ERROR}):
        await _pump(client, kubelet)
    return client.response


async def _pump(client: Channels, kubelet: Channels) -> None:
    """Pass messages both ways until the command is over or the client is gone."""
    upward = asyncio.create_task(_copy(client, kubelet), name="exec-input")
    downward = asyncio.create_task(_copy(kubelet, client), name="exec-output")
    try:
        await asyncio.wait((upward, downward), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (upward, downward):
            task.cancel()
        for outcome in await asyncio.gather(upward, downward, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                log.warning("a command's stream broke: %s", outcome)
        await kubelet.close()
        await client.close()


async def _copy(source: Channels, target: Channels) -> None:
    while (message := await source.receive()) is not None:
        await target.send(message)
