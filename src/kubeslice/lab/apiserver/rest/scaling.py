"""The scale subresource: the number of replicas of an object as an `autoscaling/v1 Scale`."""

from typing import Any

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.rest import bodies, presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.patching import changer
from kubeslice.lab.apiserver.rest.reading import find
from kubeslice.lab.apiserver.rest.updating import Proposal, write
from kubeslice.lab.apiserver.selection.labels import written
from kubeslice.lab.apiserver.types.resource import ResourceType


async def scale(backend: Backend, call: Call) -> web.Response:
    """Answer a get, update or patch of a scale."""
    if call.http.method == "GET":
        return _answer(call.type, presentation.shown(find(backend, call), call.type))
    if call.http.method == "PUT":
        sent = await bodies.read_object(call.http)
        return await _set(backend, call, lambda _now: sent)
    media = call.http.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    value = bodies.parse_value(await bodies.read(call.http), is_yaml=False)
    return await _set(backend, call, changer(call, media, value))


async def _set(backend: Backend, call: Call, change: Any) -> web.Response:
    def scaled(live: Object) -> Proposal:
        wanted = change(scale_of(call.type, live))
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            why = f"Invalid value: {replicas}: must be greater than or equal to 0"
            error = FieldError("spec.replicas", "FieldValueInvalid", why, replicas)
            raise refusals.invalid("autoscaling", "Scale", call.path.name, [error])
        obj: Object = orjson.loads(orjson.dumps(live))
        obj["metadata"]["resourceVersion"] = (wanted.get("metadata") or {}).get("resourceVersion", "")
        _put(obj, _scale(call.type).spec_replicas, replicas)
        return Proposal(obj)

    outcome = await write(backend, call, scaled)
    return _answer(call.type, presentation.shown(outcome.entry, call.type))


def _scale(type_: ResourceType) -> Any:
    assert type_.scale is not None
    return type_.scale


def _answer(type_: ResourceType, obj: Object) -> web.Response:
    return web.Response(body=orjson.dumps(scale_of(type_, obj)), content_type="application/json")


def scale_of(type_: ResourceType, obj: Object) -> Object:
    """Return the Scale of an object."""
    paths, metadata = _scale(type_), obj["metadata"]
    if type_.custom and _at(obj, paths.spec_replicas) is None:
        raise refusals.internal(f'the spec replicas field ".{".".join(paths.spec_replicas)}" does not exist')
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": _at(obj, paths.status_replicas) or 0}
    selector = _at(obj, paths.selector) if paths.selector else None
    if selector:
        status["selector"] = selector if isinstance(selector, str) else written(selector)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": {"replicas": _at(obj, paths.spec_replicas) or 0},
        "status": status,
    }


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(obj: Object, path: tuple[str, ...], value: Any) -> None:
    place = obj
    for name in path[:-1]:
        place = place.setdefault(name, {})
    place[path[-1]] = value
