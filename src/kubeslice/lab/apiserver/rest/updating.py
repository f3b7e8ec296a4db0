"""update: the step from one state of an object to the next, for PUT and for every kind of patch."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.authz import refusal
from kubeslice.lab.apiserver.fields import managers, ownership
from kubeslice.lab.apiserver.fields.sets import FieldSet
from kubeslice.lab.apiserver.interfaces import Attributes, FieldError, Object
from kubeslice.lab.apiserver.rest import bodies, metadata, presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call, now
from kubeslice.lab.apiserver.rest.creating import (
    Owners,
    Written,
    create_object,
    name_mismatch,
    options_of,
    reserve,
)
from kubeslice.lab.apiserver.rest.deletion import is_finished
from kubeslice.lab.apiserver.storage.entry import Entry
from kubeslice.lab.apiserver.storage.store import Overtaken
from kubeslice.lab.apiserver.types.resource import ResourceType

_ATTEMPTS = 5
_UNRULY = ("binding", "ephemeralcontainers")  # parts that may change what an update may not


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a write wants an object to be; `owners` where it has decided who owns what, as an apply does."""

    obj: Object
    owners: Owners | None = None


Transform = Callable[[Object], Proposal]


async def update(backend: Backend, call: Call) -> web.Response:
    """Answer a PUT."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    obj = await bodies.read_typed(call)
    if obj["metadata"].setdefault("name", call.path.name) != call.path.name:
        raise name_mismatch(obj, call)
    metadata.place(obj, call.type, call.namespace)
    text = orjson.dumps(obj)

    def replace(_live: Object) -> Proposal:
        return Proposal(orjson.loads(text))

    written = await write(backend, call, replace, creates=call.type.strategy.create_on_update, replaces=True)
    body = presentation.one(written.entry, call.type, form)
    return web.Response(status=written.code, body=body, content_type=form.content_type)


async def write(
    backend: Backend, call: Call, transform: Transform, *, creates: bool = False, replaces: bool = False
) -> Written:
    """Bring an object from its present state to the one that `transform` makes of it, again where somebody was faster.

    `creates` says that it may be made where it is missing, `replaces` that the client states the whole object and so
    has to know which state it replaces.
    """
    for _ in range(_ATTEMPTS):
        entry = backend.store.find(call.key)
        try:
            if entry is None:
                return await _create(backend, call, transform, creates=creates)
            return await _attempt(backend, call, transform, entry, replaces=replaces)
        except Overtaken:
            continue
    raise refusals.modified(call.type.group, call.type.plural, call.path.name)


async def _create(backend: Backend, call: Call, transform: Transform, *, creates: bool) -> Written:
    if not creates or call.path.subresource:
        raise refusals.not_found(call.type.group, call.type.plural, call.path.name)
    _check_may_create(backend, call)
    head: Object = {"apiVersion": call.type.api_version, "kind": call.type.kind, "metadata": {}}
    proposal = transform(head)
    if proposal.obj["metadata"].get("uid"):
        why = f"Precondition failed: UID in precondition: {proposal.obj['metadata']['uid']}, UID in object meta: "
        raise refusals.conflict(call.type.group, call.type.plural, call.path.name, why)
    obj = bodies.defaulted(call.type, proposal.obj)
    return Written(await create_object(backend, call, obj, proposal.owners), 201)


def _check_may_create(backend: Backend, call: Call) -> None:
    """Raise 403 where whoever may update may not create."""
    type_ = call.type
    asked = Attributes(
        "create", type_.group, type_.version, type_.plural, namespace=call.namespace, name=call.path.name
    )
    decision = backend.authorizer.decide(call.user, asked)
    if not decision.allowed:
        raise refusal(call.user, asked, decision)


async def _attempt(backend: Backend, call: Call, transform: Transform, entry: Entry, *, replaces: bool) -> Written:
    type_ = call.type
    live = presentation.shown(entry, type_)
    proposal = transform(live)
    obj = proposal.obj
    _check_version(call, obj, live, replaces=replaces)
    metadata.check_uid(obj, live, type_)
    _confine(call, obj, live)
    owners = proposal.owners if proposal.owners is not None else _owners(call, obj, live)
    managers.write(obj, owners)
    obj = await _admit(backend, call, obj, live)
    return await _finish(backend, call, obj, live, entry)


def _check_version(call: Call, obj: Object, live: Object, *, replaces: bool) -> None:
    stated = obj["metadata"].get("resourceVersion", "")
    if stated and stated != live["metadata"]["resourceVersion"]:
        raise refusals.modified(call.type.group, call.type.plural, call.path.name)
    if not stated and replaces and not call.type.strategy.unconditional_update:
        why = "Invalid value: 0: must be specified for an update"
        error = FieldError("metadata.resourceVersion", "FieldValueInvalid", why)
        raise refusals.invalid(call.type.group, call.type.plural, call.path.name, [error])


def _confine(call: Call, obj: Object, live: Object) -> None:
    """Keep a write to the part of the object that its path is about, in place."""
    type_, part = call.type, call.path.subresource
    if part == "status":
        _confine_to_status(type_, obj, live)
    elif type_.has_status and not part:
        if "status" in live:
            obj["status"] = orjson.loads(orjson.dumps(live["status"]))
        else:
            obj.pop("status", None)


def _confine_to_status(type_: ResourceType, obj: Object, live: Object) -> None:
    status = obj.get("status")
    sent = obj["metadata"]
    for name in [name for name in obj if name not in ("metadata", "status")]:
        del obj[name]
    obj |= {name: value for name, value in live.items() if name not in ("metadata", "status")}
    if status is not None:
        obj["status"] = status
    if type_.custom:
        kept = dict(live["metadata"])
        if "managedFields" in sent:
            kept["managedFields"] = sent["managedFields"]
        obj["metadata"] = kept
    else:
        for name in ("labels", "finalizers", "ownerReferences"):
            sent.pop(name, None)
            if name in live["metadata"]:
                sent[name] = live["metadata"][name]


def ignored_fields(call: Call) -> FieldSet:
    """Return the fields that a write through this path cannot own."""
    if call.path.subresource == "status":
        labels: FieldSet = {} if call.type.custom else {"f:labels": {}, "f:finalizers": {}}
        return {"f:spec": {}, "f:metadata": labels}
    return {"f:status": {}} if call.type.has_status else {}


def _owners(call: Call, obj: Object, live: Object) -> Owners:
    version = call.type.api_version
    manager = managers.manager_of(call.manager, "Update", version, call.path.subresource)
    return ownership.updated(live, obj, call.type.shape, manager, version, now(), ignored_fields(call))


async def _admit(backend: Backend, call: Call, obj: Object, live: Object) -> Object:
    request = call.admission_request("UPDATE", options_of(call, "UpdateOptions"))
    changed = await backend.admission.mutate(request, obj, live)
    if changed is None or changed is obj:
        return obj
    changed = bodies.defaulted(call.type, call.type.schema.prune(changed))
    _confine(call, changed, live)
    return changed


async def _finish(backend: Backend, call: Call, obj: Object, live: Object, entry: Entry) -> Written:
    type_ = call.type
    metadata.dress_update(obj, live, type_, is_new_generation=call.path.subresource != "binding")
    if not call.path.subresource:
        type_.strategy.prepare(obj, live)
    obj["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    before = None if call.path.subresource in _UNRULY else live
    errors = [*metadata.finalizer_errors(obj, live), *type_.schema.validate(obj, before)]
    if errors:
        raise refusals.invalid(type_.group, type_.kind, call.path.name, errors)
    backend.check_escalation(call.user, obj, live)
    reservation = reserve(backend, type_, obj, live)
    try:
        request = call.admission_request("UPDATE", options_of(call, "UpdateOptions"))
        await backend.admission.validate(request, obj, live)
        written = _store(backend, call, obj, live, entry)
    except BaseException:
        backend.addresses.release(reservation)
        raise
    if call.is_dry_run:
        backend.addresses.release(reservation)
    return written


def _store(backend: Backend, call: Call, obj: Object, live: Object, entry: Entry) -> Written:
    if obj == live:
        return Written(entry, 200)
    stored = call.type.conversion.store(obj) if call.type.conversion else obj
    if call.is_dry_run:
        return Written(Entry(orjson.dumps(stored), entry.revision, stored), 200)
    if is_finished(stored, call.type):
        return Written(backend.store.delete(call.key, entry, stored), 200)
    return Written(backend.store.update(call.key, stored, entry), 200)
