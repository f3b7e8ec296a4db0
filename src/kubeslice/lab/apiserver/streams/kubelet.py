"""Where the kubelet of a pod's node listens, and requests to it; logs and exec use this."""

from urllib.parse import urlencode

import aiohttp

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import ApiError, Object
from kubeslice.lab.apiserver.storage.entry import Key
from kubeslice.lab.apiserver.storage.store import Store

_PORT = 10250


class Kubelets:
    """The way to all kubelets of a cluster, with the one token that they accept."""

    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    def url(self, pod: Object, path: str, query: list[tuple[str, str]]) -> str:
        """Return the address of something that the kubelet of a pod's node serves. Raises 400 without a node."""
        name = pod["spec"].get("nodeName", "")
        if not name:
            raise refusals.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
        entry = self._store.find(Key("/nodes", name))
        if entry is None:
            raise refusals.not_found("", "nodes", name)
        status = entry.obj.get("status", {})
        port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port") or _PORT
        suffix = f"?{urlencode(query)}" if query else ""
        return f"http://{_address(entry.obj)}:{port}{path}{suffix}"

    def session(self) -> aiohttp.ClientSession:
        """Return the client, made at first use: most servers never need one."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, connect=10)
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout, auto_decompress=False)
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()


def _address(node: Object) -> str:
    addresses = node.get("status", {}).get("addresses") or []
    for one in addresses:
        if one.get("type") == "InternalIP":
            return str(one["address"])
    raise ApiError(500, "InternalError", f"no preferred addresses found; known addresses: {addresses}")


def unreachable(error: Exception) -> ApiError:
    """500: the kubelet cannot be reached."""
    return refusals.internal(f"error dialing backend: {error}")
