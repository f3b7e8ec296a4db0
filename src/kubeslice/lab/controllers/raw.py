"""The client that some controllers need: a few requests of theirs are none of the seven verbs."""

from typing import Protocol

from kubeslice.kube.api import Api, Object
from kubeslice.kube.requests import Request


class RawApi(Api, Protocol):
    """The seven verbs, and any other request; `kube.http.HttpApi` is one."""

    async def send(self, request: Request) -> Object:
        """Send a request and return the answered object."""
        ...
