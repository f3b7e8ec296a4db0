"""Request bodies: read, parsed, checked against what the path says, cleaned of what the schema does not know."""

from typing import Any

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.rest.backend import Call
from kubeslice.lab.apiserver.types.resource import ResourceType
from kubeslice.lab.apiserver.wire import protobuf

LIMIT = 3 * 1024 * 1024
_SHOWN = 33
_JSON = "application/json"
_YAML = "application/yaml"
_PROTOBUF = "application/vnd.kubernetes.protobuf"


async def read(http: web.BaseRequest) -> bytes:
    """Return the whole body. Raises 413 where it is larger than kube-apiserver takes."""
    if http.content_length is not None and http.content_length > LIMIT:
        raise refusals.too_large(LIMIT)
    body = await http.read()
    if len(body) > LIMIT:
        raise refusals.too_large(LIMIT)
    return body


async def read_object(http: web.BaseRequest) -> Object:
    """Return the object in the body, JSON or YAML."""
    media = http.headers.get("Content-Type", _JSON).partition(";")[0].strip().lower()
    if media not in (_JSON, _YAML, _PROTOBUF, ""):
        raise refusals.unsupported_media_type([_JSON, _YAML, _PROTOBUF])
    body = await read(http)
    return decode_protobuf(body) if media == _PROTOBUF else parse(body, is_yaml=media == _YAML)


def decode_protobuf(body: bytes) -> Object:
    """Decode an object as typed clients send it. Raises 400."""
    try:
        return protobuf.decode(body)
    except protobuf.ProtobufError as error:
        raise refusals.bad_request(str(error)) from error


def parse(body: bytes, *, is_yaml: bool) -> Object:
    """Parse a body into an object."""
    value = parse_value(body, is_yaml=is_yaml)
    if not isinstance(value, dict):
        raise refusals.bad_request("the body of the request is not an object")
    return value


def parse_value(body: bytes, *, is_yaml: bool) -> Any:
    """Parse a body into any JSON value."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not is_yaml:
            raise refusals.bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    return _parse_yaml(body)


def _parse_yaml(body: bytes) -> Any:
    import yaml  # noqa: PLC0415 - slow to import, and most clients send JSON

    try:
        value = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        return orjson.loads(orjson.dumps(value, default=_plain))
    except (yaml.YAMLError, TypeError) as error:
        raise refusals.bad_request(f"error converting YAML to JSON: {error}") from error


def _plain(value: Any) -> str:
    """Write what YAML reads as dates as the text that it was."""
    return str(value)


async def read_typed(call: Call) -> Object:
    """Return the object in the body, of the kind and version that the path is about."""
    obj = await read_object(call.http)
    check_kind(obj, call.type)
    return typed(call, obj)


def check_kind(obj: Object, type_: ResourceType) -> None:
    """Refuse an object that is not of the kind of a resource; built-in ones take what is missing from the path."""
    if type_.custom:
        _check_custom_kind(obj, type_)
        return
    version = obj.setdefault("apiVersion", type_.api_version)
    kind = obj.setdefault("kind", type_.kind)
    if version != type_.api_version:
        why = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:110"'
        raise refusals.bad_request(_unhandled(type_, why))
    if kind != type_.kind:
        why = f"converting ({version}.{kind}) to (core.{type_.kind}): unknown conversion"
        raise refusals.bad_request(f'{kind} in version "{version}" cannot be handled as a {type_.kind}: {why}')


def _check_custom_kind(obj: Object, type_: ResourceType) -> None:
    version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    if not kind:
        text = orjson.dumps(obj).decode()
        short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
        raise refusals.bad_request(
            f"the object provided is unrecognized (must be of type {type_.kind}): Object 'Kind' is missing in '{text}'"
            f" ({short})"
        )
    if version != type_.api_version:
        raise refusals.bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({type_.api_version})"
        )
    if kind != type_.kind:
        error = FieldError("kind", "FieldValueInvalid", f'Invalid value: "{kind}": must be {type_.kind}', kind)
        name = (obj.get("metadata") or {}).get("name", "")
        raise refusals.invalid(type_.group, kind, name, [error])


def typed(call: Call, obj: Object) -> Object:
    """Return the object as the schema sees it: unknown fields refused or dropped, defaults filled in."""
    type_ = call.type
    if not isinstance(obj.get("metadata", {}), dict):
        raise refusals.bad_request(_unhandled(type_, "metadata must be an object"))
    check_unknown(call, obj)
    return defaulted(type_, type_.schema.prune(obj))


def defaulted(type_: ResourceType, obj: Object) -> Object:
    """Fill in the defaults of the schema and of the kind."""
    obj.setdefault("metadata", {})
    filled = type_.schema.default(obj)
    if type_.conversion is None or type_.custom:
        type_.strategy.default(filled)
    return filled


def check_unknown(call: Call, obj: Object) -> None:
    """Refuse unknown fields, or warn of them, as the client asks."""
    wanted = call.query.get("fieldValidation") or "Warn"
    if wanted == "Ignore":
        return
    unknown = [f'unknown field "{path}"' for path in call.type.schema.unknown_fields(obj)]
    if unknown and wanted == "Strict":
        raise refusals.bad_request(_unhandled(call.type, f"strict decoding error: {', '.join(unknown)}"))
    call.warnings.extend(unknown)


def _unhandled(type_: ResourceType, why: str) -> str:
    return f'{type_.kind} in version "{type_.version}" cannot be handled as a {type_.kind}: {why}'
