"""Asking an API server for the token of a ServiceAccount (TokenRequest, KEP-1205).

Called by whoever may: a worker for its own account, the CLI for a worker that is to join.
"""

from collections.abc import Mapping
from typing import Any

from kubeslice.kube.api import Api, Object
from kubeslice.model.resources import Resource

_API_VERSION = "authentication.k8s.io/v1"


async def request_token(
    api: Api, account: str, namespace: str, seconds: int, bound_to: Mapping[str, Any] | None = None
) -> str:
    """Return a token for an account that is good for `seconds`, or as long as the API server grants.

    It ends earlier with the object that it is `bound_to`, a reference with kind, name and uid. Raises `Forbidden`,
    `NotFound` when there is no such account, `Invalid` for less than ten minutes.
    """
    spec: Object = {"expirationSeconds": seconds} | ({"boundObjectRef": dict(bound_to)} if bound_to else {})
    request = {"apiVersion": _API_VERSION, "kind": "TokenRequest", "metadata": {"namespace": namespace}, "spec": spec}
    resource = Resource("", "v1", "TokenRequest", f"serviceaccounts/{account}/token")
    return str((await api.create(resource, request))["status"]["token"])
