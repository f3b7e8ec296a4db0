"""delete and deletecollection."""

from datetime import UTC, datetime

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, Object
from kubeslice.lab.apiserver.rest import bodies, deletion, plugins, presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call, key_of
from kubeslice.lab.apiserver.rest.deletion import DeleteOptions
from kubeslice.lab.apiserver.rest.selection import predicate
from kubeslice.lab.apiserver.storage.entry import Entry
from kubeslice.lab.apiserver.storage.store import Overtaken
from kubeslice.lab.apiserver.wire import protobuf

_ATTEMPTS = 5


async def delete(backend: Backend, call: Call) -> web.Response:
    """Answer a delete."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    wanted = deletion.options(call.query, await _body(call))
    entry, is_gone = await delete_object(backend, call, call.path.name, wanted)
    code = 202 if not is_gone and wanted.orphans is False else 200
    if is_gone and not call.type.strategy.returns_deleted:
        return web.json_response(deletion.success(entry.obj, call.type), dumps=_dumps)
    return web.Response(status=code, body=presentation.one(entry, call.type, form), content_type=form.content_type)


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


async def _body(call: Call) -> Object:
    """Return the DeleteOptions in the body, empty where there is none."""
    if not call.http.body_exists:
        return {}
    body = await bodies.read(call.http)
    if body.startswith(protobuf.MAGIC):
        return bodies.decode_protobuf(body)
    return bodies.parse(body, is_yaml=True) if body else {}


async def delete_object(backend: Backend, call: Call, name: str, wanted: DeleteOptions) -> tuple[Entry, bool]:
    """Delete an object; return its last or present state, and whether it is gone."""
    key = key_of(call.type, call.namespace, name)
    plugins.check_delete(call, name)
    for _ in range(_ATTEMPTS):
        entry = backend.store.find(key)
        if entry is None:
            raise refusals.not_found(call.type.group, call.type.plural, name)
        deletion.check_preconditions(entry.obj, call.type, wanted)
        await _admit(backend, call, name, entry)
        try:
            return _carry_out(backend, call, name, entry, wanted)
        except Overtaken:
            continue
    raise refusals.modified(call.type.group, call.type.plural, name)


async def _admit(backend: Backend, call: Call, name: str, entry: Entry) -> None:
    options: Object = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}
    request = call.admission_request("DELETE", options, name)
    live = presentation.shown(entry, call.type)
    await backend.admission.mutate(request, None, live)
    await backend.admission.validate(request, None, live)


def _carry_out(backend: Backend, call: Call, name: str, entry: Entry, wanted: DeleteOptions) -> tuple[Entry, bool]:
    key = key_of(call.type, call.namespace, name)
    if call.type.storage == "/namespaces" and "deletionTimestamp" in entry.obj["metadata"]:
        return entry, False
    moment = datetime.now(UTC)
    waiting = deletion.marked(entry.obj, call.type, wanted, moment)
    if call.is_dry_run:
        return entry, waiting is None
    if waiting is None:
        return backend.store.delete(key, entry, deletion.ended(entry.obj, call.type, moment)), True
    if waiting == entry.obj:
        return entry, False
    return backend.store.update(key, waiting, entry), False


async def delete_collection(backend: Backend, call: Call) -> web.Response:
    """Answer a deletecollection: every selected object by itself."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    wanted = deletion.options(call.query, await _body(call))
    selected = predicate(call.type, call.query)
    found = backend.store.scan(call.type.storage, call.namespace)
    chosen = [entry for entry in found if selected is None or selected(entry.obj)]
    for entry in chosen:
        await _delete_one(backend, call, entry, wanted)
    metadata = {"resourceVersion": str(backend.store.revision)}
    body = presentation.many(chosen, call.type, form, metadata)
    return web.Response(body=body, content_type=form.content_type)


async def _delete_one(backend: Backend, call: Call, entry: Entry, wanted: DeleteOptions) -> None:
    namespace = entry.obj["metadata"].get("namespace", "")
    inner = call.within(namespace)
    try:
        await delete_object(backend, inner, entry.obj["metadata"]["name"], wanted)
    except ApiError as error:
        if error.code != 404:
            raise
