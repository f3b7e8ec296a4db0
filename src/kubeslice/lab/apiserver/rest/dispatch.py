"""The one HTTP handler: who asks, for what, may they, and who answers. Refusals become `Status` bodies here."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.authz import refusal
from kubeslice.lab.apiserver.identity import impersonation
from kubeslice.lab.apiserver.interfaces import ApiError, Attributes, UserInfo
from kubeslice.lab.apiserver.rest import creating, deleting, parts, patching, reading, scaling, updating, watching
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.documents import Documents
from kubeslice.lab.apiserver.rest.paths import ResourcePath, parse, verb_of
from kubeslice.lab.apiserver.reviews.answers import answer_of, review
from kubeslice.lab.apiserver.selection import fields
from kubeslice.lab.apiserver.streams import execution, logs
from kubeslice.lab.apiserver.types.resource import ResourceType

log = logging.getLogger(__name__)

Handler = Callable[[Backend, Call], Awaitable[web.StreamResponse]]


class Dispatcher:
    """Routes every request of one server."""

    def __init__(self, backend: Backend, documents: Documents) -> None:
        self._backend = backend
        self._documents = documents

    async def __call__(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, whatever comes of it."""
        try:
            return await self._answer(http)
        except ApiError as error:
            return _refused(error)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("%s %s failed", http.method, http.path)
            return _refused(refusals.internal(f"{type(error).__name__}: {error}"))

    async def _answer(self, http: web.BaseRequest) -> web.StreamResponse:
        user = self._identify(http)
        path = parse(http.rel_url.raw_path)
        if not isinstance(path, ResourcePath):
            self._authorize(user, Attributes(_plain_verb(http.method), path=http.path))
            return self._documents.answer(http, path)
        watch = http.query.get("watch") in ("true", "1")
        verb = verb_of(http.method, path, watch=watch)
        self._authorize(user, _attributes(verb, path, http.query.get("fieldSelector", "")))
        type_ = self._backend.catalog.find(path.group, path.version, path.plural)
        if type_ is None and not self._backend.catalog.resources(path.group, path.version):
            return web.Response(status=404, text="404 page not found\n")
        if type_ is None or (type_.namespaced and not path.namespace and path.name):
            raise refusals.no_such_path()
        call = Call(http, path, verb, type_, user, http.query)
        response = await _handler(call)(self._backend, call)
        if call.warnings and not response.prepared:
            for warning in call.warnings:
                response.headers.add("Warning", f'299 - "{warning.replace(chr(34), chr(92) + chr(34))}"')
        return response

    def _identify(self, http: web.BaseRequest) -> UserInfo:
        user = self._backend.authentication.identify(http.headers.get("Authorization"))
        if "Impersonate-User" not in http.headers and not _impersonates(http):
            return user
        headers: dict[str, list[str]] = defaultdict(list)
        for name, value in http.headers.items():
            headers[name.lower()].append(value)
        return impersonation.impersonate(self._backend.authorizer, user, headers)

    def _authorize(self, user: UserInfo, asked: Attributes) -> None:
        decision = self._backend.authorizer.decide(user, asked)
        if not decision.allowed:
            raise refusal(user, asked, decision)


def _impersonates(http: web.BaseRequest) -> bool:
    return any(name.startswith("Impersonate-") for name in http.headers)


def _plain_verb(method: str) -> str:
    return "get" if method in ("GET", "HEAD") else method.lower()


def _attributes(verb: str, path: ResourcePath, selector: str) -> Attributes:
    name = path.name or (_selected_name(selector) if verb in ("list", "watch") else "")
    return Attributes(verb, path.group, path.version, path.plural, path.subresource, path.namespace, name)


def _selected_name(selector: str) -> str:
    """Return the one name a list or watch is limited to: roles with resourceNames allow those.

    Source: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
    """
    with contextlib.suppress(fields.FieldSelectorError):
        for term in fields.parse(selector):
            if term.field == "metadata.name" and term.equal:
                return term.value
    return ""


def _handler(call: Call) -> Handler:
    if call.path.subresource:
        return _part_handler(call)
    answer = answer_of(call.type.kind) if call.type.group.startswith("auth") else None
    if answer is not None and call.verb == "create":
        return lambda backend, inner: review(backend, inner, answer)
    misplaced = (
        bool(call.path.name) if call.verb == "create" else call.verb in ("update", "patch") and not call.path.name
    )
    if call.verb not in call.type.verbs or misplaced:
        raise refusals.method_not_allowed()
    return {
        "get": reading.get,
        "list": reading.list_,
        "watch": watching.watch,
        "create": creating.create,
        "update": updating.update,
        "patch": patching.patch,
        "delete": deleting.delete,
        "deletecollection": deleting.delete_collection,
    }[call.verb]


def _part_handler(call: Call) -> Handler:
    part = call.path.subresource
    offered = call.type.subresource(part)
    if offered is None:
        raise refusals.no_such_path()
    if call.verb not in offered.verbs:
        raise refusals.method_not_allowed()
    special = _special(call.type, part)
    if special is not None:
        return special
    return {"get": reading.get, "update": updating.update, "patch": patching.patch}[call.verb]


def _special(type_: ResourceType, part: str) -> Handler | None:
    if part == "scale":
        return scaling.scale
    if type_.custom:
        return None
    return {
        "finalize": parts.finalize,
        "binding": parts.bind,
        "eviction": parts.evict,
        "token": parts.token,
        "log": logs.log,
        "exec": execution.execute,
    }.get(part)


def _refused(error: ApiError) -> web.Response:
    body = orjson.dumps(error.status())
    return web.Response(status=error.code, body=body, headers=error.headers, content_type="application/json")
