"""Objects out of their protobuf encoding, as JSON values; the reading of request bodies calls this. Pure.

Source: the protocol buffers wire format, and k8s.io/apimachinery/pkg/runtime/serializer/protobuf for the envelope.
"""

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.wire.fields import Field, fields_of

MAGIC = b"k8s\x00"
_PROPS = "apiextensions/v1.JSONSchemaProps"
_SIGN = 1 << 63


class ProtobufError(ValueError):
    """The body is not the protobuf encoding of an object of a known kind."""


def decode(body: bytes) -> Object:
    """Decode an object in its envelope. Raises `ProtobufError`."""
    if not body.startswith(MAGIC):
        raise ProtobufError("the body does not begin as protobuf does")
    try:
        envelope = dict(_raw_fields(body[len(MAGIC) :]))
        head = dict(_raw_fields(envelope.get(1, b"")))
        version, kind = (_bytes(head.get(number, b"")).decode() for number in (1, 2))
        message = _message_name(version, kind)
        return {"apiVersion": version, "kind": kind} | _message(message, _bytes(envelope.get(2, b"")))
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ProtobufError(f"the body is not well formed: {error}") from error


def _message_name(version: str, kind: str) -> str:
    group = version.rpartition("/")[0].partition(".")[0] or "core"
    package = "meta/v1" if kind == "DeleteOptions" else f"{group}/{version.rpartition('/')[2]}"
    name = f"{package}.{kind}"
    if fields_of(name) is None:
        raise ProtobufError(f"no protobuf encoding is known for {version} {kind}")
    return name


def _raw_fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Walk the fields of a message: numbers as they are, everything else as bytes."""
    position, end = 0, len(data)
    while position < end:
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield number, value
        elif wire == 2:
            length, position = _varint(data, position)
            yield number, data[position : position + length]
            position += length
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            yield number, data[position : position + size]
            position += size
        else:
            raise ProtobufError(f"wire type {wire} is not in use")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ProtobufError("a number stands where bytes are expected")
    return value


def _message(name: str, data: bytes) -> Object:
    known = fields_of(name) or {}
    result: Object = {}
    for number, raw in _raw_fields(data):
        field = known.get(number)
        if field is not None:
            _add(result, field, raw)
    return result


def _add(result: Object, field: Field, raw: Any) -> None:
    if field.name == "^":
        result.update(_value(field.type, raw))
    elif field.shape == "[]":
        result.setdefault(field.name, []).append(_value(field.type, raw))
    elif field.shape == "{}":
        entry = dict(_raw_fields(_bytes(raw)))
        key = _bytes(entry.get(1, b"")).decode()
        result.setdefault(field.name, {})[key] = _value(field.type, entry.get(2, b""))
    else:
        value = _value(field.type, raw)
        if field.optional or value not in (None, "", 0, {}):
            result[field.name] = value


def _value(kind: str, raw: Any) -> Any:
    read = _READERS.get(kind)
    return read(raw) if read is not None else _message(kind, _bytes(raw))


def _integer(raw: Any) -> int:
    number = int(raw or 0)
    return number - 2 * _SIGN if number >= _SIGN else number


def _double(raw: Any) -> float:
    number: float = struct.unpack("<d", _bytes(raw))[0]
    return number


def _text(raw: Any) -> str:
    return _bytes(raw).decode()


def _time(raw: Any) -> str | None:
    parts = dict(_raw_fields(_bytes(raw)))
    if not parts:
        return None
    moment = datetime.fromtimestamp(_integer(parts.get(1, 0)), UTC)
    nanos = _integer(parts.get(2, 0))
    fraction = f".{nanos // 1000:06d}" if nanos else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def _json(raw: Any) -> Any:
    content = dict(_raw_fields(_bytes(raw))).get(1, b"")
    return orjson.loads(content) if content else None


def _quantity(raw: Any) -> str:
    return _text(dict(_raw_fields(_bytes(raw))).get(1, b"0"))


def _int_or_string(raw: Any) -> int | str:
    parts = dict(_raw_fields(_bytes(raw)))
    return _text(parts.get(3, b"")) if parts.get(1) else _integer(parts.get(2, 0))


def _items(raw: Any) -> list[str]:
    return [_text(item) for number, item in _raw_fields(_bytes(raw)) if number == 1]


def _props_or_bool(raw: Any) -> Any:
    parts = dict(_raw_fields(_bytes(raw)))
    return _message(_PROPS, parts[2]) if 2 in parts else bool(parts.get(1))


def _props_or_array(raw: Any) -> Any:
    many = [_message(_PROPS, item) for number, item in _raw_fields(_bytes(raw)) if number == 2]
    return many or _message(_PROPS, dict(_raw_fields(_bytes(raw))).get(1, b""))


def _props_or_strings(raw: Any) -> Any:
    strings = [_text(item) for number, item in _raw_fields(_bytes(raw)) if number == 2]
    return strings or _message(_PROPS, dict(_raw_fields(_bytes(raw))).get(1, b""))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "s": _text,
    "i": _integer,
    "b": bool,
    "d": _double,
    "y": lambda raw: base64.b64encode(_bytes(raw)).decode(),
    "time": _time,
    "raw": _json,
    "quantity": _quantity,
    "intorstring": _int_or_string,
    "items": _items,
    "propsorbool": _props_or_bool,
    "propsorarray": _props_or_array,
    "propsorstrings": _props_or_strings,
}
