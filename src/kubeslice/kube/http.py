"""`HttpApi`: the seven verbs over HTTP, with connections kept alive and every wait bounded."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any, Self

import h11
import orjson

from kubeslice import __version__
from kubeslice.kube import errors, requests
from kubeslice.kube.api import Listing, Object, Patch, WatchEvent
from kubeslice.kube.config import Connection, acting_as
from kubeslice.kube.connection import Response, Traffic, Wire
from kubeslice.kube.requests import Request
from kubeslice.model.resources import Resource

REQUEST_TIMEOUT = 30.0
WATCH_SECONDS = (240, 360)
WATCH_SLACK = 15.0
MAX_CONNECTIONS = 16
Headers = list[tuple[str, str]]
TRANSPORT_ERRORS = (OSError, TimeoutError, EOFError, h11.ProtocolError)


class HttpApi:
    """One cluster's API server. Made anywhere, used inside one event loop; `close` it, or use it as a context."""

    def __init__(self, connection: Connection, user_agent: str = "") -> None:
        self.traffic = Traffic()
        self._to = connection
        self._agent = user_agent or f"kubeslice/{__version__}"
        self._idle: list[Wire] = []
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def acting_as(self, user: str, groups: Iterable[str] = ()) -> Self:
        """Return a client of the same server that acts as somebody else; it has to be closed too."""
        return type(self)(acting_as(self._to, user, groups), self._agent)

    async def close(self) -> None:
        """Drop the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """Read one object. Raises `NotFound`."""
        return await self._object(requests.get(resource, name, namespace))

    async def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        """Read all objects of a kind, page by page."""
        items: list[Object] = []
        token = ""
        while True:
            body = await self._object(requests.page(resource, namespace, labels, fields, token))
            items += [_typed(resource, item) for item in body.get("items") or []]
            token = body["metadata"].get("continue") or ""
            if not token:
                return Listing(items, body["metadata"].get("resourceVersion", ""))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        since: str = "",
    ) -> AsyncIterator[WatchEvent]:
        """Follow changes until the server ends the stream. Raises `Gone`, `Unavailable`."""
        seconds = random.randint(*WATCH_SECONDS)  # noqa: S311 - spreads reconnects, guards nothing
        request = requests.watch(resource, namespace, labels, fields, since, seconds)
        try:
            async with asyncio.timeout(seconds + WATCH_SLACK):
                async for line in self._lines(request):
                    yield _event(orjson.loads(line))
        except TRANSPORT_ERRORS as error:
            raise errors.no_answer(error) from error

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object. Raises `AlreadyExists`."""
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return await self._object(requests.create(resource, typed))

    async def apply(
        self, resource: Resource, obj: Object, *, manager: str, subresource: str = "", force: bool = True
    ) -> Object:
        """Server-side apply `obj` as field manager `manager`."""
        return await self._object(requests.apply(resource, obj, manager, subresource, force=force))

    async def patch(
        self, resource: Resource, name: str, namespace: str | None, patch: Patch, *, subresource: str = ""
    ) -> Object:
        """Change an object by merge patch (mapping) or JSON patch (sequence)."""
        return await self._object(requests.patch(resource, name, namespace, patch, subresource))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete an object in the background. Raises `NotFound`, or `Conflict` when the uid is another."""
        await self._object(requests.delete(resource, name, namespace, uid, grace_seconds))

    async def send(self, request: Request) -> Object:
        """Send any other request, for what the seven verbs do not say, and return the answered object."""
        return await self._object(request)

    async def _object(self, request: Request) -> Object:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT), self._slots:
                response = await self._exchange(request)
        except TRANSPORT_ERRORS as error:
            raise errors.no_answer(error) from error
        body = _decoded(response.body)
        if response.status >= 300:
            raise errors.from_status(response.status, body)
        return body

    async def _exchange(self, request: Request) -> Response:
        while self._idle:
            wire = self._idle.pop()
            if not wire.is_reusable:
                wire.close()
                continue
            try:
                return await self._on(wire, request)
            except TRANSPORT_ERRORS:
                # The server may close an idle connection at any time; only a create could then have happened twice.
                if wire.answered or request.method == "POST":
                    raise
        return await self._on(await Wire.open(self._to, self.traffic), request)

    async def _on(self, wire: Wire, request: Request) -> Response:
        try:
            response = await wire.exchange(request, self._headers(request))
        except BaseException:
            wire.close()
            raise
        if wire.is_reusable:
            self._idle.append(wire)
        else:
            wire.close()
        return response

    async def _lines(self, request: Request) -> AsyncIterator[bytes]:
        wire = await Wire.open(self._to, self.traffic)
        try:
            status = await wire.start(request, self._headers(request))
            if status >= 300:
                body = b"".join([chunk async for chunk in wire.chunks()])
                raise errors.from_status(status, _decoded(body))
            rest = b""
            async for chunk in wire.chunks():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield line
        finally:
            wire.close()

    def _headers(self, request: Request) -> Headers:
        headers = [("host", self._to.authority), ("accept", requests.JSON), ("user-agent", self._agent)]
        token = self._to.token()
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        return [*headers, *self._to.headers, *request.headers.items()]


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body) if body else {}
    except ValueError:
        value = {"message": body[:200].decode(errors="replace")}
    return value if isinstance(value, dict) else {}


def _typed(resource: Resource, item: Object) -> Object:
    # Items of a list come without their kind; everything downstream wants objects that know what they are.
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}


def _event(line: dict[str, Any]) -> WatchEvent:
    if line["type"] == "ERROR":
        raise errors.from_status(int(line["object"].get("code") or 500), line["object"])
    return WatchEvent(line["type"], line["object"])
