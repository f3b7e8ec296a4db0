"""Writing objects to an API server that may be starting, or may not know their kind yet."""

import asyncio
from typing import Any

from kubeslice.kube.errors import ApiError
from kubeslice.kube.http import HttpApi
from kubeslice.model.resources import Resource

Object = dict[str, Any]


async def applied(api: HttpApi, resource: Resource, obj: Object, subresource: str = "") -> Object:
    """Apply an object, again while the server or the kind is new; return what it is then."""
    body = {**obj, "apiVersion": resource.api_version, "kind": resource.kind}
    for _ in range(200):
        try:
            return await api.apply(resource, body, manager="test", subresource=subresource)
        except ApiError as error:
            if error.status not in (0, 404, 503):
                raise
            await asyncio.sleep(0.05)
    raise AssertionError(f"{resource.plural} are not served")
