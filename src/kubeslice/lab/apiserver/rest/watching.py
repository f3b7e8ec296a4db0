"""watch: the changes of a resource as they happen, from any revision that history still reaches."""

import asyncio
import random
from collections.abc import Callable

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, FieldError, Object
from kubeslice.lab.apiserver.rest import presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.reading import parse_version, wait_until_fresh
from kubeslice.lab.apiserver.rest.selection import Predicate, predicate
from kubeslice.lab.apiserver.storage.entry import Change, Entry
from kubeslice.lab.apiserver.storage.subscription import Subscription

_BOOKMARK_SECONDS = 60.0
_SHORTEST, _LONGEST = 1800, 3600
_INITIAL_END = "k8s.io/initial-events-end"


class Watch:
    """One watch: what it selects and how its events are written."""

    def __init__(self, backend: Backend, call: Call) -> None:
        self._form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
        self._encode: Callable[[str, Entry], bytes] = presentation.event_encoder(call.type, self._form)
        self._selected: Predicate | None = predicate(call.type, call.query, call.path.name)
        self._prefix = f"{call.namespace}/" if call.namespace else ""
        self._type = call.type
        self._store = backend.store
        self.bookmarks = call.query.get("allowWatchBookmarks") in ("true", "1")

    def initial(self, namespace: str) -> bytes:
        """Encode everything there is as additions."""
        found = self._store.scan(self._type.storage, namespace)
        return b"".join(self._encode("ADDED", entry) for entry in found if self._selects(entry))

    def lines(self, changes: list[Change], after: int) -> bytes:
        """Encode what this watch sees of the changes after a revision."""
        return b"".join(self._line(change) for change in changes if change.revision > after)

    def _selects(self, entry: Entry | None) -> bool:
        return entry is not None and (self._selected is None or self._selected(entry.obj))

    def _line(self, change: Change) -> bytes:
        """Encode one change: objects that begin or cease to be selected come and go."""
        if not change.key.name.startswith(self._prefix):
            return b""
        if self._selected is None:
            return self._encode(change.type, change.entry)
        is_selected = change.type != "DELETED" and self._selects(change.entry)
        was_selected = change.type != "ADDED" and (change.previous is None or self._selects(change.previous))
        if is_selected:
            return self._encode("MODIFIED" if was_selected else "ADDED", change.entry)
        return self._encode("DELETED", _gone(change)) if was_selected else b""

    def bookmark(self, *, ends_initial: bool = False) -> bytes:
        """Encode how far the watcher has seen everything."""
        metadata: Object = {"resourceVersion": str(self._store.revision)}
        if ends_initial:
            metadata["annotations"] = {_INITIAL_END: "true"}
        body: Object = {"kind": self._type.kind, "apiVersion": self._type.api_version, "metadata": metadata}
        if self._form.form != "object":
            body = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        if self._form.form == "table":
            row = {"cells": [], "object": body}
            body = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": str(self._store.revision)},
                "columnDefinitions": None,
                "rows": [row],
            }
        return presentation.line("BOOKMARK", orjson.dumps(body))


def _gone(change: Change) -> Entry:
    """Return what a watcher is shown of an object that left its selection: the last state it saw, at this revision."""
    if change.type == "DELETED" or change.previous is None:
        return change.entry
    last = change.previous.copy()
    last["metadata"]["resourceVersion"] = str(change.revision)
    return Entry(orjson.dumps(last), change.revision, last)


async def watch(backend: Backend, call: Call) -> web.StreamResponse:
    """Answer a watch until its time is over or the client leaves."""
    _check(call)
    version = call.query.get("resourceVersion", "")
    wants_initial = call.query.get("sendInitialEvents") in ("true", "1")
    if wants_initial:
        await wait_until_fresh(backend, version)
    stream = Watch(backend, call)
    since = parse_version(version)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.http)
    if since and not wants_initial and since < backend.store.history.oldest:
        too_old = refusals.expired(f"too old resource version: {since} ({backend.store.history.oldest})")
        await response.write(error_line(too_old))
        return response
    subscription = backend.store.subscribe(call.type.storage, call.namespace)
    try:
        await _run(backend, call, stream, response, subscription, initial=wants_initial or not since, since=since)
    finally:
        backend.store.unsubscribe(call.type.storage, subscription, call.namespace)
    return response


async def _run(
    backend: Backend,
    call: Call,
    stream: Watch,
    response: web.StreamResponse,
    subscription: Subscription,
    *,
    initial: bool,
    since: int,
) -> None:
    loop = asyncio.get_running_loop()
    seconds = int(call.query.get("timeoutSeconds") or 0) or random.uniform(_SHORTEST, _LONGEST)  # noqa: S311
    end = loop.time() + seconds
    if initial:
        since = backend.store.revision
        first = stream.initial(call.namespace)
        if call.query.get("sendInitialEvents") and stream.bookmarks:
            first += stream.bookmark(ends_initial=True)
    else:
        first = stream.lines(backend.store.history.since(call.type.storage, since), since)
        since = max(since, backend.store.revision)
    if first:
        await response.write(first)
    while (left := end - loop.time()) > 0 and not subscription.overflowed:
        changes = await subscription.batch(min(left, _BOOKMARK_SECONDS))
        body = stream.lines(changes, since)
        if not changes and stream.bookmarks:
            body = stream.bookmark()
        if body:
            await response.write(body)


def error_line(error: ApiError) -> bytes:
    """Encode a refusal as the last event of a watch."""
    return presentation.line("ERROR", orjson.dumps(error.status()))


def _check(call: Call) -> None:
    match = call.query.get("resourceVersionMatch", "")
    initial = call.query.get("sendInitialEvents", "")
    where = why = ""
    if initial and match != "NotOlderThan":
        where = "resourceVersionMatch"
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and not initial:
        where = "resourceVersionMatch"
        why = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    if why:
        raise refusals.invalid("meta.k8s.io", "ListOptions", "", [FieldError(where, "FieldValueForbidden", why)])
