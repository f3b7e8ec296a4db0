"""Everything that is not a resource: discovery, health, version, OpenAPI, the keys of service account tokens."""

from collections.abc import Callable

import orjson
from aiohttp import web

from kubeslice.lab.apiserver import openapi, refusals
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.rest import discovery
from kubeslice.lab.apiserver.rest.paths import DiscoveryPath
from kubeslice.lab.apiserver.schema.openapi import Documents as OpenApiDocuments
from kubeslice.lab.apiserver.types.catalog import Catalog

_HEALTH = ("/healthz", "/livez", "/readyz")
_EXACT = ("/", "/version", "/openid/v1/jwks", "/.well-known/openid-configuration")
_SERVED = (*_HEALTH, "/openapi/")


class Documents:
    """Answers to requests for paths; what is made from the catalog is kept until that changes."""

    def __init__(
        self, catalog: Catalog, described: OpenApiDocuments, keys: Callable[[], Object], issuer: str, address: str
    ) -> None:
        self._catalog = catalog
        self._described = described
        self._keys = keys
        self._issuer = issuer
        self._address = address

    def answer(self, http: web.BaseRequest, path: DiscoveryPath | None) -> web.Response:
        """Answer a request. Raises 404 where there is nothing."""
        if http.method not in ("GET", "HEAD"):
            raise refusals.method_not_allowed()
        if path is not None:
            found, media = discovery.document(self._catalog, path, http.headers.get("Accept", ""), self._address)
            return web.Response(body=orjson.dumps(found), headers={"Content-Type": media})
        where = http.path.rstrip("/") or "/"
        if not where.startswith(_SERVED) and where not in _EXACT:
            return web.Response(status=404, text="404 page not found\n")
        if where.startswith(_HEALTH):
            return web.Response(text="ok")
        if where.startswith("/openapi/"):
            return openapi.answer(self._described, where, http.headers)
        return _json(self._other(where))

    def _other(self, where: str) -> Object:
        if where == "/version":
            return dict(discovery.VERSION)
        if where == "/openid/v1/jwks":
            return self._keys()
        if where == "/.well-known/openid-configuration":
            return {
                "issuer": self._issuer,
                "jwks_uri": f"https://{self._address}/openid/v1/jwks",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        if where == "/":
            return {
                "paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
            }
        raise refusals.no_such_path()


def _json(value: Object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")
