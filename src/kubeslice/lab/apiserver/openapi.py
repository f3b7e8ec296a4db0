"""Requests below `/openapi`: picks the form a client accepts and answers 304 to those that have it already."""

from collections.abc import Mapping

from aiohttp import web

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.schema.openapi import Documents

_JSON = "application/json"
_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_OLD_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def answer(documents: Documents, path: str, headers: Mapping[str, str]) -> web.Response:
    """Answer a request for a document. Raises `ApiError` 404 and 406."""
    media = _chosen(path, headers.get("Accept", ""))
    found = documents.document(path, is_protobuf=media != _JSON)
    if found is None:
        raise refusals.no_such_path()
    body, digest = found
    tag = f'"{digest}"'
    answered = {"ETag": tag, "Cache-Control": "no-cache, private", "Vary": "Accept"}
    if headers.get("If-None-Match", "").strip('"') == digest:
        return web.Response(status=304, headers=answered)
    return web.Response(body=body, headers={**answered, "Content-Type": media})


def _chosen(path: str, accept: str) -> str:
    """Return the media type to answer with: the first that the client names and this path has.

    Protobuf is answered under its newer name also to those who ask by the older one, which is no valid media type.
    """
    for each in accept.split(","):
        wanted = each.partition(";")[0].strip()
        if wanted in ("", "*/*", "application/*", _JSON):
            return _JSON
        if path == "/openapi/v2" and wanted in (_PROTOBUF, _OLD_PROTOBUF):
            return _PROTOBUF
    raise refusals.not_acceptable([_JSON, *([_PROTOBUF] if path == "/openapi/v2" else [])])
