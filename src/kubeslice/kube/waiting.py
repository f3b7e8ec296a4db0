"""Waiting for one object to reach a state, by watching it, never by polling."""

import asyncio
from collections.abc import AsyncIterator, Callable

from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError, Gone, Unavailable
from kubeslice.model.resources import Resource

Holds = Callable[[Object | None], bool]


class NotReached(Exception):
    """The state was not reached in time; the message names the object and what was waited for."""


async def until(
    api: Api,
    resource: Resource,
    name: str,
    namespace: str | None,
    holds: Holds,
    *,
    timeout: float,  # noqa: ASYNC109 - the deadline is part of what the caller asks
    what: str = "",
) -> Object | None:
    """Return the object (None when absent) as soon as `holds` says so. Raises `NotReached` after `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            async for obj in _states(api, resource, name, namespace):
                if holds(obj):
                    return obj
    except TimeoutError:
        pass
    place = f"{namespace}/{name}" if namespace else name
    raise NotReached(f"{resource.kind} {place}: {what or 'the state waited for'} was not reached in {timeout:g} s")


async def _states(api: Api, resource: Resource, name: str, namespace: str | None) -> AsyncIterator[Object | None]:
    fields = f"metadata.name={name}"
    backoff = Backoff()
    while True:
        try:
            listing = await api.list(resource, namespace, fields=fields)
            yield listing.items[0] if listing.items else None
            async for event in api.watch(resource, namespace, fields=fields, since=listing.resource_version):
                if event.type != "BOOKMARK":
                    yield None if event.type == "DELETED" else event.object
        except (Gone, Unavailable):
            await asyncio.sleep(backoff.next())
        except ApiError as error:
            if error.status != 404:
                raise
            # The kind itself is not served yet: its CRD is being established.
            await asyncio.sleep(backoff.next())
