"""From a pydantic model to a structural OpenAPI v3 schema, as CustomResourceDefinitions want it. Used by `model.crd`.

Structural means: one type for every value, nothing by reference, no unions. The rest of the JSON schema that pydantic
writes (limits, enums, defaults, descriptions, extensions) is carried over as it is.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from kubeslice.model.base import KubeModel

Schema = dict[str, Any]

_NOT_STRUCTURAL = frozenset({"title", "$defs", "additionalProperties"})
_NO_DEFAULT: tuple[Any, ...] = (None, "")


def structural(model: type[KubeModel]) -> Schema:
    """Return the structural schema of a model. Raises `ValueError` for a union or another type without one shape."""
    schema = _described(model)
    return _inlined(schema, schema.get("$defs", {}))


@cache
def _described(model: type[KubeModel]) -> Schema:
    """Return what pydantic writes, which takes it a while."""
    return model.model_json_schema(by_alias=True)


def _inlined(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    merged = _resolved(schema, definitions)
    result = {key: value for key, value in merged.items() if key not in _NOT_STRUCTURAL}
    if "default" in result and (result["default"] in _NO_DEFAULT):
        del result["default"]
    if "const" in result:
        result["enum"] = [result.pop("const")]
    if "exclusiveMaximum" in result:
        result["maximum"] = result.pop("exclusiveMaximum") - 1
    if "properties" in result:
        result["properties"] = {name: _inlined(value, definitions) for name, value in result["properties"].items()}
    if isinstance(merged.get("additionalProperties"), dict):
        result["additionalProperties"] = _inlined(merged["additionalProperties"], definitions)
    if "items" in result:
        result["items"] = _inlined(result["items"], definitions)
    if "type" not in result and "x-kubernetes-int-or-string" not in result:
        raise ValueError(f"no single type: {dict(schema)}")
    return result


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """Return the schema with what it refers to put in its place; what it says itself wins."""
    rest = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "allOf"}}
    if "$ref" in schema:
        return {**_resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions), **rest}
    shapes = [shape for shape in schema.get("anyOf", schema.get("allOf", ())) if shape != {"type": "null"}]
    if len(shapes) > 1:
        raise ValueError(f"more than one shape: {dict(schema)}")
    return {**_resolved(shapes[0], definitions), **rest} if shapes else rest
