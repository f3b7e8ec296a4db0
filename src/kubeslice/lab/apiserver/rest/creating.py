"""create: from what a client sent to a stored object."""

from dataclasses import dataclass

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.fields import managers, ownership
from kubeslice.lab.apiserver.fields.managers import Holding, Manager
from kubeslice.lab.apiserver.fields.sets import FieldSet
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.kinds.addresses import RESOURCE as SERVICES
from kubeslice.lab.apiserver.kinds.addresses import Reservation
from kubeslice.lab.apiserver.rest import bodies, metadata, plugins, presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call, key_of, now
from kubeslice.lab.apiserver.storage.entry import Entry
from kubeslice.lab.apiserver.storage.store import Overtaken
from kubeslice.lab.apiserver.types.resource import ResourceType

_NAMING_ATTEMPTS = 8
Owners = dict[Manager, Holding]


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write: the state of the object, and the HTTP status that says how it came about."""

    entry: Entry
    code: int


async def create(backend: Backend, call: Call) -> web.Response:
    """Answer a create."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    obj = await bodies.read_typed(call)
    if call.path.name and obj["metadata"].setdefault("name", call.path.name) != call.path.name:
        raise name_mismatch(obj, call)
    entry = await create_object(backend, call, obj)
    return web.Response(status=201, body=presentation.one(entry, call.type, form), content_type=form.content_type)


def name_mismatch(obj: Object, call: Call) -> Exception:
    """400: the body is about another object than the path."""
    name = obj["metadata"].get("name", "")
    return refusals.bad_request(
        f"the name of the object ({name}) does not match the name on the URL ({call.path.name})"
    )


async def create_object(backend: Backend, call: Call, obj: Object, owners: Owners | None = None) -> Entry:
    """Create an object that was read and defaulted; `owners` is given where an apply has decided about them."""
    metadata.place(obj, call.type, call.namespace)
    if obj["metadata"].get("resourceVersion"):
        raise refusals.bad_request("resourceVersion should not be set on objects to be created")
    if owners is None:
        owners = _owners(call, obj)
    managers.write(obj, owners)
    for attempt in range(_NAMING_ATTEMPTS):
        named = orjson.loads(orjson.dumps(obj))
        was_named_here = metadata.name_new(named)
        try:
            return await _create_named(backend, call, named)
        except Overtaken as clash:
            if not was_named_here or attempt == _NAMING_ATTEMPTS - 1:
                name = named["metadata"]["name"]
                raise refusals.already_exists(call.type.group, call.type.plural, name) from clash
    raise AssertionError


def _owners(call: Call, obj: Object) -> Owners:
    manager = managers.manager_of(call.manager, "Update", call.type.api_version)
    ignored: FieldSet = {"f:status": {}} if call.type.has_status else {}
    obj["metadata"].pop("managedFields", None)
    before = ownership.blank(obj, typed=not call.type.custom)
    return ownership.updated(before, obj, call.type.shape, manager, call.type.api_version, now(), ignored)


async def _create_named(backend: Backend, call: Call, obj: Object) -> Entry:
    plugins.admit_create(backend, call, obj)
    request = call.admission_request("CREATE", options_of(call, "CreateOptions"), obj["metadata"].get("name", ""))
    obj = await backend.admission.mutate(request, obj, None) or obj
    obj = bodies.defaulted(call.type, call.type.schema.prune(obj))
    _dress(call.type, obj)
    errors = call.type.schema.validate(obj, None)
    if errors:
        raise refusals.invalid(call.type.group, call.type.kind, obj["metadata"].get("name", ""), errors)
    backend.check_escalation(call.user, obj, None)
    reservation = reserve(backend, call.type, obj, None)
    try:
        await backend.admission.validate(request, obj, None)
        plugins.admit_counted(backend, call, obj)
        entry = _store(backend, call, obj)
    except BaseException:
        backend.addresses.release(reservation)
        raise
    if call.is_dry_run:
        backend.addresses.release(reservation)
    return entry


def _dress(type_: ResourceType, obj: Object) -> None:
    metadata.dress_new(obj, type_, now())
    if type_.has_status and not type_.strategy.keeps_status:
        obj.pop("status", None)
        if not type_.custom:
            obj["status"] = dict.fromkeys(type_.strategy.born_status, 0)
    type_.strategy.prepare(obj, None)


def reserve(backend: Backend, type_: ResourceType, obj: Object, old: Object | None) -> Reservation:
    """Give a Service its addresses; nothing for other kinds."""
    return backend.addresses.reserve(obj, old) if type_.storage == SERVICES else Reservation()


def _store(backend: Backend, call: Call, obj: Object) -> Entry:
    stored = call.type.conversion.store(obj) if call.type.conversion else obj
    key = key_of(call.type, call.namespace, obj["metadata"]["name"])
    if not call.is_dry_run:
        return backend.store.create(key, stored)
    if backend.store.find(key) is not None:
        raise Overtaken
    return Entry(orjson.dumps(stored), 0, stored)


def options_of(call: Call, kind: str) -> Object:
    """Return the options of a write as admission is told them."""
    options: Object = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
    if call.query.get("fieldManager"):
        options["fieldManager"] = call.query["fieldManager"]
    if call.is_dry_run:
        options["dryRun"] = ["All"]
    return options
