"""The OpenAPI v2 document as a protocol buffer: the only form in which kubectl asks for it.

Writes the few messages that clients read; the field numbers are those of gnostic's OpenAPIv2.proto. Vendor extensions
are YAML texts there, and JSON is YAML.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_SCHEMA_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_SCHEMA_NUMBERS = {
    "maxLength": 11, "minLength": 12, "maxItems": 14, "minItems": 15, "maxProperties": 17, "minProperties": 18,
}  # fmt: skip


def encode_document(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a whole v2 document."""
    info = document["info"]
    return b"".join(
        (
            _text(1, document["swagger"]),
            _message(2, _text(1, info["title"]) + _text(2, info["version"])),
            _message(8, b"".join(_named(2, path, _path_item(item)) for path, item in document["paths"].items())),
            _message(9, _schemas(document["definitions"])),
        )
    )


def _varint(number: int) -> bytes:
    encoded = bytearray()
    number &= (1 << 64) - 1
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode()) if text else b""


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _named(field: int, name: str, value: bytes) -> bytes:
    return _message(field, _text(1, name) + _message(2, value))


def _any(value: Any) -> bytes:
    return _text(2, orjson.dumps(value).decode())


def _extensions(field: int, owner: Mapping[str, Any]) -> Iterator[bytes]:
    for name, value in owner.items():
        if name.startswith("x-"):
            yield _named(field, name, _any(value))


def _schemas(schemas: Mapping[str, Any]) -> bytes:
    return b"".join(_named(1, name, _schema(schema)) for name, schema in schemas.items())


def _schema(schema: Mapping[str, Any]) -> bytes:
    parts = [_text(field, schema[name]) for name, field in _SCHEMA_TEXTS.items() if schema.get(name)]
    if "default" in schema:
        parts.append(_message(5, _any(schema["default"])))
    parts += [_number(field, schema[name]) for name, field in _SCHEMA_NUMBERS.items() if schema.get(name)]
    parts += [_text(19, name) for name in schema.get("required", ())]
    parts += [_message(20, _any(value)) for value in schema.get("enum", ())]
    parts += _schema_parts(schema)
    parts += _extensions(31, schema)
    return b"".join(parts)


def _schema_parts(schema: Mapping[str, Any]) -> Iterator[bytes]:
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        yield _message(21, _message(1, _schema(additional)))
    elif additional is not None:
        yield _message(21, _number(2, int(additional)))
    if schema.get("type"):
        yield _message(22, _text(1, schema["type"]))
    if "items" in schema:
        yield _message(23, _message(1, _schema(schema["items"])))
    for part in schema.get("allOf", ()):
        yield _message(24, _schema(part))
    if "properties" in schema:
        yield _message(25, _schemas(schema["properties"]))


def _path_item(item: Mapping[str, Any]) -> bytes:
    return b"".join(_message(_METHODS[method], _operation(operation)) for method, operation in item.items())


def _operation(operation: Mapping[str, Any]) -> bytes:
    return b"".join(
        (
            _text(3, operation.get("description", "")),
            _text(5, operation["operationId"]),
            *_parameters(operation["parameters"]),
            _message(9, b"".join(_named(1, code, _response(found)) for code, found in operation["responses"].items())),
            *_extensions(13, operation),
        )
    )


def _parameters(parameters: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for parameter in parameters:
        if parameter["in"] == "body":
            body = _text(2, parameter["name"]) + _text(3, "body") + _message(5, _schema(parameter["schema"]))
            yield _message(8, _message(1, _message(1, body)))
        else:
            query = _text(2, "query") + _text(4, parameter["name"]) + _text(6, parameter["type"])
            yield _message(8, _message(1, _message(2, _message(3, query))))


def _response(response: Mapping[str, Any]) -> bytes:
    return _message(1, _text(1, response["description"]) + _message(2, _message(1, _schema(response["schema"]))))
