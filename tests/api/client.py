"""A neutral HTTP client for the behaviour tests: it sends what it is told and returns what comes back."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.conftest import ApiServer

Object = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Reply:
    """What a server answered."""

    code: int
    body: Any
    headers: dict[str, str]

    def expect(self, code: int = 200) -> Any:
        """Return the body of an answer that must have this code."""
        assert self.code == code, (self.code, self.body)
        return self.body

    @property
    def reason(self) -> Any:
        return self.body["reason"]

    @property
    def causes(self) -> Any:
        return self.body["details"]["causes"]


class Client:
    """Requests by one user."""

    def __init__(self, server: ApiServer, session: aiohttp.ClientSession, token: str | None) -> None:
        self._server = server
        self._session = session
        self._tls = server.tls()
        self._token = token

    def as_user(self, token: str | None) -> "Client":
        """Return a client with another token, or with none."""
        return Client(self._server, self._session, token)

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"User-Agent": "behaviour/1"} | authorization | (headers or {})

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Any = None,
        kind: Any = "application/json",
        **query: Any,
    ) -> Reply:
        data = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
        sent = self._headers({"Content-Type": kind} | (headers or {}) if data is not None else headers)
        async with self._session.request(
            method,
            self._server.url + path,
            data=data,
            headers=sent,
            params=query,
            ssl=self._tls,
            server_hostname=self._server.server_name,
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Reply(response.status, json.loads(text) if is_json else text, dict(response.headers))

    async def get(self, path: str, **query: str) -> Reply:
        return await self.request("GET", path, **query)

    async def create(self, path: str, body: Object, **query: str) -> Reply:
        return await self.request("POST", path, body, **query)

    async def update(self, path: str, body: Object, **query: str) -> Reply:
        return await self.request("PUT", path, body, **query)

    async def patch(self, path: str, kind: str, body: Any, **query: str) -> Reply:
        return await self.request("PATCH", path, body, kind=kind, **query)

    async def apply(self, path: str, body: Object, manager: str, **query: str) -> Reply:
        return await self.patch(path, APPLY_PATCH, body, fieldManager=manager, **query)

    async def delete(self, path: str, body: Object | None = None, **query: str) -> Reply:
        return await self.request("DELETE", path, body, **query)

    async def watch(self, path: str, *, headers: Any = None, **query: Any) -> AsyncGenerator[Object, None]:
        """Yield the events of a watch as they come."""
        async with self._session.get(
            self._server.url + path,
            params={"watch": "true", "timeoutSeconds": "20"} | query,
            headers=self._headers(headers),
            ssl=self._tls,
            server_hostname=self._server.server_name,
        ) as response:
            assert response.status == 200, await response.text()
            async for line in response.content:
                yield json.loads(line)

    async def events(self, path: str, count: int, **query: str) -> list[Object]:
        """Return the first events of a watch."""
        found: list[Object] = []
        async with asyncio.timeout(15):
            async with aclosing(self.watch(path, **query)) as stream:
                async for event in stream:
                    found.append(event)
                    if len(found) == count:
                        break
        return found

    async def until(self, path: str, holds: Callable[[Reply], bool], seconds: float = 15) -> Any:
        """Get again and again until something holds for the answer."""
        async with asyncio.timeout(seconds):
            while True:
                reply = await self.get(path)
                if holds(reply):
                    return reply.body
                await asyncio.sleep(0.05)
