"""Subresources of built-in kinds that are actions: scale, finalize, binding, eviction, token."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.fields import managers
from kubeslice.lab.apiserver.identity.accounts import Bound
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.rest import bodies, deleting, deletion, evictions
from kubeslice.lab.apiserver.rest.backend import Backend, Call, now
from kubeslice.lab.apiserver.rest.reading import find
from kubeslice.lab.apiserver.rest.updating import Proposal, write
from kubeslice.lab.apiserver.selection.labels import selects
from kubeslice.lab.apiserver.storage.entry import Key

_BUDGETS = "policy/poddisruptionbudgets"
_SHORTEST_TOKEN, _DEFAULT_TOKEN = 600, 3600
_BOUND_KINDS = {"Pod": "/pods", "Secret": "/secrets", "Node": "/nodes"}


def _json(value: Object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


async def finalize(backend: Backend, call: Call) -> web.Response:
    """Answer the PUT by which the namespace controller says that a namespace is empty."""
    sent = await bodies.read_typed(call)
    finalizers = (sent.get("spec") or {}).get("finalizers") or []

    def emptied(live: Object) -> Proposal:
        obj: Object = orjson.loads(orjson.dumps(live))
        obj["metadata"]["resourceVersion"] = sent["metadata"].get("resourceVersion", "")
        obj["spec"] = {"finalizers": finalizers} if finalizers else {}
        return Proposal(obj)

    written = await write(backend, call, emptied)
    return web.Response(body=written.entry.raw, content_type="application/json")


async def bind(backend: Backend, call: Call) -> web.Response:
    """Answer the scheduler's choice of a node for a pod."""
    binding = await bodies.read_object(call.http)
    node = (binding.get("target") or {}).get("name", "")
    if not node:
        error = FieldError("target.name", "FieldValueRequired", "Required value")
        raise refusals.invalid("", "Binding", call.path.name, [error])
    if (binding.get("metadata") or {}).get("name") != call.path.name:
        raise refusals.bad_request("name in URL does not match name in Binding object")
    wanted_uid = (binding.get("metadata") or {}).get("uid")

    def bound(live: Object) -> Proposal:
        current = live["spec"].get("nodeName")
        if current or "deletionTimestamp" in live["metadata"]:
            why = f'pod {call.path.name} is already assigned to node "{current}"' if current else "pod is being deleted"
            raise refusals.conflict("", "pods/binding", call.path.name, why)
        obj: Object = orjson.loads(orjson.dumps(live))
        if wanted_uid:
            obj["metadata"]["uid"] = wanted_uid
        obj["spec"]["nodeName"] = node
        _set_condition(obj, {"type": "PodScheduled", "status": "True"})
        return Proposal(obj, owners=managers.read(live) or {})  # the choice of a node belongs to nobody

    await write(backend, call, bound)
    return _json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _set_condition(pod: Object, condition: dict[str, Any]) -> None:
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    fresh = {"lastProbeTime": None, "lastTransitionTime": now()} | condition
    pod["status"]["conditions"] = [one for one in conditions if one["type"] != condition["type"]] + [fresh]


async def evict(backend: Backend, call: Call) -> web.Response:
    """Answer an eviction: a deletion that disruption budgets may refuse for now."""
    eviction = await bodies.read_object(call.http)
    pod = find(backend, call).obj
    if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed", "Pending"):
        _check_budgets(backend, call, pod)
    wanted = deletion.options({}, eviction.get("deleteOptions") or {})
    await deleting.delete_object(backend, call.whole(), call.path.name, wanted)
    return _json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _check_budgets(backend: Backend, call: Call, pod: Object) -> None:
    """Count the pod as going in the budget about it. Raises 429 where that lets none go, 500 for two budgets."""
    labels = pod["metadata"].get("labels") or {}
    found = [
        entry
        for entry in backend.store.scan(_BUDGETS, call.namespace)
        if selects(entry.obj["spec"].get("selector"), labels)
    ]
    if len(found) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise refusals.internal(why)
    for entry in found:
        changed = entry.copy()
        if evictions.is_free(changed, pod):
            continue
        refused = evictions.refusal(changed)
        if refused:
            raise refusals.too_many_requests(
                evictions.SENTENCE, evictions.patience(changed), [{"reason": "DisruptionBudget", "message": refused}]
            )
        evictions.count(changed, call.path.name, now())
        if not call.is_dry_run:
            backend.store.update(Key(_BUDGETS, _name(changed)), changed, entry)


def _name(obj: Object) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


async def token(backend: Backend, call: Call) -> web.Response:
    """Answer a TokenRequest for a service account."""
    request = await bodies.read_object(call.http)
    account = find(backend, call).obj
    spec = request.get("spec") or {}
    seconds = int(spec.get("expirationSeconds") or _DEFAULT_TOKEN)
    if seconds < _SHORTEST_TOKEN:
        why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        error = FieldError("spec.expirationSeconds", "FieldValueInvalid", why, seconds)
        raise refusals.invalid("authentication.k8s.io", "TokenRequest", "", [error])
    asked = {**request, "spec": spec | {"expirationSeconds": seconds}}
    await backend.admission.validate(call.admission_request("CREATE"), asked, None)
    bound, node = _bound(backend, call, spec.get("boundObjectRef"))
    audiences = tuple(spec.get("audiences") or ())
    text, expires = backend.tokens.issue(account, seconds=seconds, audiences=audiences, bound=bound, node=node)
    moment = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer: Object = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
    answer["metadata"] = {"name": call.path.name, "namespace": call.namespace, "creationTimestamp": now()}
    answer["metadata"]["uid"] = account["metadata"]["uid"]
    answer["spec"] = spec | {"expirationSeconds": seconds, "audiences": list(audiences or backend.tokens.audiences)}
    answer["status"] = {"token": text, "expirationTimestamp": moment}
    return _json(answer, 201)


def _bound(backend: Backend, call: Call, reference: Mapping[str, Any] | None) -> tuple[Bound | None, Bound | None]:
    """Return the object a token is to end with and, for a pod, its node."""
    if not reference:
        return None, None
    kind, name = reference.get("kind", ""), reference.get("name", "")
    if kind not in _BOUND_KINDS:
        raise refusals.bad_request(f"cannot bind token for serviceaccount to object of type {kind}")
    place = name if kind == "Node" else f"{call.namespace}/{name}"
    entry = backend.store.find(Key(_BOUND_KINDS[kind], place))
    plural = _BOUND_KINDS[kind][1:]
    if entry is None:
        raise refusals.not_found("", plural, name)
    uid = entry.obj["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
        raise refusals.conflict("", plural, name, f"{why} The object might have been deleted and then recreated")
    return Bound(kind, name, uid), _node_of(backend, kind, entry.obj)


def _node_of(backend: Backend, kind: str, obj: Object) -> Bound | None:
    name = obj.get("spec", {}).get("nodeName", "") if kind == "Pod" else ""
    entry = backend.store.find(Key("/nodes", name)) if name else None
    return Bound("Node", name, entry.obj["metadata"]["uid"]) if entry is not None else None
