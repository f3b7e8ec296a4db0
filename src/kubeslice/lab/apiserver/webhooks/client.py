"""The HTTP side of webhooks: connections that are reused, TLS that is verified, Services resolved to their ClusterIP.

Source: k8s.io/apiserver/pkg/util/webhook/client.go and k8s.io/apiserver/pkg/util/proxy.
"""

import asyncio
import socket
import ssl
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kubeslice.lab.apiserver.interfaces import Object, ObjectReader

_HTTPS = 443
_CONTEXTS = 64
_LIMIT = 3 * 1024 * 1024


class CallError(Exception):
    """A webhook could not be called; says why as Go's HTTP client does."""


class ServiceResolver(AbstractResolver):
    """Resolves `<service>.<namespace>.svc` from the Services of the cluster, everything else as the machine does."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._others = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        if not host.endswith(".svc"):
            return await self._others.resolve(host, port, family)
        name, _, namespace = host.removesuffix(".svc").partition(".")
        address = self._cluster_ip(namespace, name, port)
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
        ]

    def _cluster_ip(self, namespace: str, name: str, port: int) -> str:
        service = self._reader.get("", "services", namespace, name)
        if service is None:
            raise OSError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        if not any(each.get("port") == port for each in spec.get("ports") or ()):
            raise OSError(f'no service port {port} found for service "{name}"')
        address = spec.get("clusterIP") or ""
        if address in ("", "None"):
            raise OSError(f'service "{name}" has no cluster IP')
        return str(address)

    async def close(self) -> None:
        """Let go of the machine's resolver."""
        await self._others.close()


class Client:
    """Sends reviews to webhooks. One for each server; `close` when it ends."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._session: aiohttp.ClientSession | None = None
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    async def post(self, client: Mapping[str, Any], review: Object, seconds: float) -> bytes:
        """Send a review and return the body of the answer. Raises `CallError`."""
        url = _url(client, seconds)
        try:
            async with (
                asyncio.timeout(seconds),
                self._opened().post(
                    url, data=orjson.dumps(review), headers=_HEADERS, ssl=self._context(client), allow_redirects=False
                ) as response,
            ):
                body = await response.content.read(_LIMIT)
        except TimeoutError as error:
            raise CallError(f'Post "{url}": context deadline exceeded') from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CallError(f'Post "{url}": {_cause(error)}') from error
        if response.status != 200:
            raise CallError(
                f"an error on the server ({body[:2048].decode(errors='replace')!r}) has prevented the request"
            )
        return body

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=ServiceResolver(self._reader), use_dns_cache=False, limit_per_host=32, keepalive_timeout=60
            )
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    def _context(self, client: Mapping[str, Any]) -> ssl.SSLContext:
        bundle = client.get("caBundle") or ""
        known = self._contexts.get(bundle)
        if known is None:
            authorities = b64decode(bundle).decode() if bundle else None
            known = self._contexts[bundle] = ssl.create_default_context(cadata=authorities)
            if len(self._contexts) > _CONTEXTS:
                self._contexts.popitem(last=False)
        return known

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._session is not None:
            await self._session.close()
            self._session = None


_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "kube-apiserver-admission"}


def _url(client: Mapping[str, Any], seconds: float) -> str:
    service = client.get("service")
    query = urlencode({"timeout": f"{seconds:g}s"})
    if service is None:
        parts = urlsplit(client.get("url") or "")
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))
    host = f"{service.get('name')}.{service.get('namespace')}.svc:{service.get('port') or _HTTPS}"
    return f"https://{host}/{(service.get('path') or '').lstrip('/')}?{query}"


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"tls: failed to verify certificate: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error)
    return str(error) or type(error).__name__
