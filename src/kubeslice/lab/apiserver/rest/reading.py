"""get and list: objects as they are, or as they were at a resourceVersion that history still reaches."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.rest import presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.selection import Predicate, predicate
from kubeslice.lab.apiserver.schema.complaints import quote
from kubeslice.lab.apiserver.storage.entry import Entry

_FRESHNESS_SECONDS = 3.0
_OLD_VERSION = "The resourceVersion for the provided list is too old."
_OLD_CONTINUATION = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter."
)


async def get(backend: Backend, call: Call) -> web.Response:
    """Answer a get."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    await wait_until_fresh(backend, call.query.get("resourceVersion", ""))
    entry = find(backend, call)
    return web.Response(body=presentation.one(entry, call.type, form), content_type=form.content_type)


def find(backend: Backend, call: Call) -> Entry:
    """Return the object of a path. Raises 404."""
    entry = backend.store.find(call.key)
    if entry is None:
        raise refusals.not_found(call.type.group, call.type.plural, call.path.name)
    return entry


async def wait_until_fresh(backend: Backend, version: str) -> None:
    """Wait until the store has reached a resourceVersion that a client has seen. Raises 504 where it does not."""
    wanted = parse_version(version)
    if wanted > backend.store.revision and not await backend.store.reached(wanted, _FRESHNESS_SECONDS):
        raise refusals.too_large_resource_version(wanted, backend.store.revision)


def parse_version(version: str) -> int:
    """Return a resourceVersion as a number, 0 where there is none."""
    if version and not version.isdigit():
        why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise refusals.bad_request(f'invalid resource version: resourceVersion: Invalid value: "{version}": {why}')
    return int(version or 0)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: its objects, the revision it shows, where the next part starts and how much is left."""

    entries: list[Entry]
    revision: int
    next_name: str = ""
    remaining: int = 0


async def list_(backend: Backend, call: Call) -> web.Response:
    """Answer a list."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    version = call.query.get("resourceVersion", "")
    _check_match(call.query, version)
    if not call.query.get("continue"):
        await wait_until_fresh(backend, version)
    page = _page(backend, call)
    body = presentation.many(page.entries, call.type, form, _list_metadata(page))
    return web.Response(body=body, content_type=form.content_type)


def _check_match(query: Mapping[str, str], version: str) -> None:
    match = query.get("resourceVersionMatch", "")
    why = ""
    if match and not version:
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match and query.get("continue"):
        why = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
    elif match == "Exact" and version == "0":
        why = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    elif match not in ("", "Exact", "NotOlderThan"):
        why = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
    if why:
        reason = "FieldValueNotSupported" if why.startswith("Unsupported") else "FieldValueForbidden"
        raise refusals.invalid("meta.k8s.io", "ListOptions", "", [FieldError("resourceVersionMatch", reason, why)])


def _list_metadata(page: Page) -> Object:
    metadata: Object = {"resourceVersion": str(page.revision)}
    if page.next_name:
        token = {"v": "meta.k8s.io/v1", "rv": page.revision, "start": page.next_name}
        metadata["continue"] = base64.urlsafe_b64encode(orjson.dumps(token)).decode().rstrip("=")
        if page.remaining:
            metadata["remainingItemCount"] = page.remaining
    return metadata


def _page(backend: Backend, call: Call) -> Page:
    limit = _limit(call.query.get("limit", ""))
    selected = predicate(call.type, call.query, call.path.name)
    token = call.query.get("continue", "")
    if token:
        revision, start = _read_token(token)
        return _cut(_past(backend, call, revision, is_continue=True), revision, start, limit, selected)
    version = call.query.get("resourceVersion", "")
    if call.query.get("resourceVersionMatch") == "Exact":
        revision = parse_version(version)
        return _cut(_past(backend, call, revision, is_continue=False), revision, "", limit, selected)
    if not limit:
        found = backend.store.scan(call.type.storage, call.namespace)
        return Page([one for one in found if selected is None or selected(one.obj)], backend.store.revision)
    named = backend.store.scan_at(call.type.storage, backend.store.revision, call.namespace)
    return _cut(named, backend.store.revision, "", limit, selected)


def _limit(text: str) -> int:
    try:
        return int(text or "0")
    except ValueError as error:
        raise refusals.bad_request(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax") from error


def _past(backend: Backend, call: Call, revision: int, *, is_continue: bool) -> list[tuple[str, Entry]]:
    if revision < backend.store.history.oldest:
        raise refusals.expired(_OLD_CONTINUATION if is_continue else _OLD_VERSION)
    return backend.store.scan_at(call.type.storage, revision, call.namespace)


def _read_token(token: str) -> tuple[int, str]:
    try:
        parsed = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(parsed["rv"]), str(parsed["start"])
    except (ValueError, KeyError, TypeError) as error:
        raise refusals.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _cut(named: list[tuple[str, Entry]], revision: int, start: str, limit: int, selected: Predicate | None) -> Page:
    """Take `limit` selected objects from `start` on.

    A full page goes on while anything is left in the collection, selected or not: nobody has looked yet.
    """
    rest = [(name, entry) for name, entry in named if name >= start]
    entries: list[Entry] = []
    for index, (name, entry) in enumerate(rest):
        if limit and len(entries) == limit:
            return Page(entries, revision, name, len(rest) - index if selected is None else 0)
        if selected is None or selected(entry.obj):
            entries.append(entry)
    return Page(entries, revision)
