"""The form in which a client wants objects: whole, as a Table, or as metadata only, by its Accept header."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.refusals import not_acceptable
from kubeslice.lab.apiserver.storage.entry import Entry
from kubeslice.lab.apiserver.tables import render
from kubeslice.lab.apiserver.types.resource import ResourceType

_ACCEPTED = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_READABLE = ("application/json", "application/*", "*/*")


@dataclass(frozen=True, slots=True)
class Presentation:
    """How to show objects."""

    form: Literal["object", "table", "metadata"] = "object"
    yaml: bool = False
    include: str = "Metadata"

    @property
    def content_type(self) -> str:
        """The media type of the answer."""
        return "application/yaml" if self.yaml else "application/json"


def negotiate(accept: str, query: Mapping[str, str]) -> Presentation:
    """Choose the first form a client accepts that there is. Raises 406 where there is none."""
    for clause in accept.split(",") if accept else ("*/*",):
        media, *parameters = [part.strip() for part in clause.split(";")]
        chosen = _form(dict(one.partition("=")[::2] for one in parameters))
        if chosen and (media in _READABLE or media == "application/yaml"):
            include = query.get("includeObject") or "Metadata"
            return Presentation(chosen, yaml=media == "application/yaml", include=include)
    raise not_acceptable(_ACCEPTED)


def _form(parameters: Mapping[str, str]) -> Literal["object", "table", "metadata"] | None:
    kind, group, version = parameters.get("as", ""), parameters.get("g"), parameters.get("v")
    if not kind:
        return "object"
    if (group, version) != ("meta.k8s.io", "v1"):
        return None
    if kind == "Table":
        return "table"
    return "metadata" if kind in ("PartialObjectMetadata", "PartialObjectMetadataList") else None


def encode(value: Object, *, yaml: bool = False) -> bytes:
    """Write a value in the form that was agreed."""
    if not yaml:
        return orjson.dumps(value)
    from yaml import safe_dump  # noqa: PLC0415 - few clients ask for it and it is slow to import

    return bytes(safe_dump(value, sort_keys=True).encode())


def shown(entry: Entry, type_: ResourceType) -> Object:
    """Return a stored object in the version of a resource; not to be changed."""
    return type_.conversion.present(entry.obj) if type_.conversion else entry.obj


def raw(entry: Entry, type_: ResourceType) -> bytes:
    """Return the JSON of a stored object in the version of a resource."""
    if type_.conversion is None:
        return entry.raw
    obj = type_.conversion.present(entry.obj)
    return entry.raw if obj is entry.obj else orjson.dumps(obj)


def one(entry: Entry, type_: ResourceType, form: Presentation) -> bytes:
    """Encode one object as the answer to a request for it."""
    if form.form == "object" and not form.yaml:
        return raw(entry, type_)
    return encode(_one(entry, type_, form), yaml=form.yaml)


def _one(entry: Entry, type_: ResourceType, form: Presentation) -> Object:
    obj = shown(entry, type_)
    if form.form == "table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return render.table([obj], type_.columns, form.include, metadata)
    return render.metadata_only(obj) if form.form == "metadata" else obj


def many(entries: list[Entry], type_: ResourceType, form: Presentation, metadata: Object) -> bytes:
    """Encode a list as the answer to a request for it."""
    if form.form == "table":
        objects = [shown(entry, type_) for entry in entries]
        return encode(render.table(objects, type_.columns, form.include, metadata), yaml=form.yaml)
    if form.form == "metadata":
        partial = [render.metadata_only(shown(entry, type_)) for entry in entries]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return encode(head | {"items": partial}, yaml=form.yaml)
    head = {"kind": type_.list_kind, "apiVersion": type_.api_version, "metadata": metadata}
    if form.yaml:
        return encode(head | {"items": [orjson.loads(item) for item in _items(entries, type_)]}, yaml=True)
    items = b",".join(_items(entries, type_))
    return orjson.dumps(head)[:-1] + b',"items":[' + items + b"]}"


def _items(entries: list[Entry], type_: ResourceType) -> list[bytes]:
    """Return the JSON of list items: those of built-in kinds do not repeat kind and version."""
    if type_.custom:
        return [raw(entry, type_) for entry in entries]
    head = f'{{"kind":"{type_.kind}","apiVersion":"{type_.api_version}",'.encode()
    found = [raw(entry, type_) for entry in entries]
    return [b"{" + text[len(head) :] if text.startswith(head) else text for text in found]


def event_encoder(type_: ResourceType, form: Presentation) -> Callable[[str, Entry], bytes]:
    """Return what encodes watch events; only the first Table of a watch has its head."""
    headed = True

    def table_line(kind: str, entry: Entry) -> bytes:
        nonlocal headed
        obj = shown(entry, type_)
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        body = render.table([obj], type_.columns, form.include, metadata, headed=headed)
        headed = False
        return line(kind, orjson.dumps(body))

    if form.form == "table":
        return table_line
    if form.form == "metadata":
        return lambda kind, entry: line(kind, orjson.dumps(render.metadata_only(shown(entry, type_))))
    return lambda kind, entry: line(kind, raw(entry, type_))


def line(kind: str, body: bytes) -> bytes:
    """Frame one watch event."""
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"
