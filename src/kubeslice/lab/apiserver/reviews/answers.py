"""create of review kinds: the answer is the object with its status."""

from collections.abc import Callable

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.access import reviews
from kubeslice.lab.apiserver.authn import describe
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.rest import bodies
from kubeslice.lab.apiserver.rest.backend import Backend, Call, now

Answer = Callable[[Backend, Call, Object], Object]


def answer_of(kind: str) -> Answer | None:
    """Return what answers a kind of review; None for kinds that are no reviews."""
    return {
        "TokenReview": _token,
        "SelfSubjectReview": _self,
        "SelfSubjectAccessReview": _self_access,
        "SubjectAccessReview": _access,
        "LocalSubjectAccessReview": _access,
        "SelfSubjectRulesReview": _rules,
    }.get(kind)


async def review(backend: Backend, call: Call, answer: Answer) -> web.Response:
    """Answer the create of a review."""
    obj = await bodies.read_typed(call)
    obj.setdefault("metadata", {})
    spec = obj.setdefault("spec", {})
    if call.type.kind == "SelfSubjectReview":
        obj.pop("spec")
        obj["metadata"]["creationTimestamp"] = now()
    obj["status"] = answer(backend, call, spec)
    return web.Response(status=201, body=orjson.dumps(obj), content_type="application/json")


def _token(backend: Backend, _call: Call, spec: Object) -> Object:
    return backend.authentication.review(spec)


def _self(_backend: Backend, call: Call, _spec: Object) -> Object:
    return {"userInfo": describe(call.user)}


def _self_access(backend: Backend, call: Call, spec: Object) -> Object:
    _check(call, reviews.check_review(spec, names_user=False))
    return reviews.review_access(backend.authorizer, call.user, spec)


def _access(backend: Backend, call: Call, spec: Object) -> Object:
    _check(call, reviews.check_review(spec, names_user=True))
    return reviews.review_access(backend.authorizer, reviews.user_of(spec), spec)


def _rules(backend: Backend, call: Call, spec: Object) -> Object:
    return reviews.review_rules(backend.authorizer, call.user, spec.get("namespace", ""))


def _check(call: Call, errors: list[FieldError]) -> None:
    if errors:
        raise refusals.invalid(call.type.group, call.type.kind, "", errors)
