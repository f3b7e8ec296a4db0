"""The definitions of an OpenAPI document: each kind, its list and what they are made of, under the names of Kubernetes.

Source: k8s.io/kube-openapi/pkg/builder and apiextensions-apiserver/pkg/controller/openapi/builder.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from kubeslice.lab.apiserver.interfaces import GroupVersionKind, Object
from kubeslice.lab.apiserver.schema import reflection
from kubeslice.lab.apiserver.schema.builtin import model_of, models
from kubeslice.lab.apiserver.schema.node import ABSENT, Node
from kubeslice.lab.apiserver.schema.reflection import TypeName

_PACKAGES = {
    "meta": "io.k8s.apimachinery.pkg.apis.meta",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}
_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized "
    "schemas to the latest internal value, and may reject unrecognized values. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
)
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
)
_META = (
    "Standard object's metadata. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
_OBJECT_META, _LIST_META = TypeName("meta_v1", "ObjectMeta"), TypeName("meta_v1", "ListMeta")
_DELETE_OPTIONS, _STATUS = TypeName("meta_v1", "DeleteOptions"), TypeName("meta_v1", "Status")
_GVK = "x-kubernetes-group-version-kind"
_V2_UNKNOWN = ("oneOf", "anyOf", "not", "nullable")
_PATCH = {"description": "Patch is provided to give a concrete name and type to a patch body.", "type": "object"}
_PATCH_NAME = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"


class Style(Enum):
    """Which of the two formats is written, by the place of its definitions."""

    V2 = "#/definitions/"
    V3 = "#/components/schemas/"


def name_of(type_name: TypeName) -> str:
    """Return the definition name of a model: `core_v1.Pod` is `io.k8s.api.core.v1.Pod`."""
    group, _, version = type_name.module.rpartition("_")
    return f"{_PACKAGES.get(group, f'io.k8s.api.{group}')}.{version}.{type_name.name}"


def identity_of(group: str, version: str, kind: str) -> str:
    """Return the definition name of a served kind; custom groups are written backwards (`io.kubeslice.controller…`)."""
    model = model_of(GroupVersionKind(group, version, kind))
    if ("." not in group or group.endswith(".k8s.io")) and reflection.exists(model):
        return name_of(model)
    return f"{'.'.join(reversed(group.split('.')))}.{version}.{kind}"


class Definitions:
    """Collects the definitions that a document needs."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._found: dict[str, Object] = {}

    def rendered(self) -> Object:
        """Return all definitions by name."""
        return dict(sorted(self._found.items()))

    def reference(self, name: str) -> Object:
        """Return a reference to a definition."""
        return {"$ref": f"{self._style.value}{name}"}

    def add(self, each: Any) -> None:
        """Add a served kind, its list and what both are made of."""
        name = identity_of(each.group, each.version, each.kind)
        gvk = {"group": each.group, "kind": each.kind, "version": each.version}
        source = getattr(each.schema, "openapi", None)
        if source is None:
            self._model(model_of(GroupVersionKind(each.group, each.version, each.kind)), gvk)
        else:
            self._found[name] = self._custom(source, gvk)
        if "list" in each.verbs:
            self._list(each, name)
        for model in (_DELETE_OPTIONS, _STATUS):
            self._model(model)
        self._found[_PATCH_NAME] = _PATCH

    def _list(self, each: Any, name: str) -> None:
        gvk = {"group": each.group, "kind": each.list_kind or f"{each.kind}List", "version": each.version}
        self._model(_LIST_META)
        self._found[f"{name.rpartition('.')[0]}.{gvk['kind']}"] = {
            "description": f"{gvk['kind']} is a list of {each.kind}",
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": {"description": _API_VERSION, "type": "string"},
                "items": {"description": f"List of {each.plural}.", "type": "array", "items": self.reference(name)},
                "kind": {"description": _KIND, "type": "string"},
                "metadata": self._described_reference(name_of(_LIST_META), "Standard list metadata."),
            },
            _GVK: [gvk],
        }

    def _described_reference(self, name: str, description: str) -> Object:
        if self._style is Style.V2:
            return {"description": description, **self.reference(name)}
        return {"description": description, "default": {}, "allOf": [self.reference(name)]}

    def _custom(self, source: Object, gvk: Mapping[str, str]) -> Object:
        self._model(_OBJECT_META)
        rendered: Object = self._translated(source) if source else {"type": "object"}
        properties = {
            **rendered.get("properties", {}),
            "apiVersion": {"description": _API_VERSION, "type": "string"},
            "kind": {"description": _KIND, "type": "string"},
            "metadata": self._described_reference(name_of(_OBJECT_META), _META),
        }
        rendered["properties"] = dict(sorted(properties.items()))
        if not source:
            rendered["x-kubernetes-preserve-unknown-fields"] = True
        return {**rendered, _GVK: [dict(gvk)]}

    def _translated(self, schema: Any) -> Any:
        """Return a custom schema as this format can say it."""
        if isinstance(schema, list):
            return [self._translated(each) for each in schema]
        if not isinstance(schema, dict) or self._style is Style.V3:
            return dict(schema) if isinstance(schema, dict) else schema
        if schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-int-or-string"):
            return {name: schema[name] for name in ("description", *_extensions(schema)) if name in schema}
        translated = {name: value for name, value in schema.items() if name not in _V2_UNKNOWN}
        for name in ("items", "additionalProperties"):
            if name in translated:
                translated[name] = self._translated(translated[name])
        if "properties" in translated:
            translated["properties"] = {name: self._translated(each) for name, each in schema["properties"].items()}
        return translated

    def _model(self, type_name: TypeName, gvk: Mapping[str, str] | None = None) -> str:
        """Add a model and what it is made of; return its definition name."""
        name = name_of(type_name)
        if name in self._found:
            if gvk is not None and _GVK not in self._found[name]:
                self._found[name][_GVK] = [dict(gvk)]
            return name
        definition: Object = {"description": reflection.description(type_name), "type": "object"}
        self._found[name] = definition
        node = models().node(type_name)
        if node.required:
            definition["required"] = list(node.required)
        texts = reflection.field_descriptions(type_name)
        definition["properties"] = {
            field: self._value(sub, texts.get(field, "")) for field, sub in sorted(node.properties.items())
        }
        if node.map_type == "atomic":
            definition["x-kubernetes-map-type"] = "atomic"
        if gvk is not None:
            definition[_GVK] = [dict(gvk)]
        return name

    def _value(self, node: Node, description: str = "") -> Object:
        text = {"description": description} if description else {}
        if node.model is not None:
            name = self._model(TypeName(*node.model))
            return self._described_reference(name, description) if description else self.reference(name)
        if node.int_or_string:
            return {**text, **self._int_or_string(node)}
        rendered: Object = {**text, **({"type": node.type} if node.type else {})}
        if node.format:
            rendered["format"] = node.format
        if node.items is not None:
            rendered["items"] = self._value(node.items)
            rendered.update(_list_words(node))
        if node.additional is not None:
            rendered["additionalProperties"] = self._value(node.additional)
        if node.map_type == "atomic":
            rendered["x-kubernetes-map-type"] = "atomic"
        if node.default is not ABSENT:
            rendered["default"] = node.default
        return rendered

    def _int_or_string(self, node: Node) -> Object:
        if self._style is Style.V3:
            return {"oneOf": [{"type": "string"}, {"type": "integer" if node.format != "quantity" else "number"}]}
        return {"type": "string", **({"format": "int-or-string"} if node.format == "int-or-string" else {})}

    def body_of(self, each: Any, method: str, verb: str) -> Object:
        """Return the request body, parameters and responses of an operation."""
        name = identity_of(each.group, each.version, each.kind)
        listed = f"{name.rpartition('.')[0]}.{each.list_kind or each.kind + 'List'}"
        answered = listed if verb == "list" else name_of(_STATUS) if method == "delete" else name
        sent = {"post": name, "put": name, "patch": _PATCH_NAME, "delete": name_of(_DELETE_OPTIONS)}.get(method)
        if self._style is Style.V2:
            response: Object = {"description": "OK", "schema": self.reference(answered)}
            body = [{"name": "body", "in": "body", "schema": self.reference(sent)}] if sent else []
            return {"parameters": [*body, *_parameters(verb)], "responses": {"200": response}}
        content = {"application/json": {"schema": self.reference(answered)}}
        found: Object = {
            "parameters": _parameters(verb, wrapped=True),
            "responses": {"200": {"description": "OK", "content": content}},
        }
        if sent:
            found["requestBody"] = {"content": {"*/*": {"schema": self.reference(sent)}}}
        return found


def _extensions(schema: Mapping[str, Any]) -> list[str]:
    return [name for name in schema if name.startswith("x-kubernetes-")]


def _list_words(node: Node) -> Object:
    words: Object = {"x-kubernetes-list-type": node.list_type}
    if node.list_keys:
        words["x-kubernetes-list-map-keys"] = list(node.list_keys)
    strategies = [
        name
        for name, on in (("merge", node.patch_key or node.patch_merge), ("retainKeys", node.patch_retain_keys))
        if on
    ]
    if node.patch_key:
        words["x-kubernetes-patch-merge-key"] = node.patch_key
    if strategies:
        words["x-kubernetes-patch-strategy"] = ",".join(strategies)
    return words


def _parameters(verb: str, *, wrapped: bool = False) -> list[Object]:
    names = ["dryRun", "fieldManager", "fieldValidation"] if verb in ("create", "update", "patch") else []
    if verb == "delete":
        names = ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"]
    if verb == "list":
        names = ["continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "timeoutSeconds", "watch"]
    if verb == "patch":
        names.append("force")
    kinds = {"watch": "boolean", "force": "boolean", "limit": "integer", "timeoutSeconds": "integer"}
    return [_parameter(name, kinds.get(name, "string"), wrapped=wrapped) for name in names]


def _parameter(name: str, kind: str, *, wrapped: bool) -> Object:
    typed: Object = {"type": kind, "uniqueItems": True}
    return {"name": name, "in": "query", **({"schema": typed} if wrapped else typed)}
