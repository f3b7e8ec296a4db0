"""The OpenAPI documents of a server, `/openapi/v2` and `/openapi/v3`: `kubectl explain` and `apply` read them.

Documents are made when asked for and kept until the served resources change.
Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import orjson

from kubeslice.lab.apiserver.interfaces import Object, TypeSchema
from kubeslice.lab.apiserver.schema.definitions import Definitions, Style, identity_of
from kubeslice.lab.apiserver.schema.gnostic import encode_document

_INFO = {"title": "Kubernetes", "version": "v1.33.0"}
_ACTIONS = {
    "collection": (
        ("get", "list", "list"),
        ("post", "create", "post"),
        ("delete", "deletecollection", "deletecollection"),
    ),
    "item": (
        ("get", "get", "get"),
        ("put", "update", "put"),
        ("patch", "patch", "patch"),
        ("delete", "delete", "delete"),
    ),
}


class Part(Protocol):
    """A subresource, as far as documents name it."""

    @property
    def name(self) -> str:
        """The last element of its path."""

    @property
    def kind(self) -> str:
        """The kind of its objects."""

    @property
    def group(self) -> str:
        """The group of that kind, empty for the resource's."""

    @property
    def version(self) -> str:
        """The version of that kind, empty for the resource's."""

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be done with it."""


class Served(Protocol):
    """A resource, as far as documents describe it."""

    @property
    def group(self) -> str:
        """Its group."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def plural(self) -> str:
        """Its name in paths."""

    @property
    def kind(self) -> str:
        """The kind of its objects."""

    @property
    def list_kind(self) -> str:
        """The kind of its lists."""

    @property
    def namespaced(self) -> bool:
        """Whether its objects live in namespaces."""

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be done with it."""

    @property
    def subresources(self) -> tuple[Any, ...]:
        """Its subresources, each a `Part`."""

    @property
    def schema(self) -> TypeSchema:
        """The schema of its objects."""


def group_path(group: str, version: str) -> str:
    """Return where a version of a group is served, without the first slash."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def openapi_v2(resources: Iterable[Served]) -> Object:
    """Return the Swagger document of everything that is served."""
    definitions = Definitions(Style.V2)
    paths = dict(_paths(resources, definitions))
    return {"swagger": "2.0", "info": _INFO, "paths": paths, "definitions": definitions.rendered()}


def openapi_v3(resources: Iterable[Served]) -> Object:
    """Return the OpenAPI 3 document of one version of a group."""
    definitions = Definitions(Style.V3)
    paths = dict(_paths(resources, definitions))
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": definitions.rendered()}}


def _paths(resources: Iterable[Served], definitions: Definitions) -> Iterator[tuple[str, Object]]:
    for each in resources:
        definitions.add(each)
        base = f"/{group_path(each.group, each.version)}"
        within = f"{base}/namespaces/{{namespace}}/{each.plural}" if each.namespaced else f"{base}/{each.plural}"
        if each.namespaced and "list" in each.verbs:
            yield f"{base}/{each.plural}", _operations(each, definitions, (("get", "list", "list"),))
        yield within, _operations(each, definitions, _ACTIONS["collection"])
        item = _operations(each, definitions, _ACTIONS["item"])
        if item:
            yield f"{within}/{{name}}", item
        for part in each.subresources:
            kind = _part_kind(each, part)
            yield f"{within}/{{name}}/{part.name}", _operations(each, definitions, _ACTIONS["item"], part, kind)


def _part_kind(each: Served, part: Part) -> Mapping[str, str]:
    group, version = (part.group, part.version) if part.version else (each.group, each.version)
    return {"group": group, "kind": part.kind or each.kind, "version": version}


def _operations(
    each: Served,
    definitions: Definitions,
    actions: tuple[tuple[str, str, str], ...],
    part: Part | None = None,
    kind: Mapping[str, str] | None = None,
) -> Object:
    verbs = part.verbs if part is not None else each.verbs
    described = kind or {"group": each.group, "kind": each.kind, "version": each.version}
    found: Object = {}
    for method, verb, action in actions:
        if verb in verbs:
            found[method] = {
                "description": f"{verb} {each.kind}",
                "operationId": _operation_id(each, verb, part),
                **definitions.body_of(each, method, verb),
                "x-kubernetes-action": action,
                "x-kubernetes-group-version-kind": dict(described),
            }
    if "post" not in found and part is not None and "create" in verbs:
        found["post"] = {
            "operationId": _operation_id(each, "create", part),
            **definitions.body_of(each, "post", "create"),
            "x-kubernetes-action": "post",
            "x-kubernetes-group-version-kind": dict(described),
        }
    return found


def _operation_id(each: Served, verb: str, part: Part | None) -> str:
    group = "".join(word.capitalize() for word in (each.group.partition(".")[0] or "core").split("-"))
    return f"{verb}{group}{each.version.capitalize()}{each.kind}{part.name.capitalize() if part else ''}"


class Catalog(Protocol):
    """The served resources; `version` moves when they change."""

    @property
    def version(self) -> int:
        """How often they changed."""

    def all(self) -> Iterable[Any]:
        """Return all of them, each a `Served`."""


class Documents:
    """Makes the documents of a catalog and keeps their bytes until it changes."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._version = -1
        self._made: dict[tuple[str, bool], tuple[bytes, str]] = {}

    def document(self, path: str, *, is_protobuf: bool = False) -> tuple[bytes, str] | None:
        """Return the document at a path (`/openapi/v3/apis/apps/v1`) with its hash, None where none is.

        Only `/openapi/v2` exists as a protocol buffer, too.
        """
        if self._version != self._catalog.version:
            self._made, self._version = {}, self._catalog.version
        known = self._made.get((path, is_protobuf))
        if known is not None:
            return known
        found = self._make(path)
        if found is None:
            return None
        body = encode_document(found) if is_protobuf else orjson.dumps(found)
        made = self._made[path, is_protobuf] = (body, hashlib.sha512(body).hexdigest().upper())
        return made

    def _make(self, path: str) -> Object | None:
        if path == "/openapi/v2":
            return openapi_v2(self._catalog.all())
        if path == "/openapi/v3":
            return {"paths": {where: {"serverRelativeURL": self._url(where)} for where in self._group_paths()}}
        wanted = path.removeprefix("/openapi/v3/")
        resources = [each for each in self._catalog.all() if group_path(each.group, each.version) == wanted]
        return openapi_v3(resources) if resources else None

    def _group_paths(self) -> list[str]:
        return sorted({group_path(each.group, each.version) for each in self._catalog.all()})

    def _url(self, where: str) -> str:
        served = sorted(
            (identity_of(each.group, each.version, each.kind), each.schema)
            for each in self._catalog.all()
            if group_path(each.group, each.version) == where
        )
        state = repr([(name, getattr(schema, "openapi", None)) for name, schema in served])
        return f"/openapi/v3/{where}?hash={hashlib.sha256(state.encode()).hexdigest().upper()}"
