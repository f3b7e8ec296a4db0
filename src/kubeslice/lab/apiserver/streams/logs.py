"""pods/log: the output of a container, as its kubelet has it."""

from collections.abc import Mapping

import aiohttp
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, Object
from kubeslice.lab.apiserver.kinds.podspec import all_containers
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.reading import find
from kubeslice.lab.apiserver.streams.kubelet import unreachable

_PASSED_ON = ("follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes")


async def log(backend: Backend, call: Call) -> web.StreamResponse:
    """Answer a request for a container's log."""
    pod = find(backend, call).obj
    container = container_of(pod, call.query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return web.Response(status=204)
    path = f"/containerLogs/{call.namespace}/{call.path.name}/{container}"
    url = backend.kubelets.url(pod, path, _options(call.query))
    try:
        async with backend.kubelets.session().get(url) as answer:
            return await _forward(call, answer)
    except aiohttp.ClientConnectorError as error:
        raise unreachable(error) from error


def _options(query: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, query[name]) for name in _PASSED_ON if query.get(name)]


def container_of(pod: Object, name: str) -> str:
    """Return the container that is meant. Raises 400 where there is none, or several to choose from."""
    names = [container["name"] for container in all_containers(pod["spec"])]
    shown = pod["metadata"]["name"]
    if name:
        if name not in names:
            raise refusals.bad_request(f"container {name} is not valid for pod {shown}")
        return name
    regular = [container["name"] for container in pod["spec"]["containers"]]
    if len(regular) == 1:
        return str(regular[0])
    default = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    if default in names:
        return str(default)
    listed = " ".join(regular)
    raise refusals.bad_request(f"a container name must be specified for pod {shown}, choose one of: [{listed}]")


async def _forward(call: Call, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    if answer.status != 200:
        text = (await answer.text()).strip()
        reason = {400: "BadRequest", 404: "NotFound"}.get(answer.status, "InternalError")
        raise ApiError(answer.status, reason, text)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(call.http)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    return response
