"""patch: the four patch formats, each turned into a step from one state of an object to the next."""

from collections.abc import Callable

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, Object
from kubeslice.lab.apiserver.patching import json_patch, merge_patch, strategic
from kubeslice.lab.apiserver.patching.json_patch import PatchFailed
from kubeslice.lab.apiserver.rest import applying, bodies, metadata, presentation
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.creating import name_mismatch
from kubeslice.lab.apiserver.rest.updating import Proposal, Transform, write

_JSON = "application/json-patch+json"
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_APPLY = "application/apply-patch+yaml"
_OPERATIONS_LIMIT = 10_000


async def patch(backend: Backend, call: Call) -> web.Response:
    """Answer a patch."""
    form = presentation.negotiate(call.http.headers.get("Accept", ""), call.query)
    media = call.http.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = await bodies.read(call.http)
    transform = transform_of(call, media, body)
    written = await write(backend, call, transform, creates=media == _APPLY)
    answer = presentation.one(written.entry, call.type, form)
    return web.Response(status=written.code, body=answer, content_type=form.content_type)


def transform_of(call: Call, media: str, body: bytes) -> Transform:
    """Return the step that a patch describes. Raises 415 for formats that the resource does not take."""
    offered = [_JSON, _MERGE, _APPLY] if call.type.custom else [_JSON, _MERGE, _STRATEGIC, _APPLY]
    if media not in offered:
        raise refusals.unsupported_media_type(offered)
    if media == _APPLY:
        return applying.transform(call, bodies.parse(body, is_yaml=True))
    return _patched(call, changer(call, media, bodies.parse_value(body, is_yaml=False)))


def changer(call: Call, media: str, value: object) -> Callable[[Object], Object]:
    """Return the function that applies a patch to a document."""
    if media == _JSON:
        if not isinstance(value, list):
            raise refusals.bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        if len(value) > _OPERATIONS_LIMIT:
            raise refusals.too_large(_OPERATIONS_LIMIT)
        operations = value
        return lambda live: json_patch.apply(live, operations)
    if not isinstance(value, dict):
        raise refusals.bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}")
    document = value
    if media == _MERGE:
        return lambda live: merge_patch.apply(live, document)
    return lambda live: strategic.apply(live, document, call.type.shape)


def _patched(call: Call, change: Callable[[Object], Object]) -> Transform:
    def transform(live: Object) -> Proposal:
        try:
            changed = change(live)
        except PatchFailed as error:
            # What was wrong with the patch is not told, as kube-apiserver does not tell it either.
            raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request") from error
        except (TypeError, AttributeError, KeyError) as error:
            raise refusals.bad_request(f"unable to apply the patch: {error}") from error
        obj = orjson.loads(orjson.dumps(changed))
        return Proposal(_checked(call, obj))

    return transform


def _checked(call: Call, obj: Object) -> Object:
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise refusals.bad_request("the patched object has no metadata")
    bodies.check_kind(obj, call.type)
    obj["metadata"].setdefault("name", call.path.name)
    if obj["metadata"]["name"] != call.path.name:
        raise name_mismatch(obj, call)
    metadata.place(obj, call.type, call.namespace)
    return bodies.typed(call, obj)
