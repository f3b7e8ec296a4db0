"""The seven verbs. Components depend on this protocol; `http.HttpApi` is what implements it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kubeslice.model.resources import Resource

Object = dict[str, Any]
Patch = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Listing:
    """What `list` saw, and the resource version to watch from."""

    items: list[Object]
    resource_version: str


@dataclass(frozen=True)
class WatchEvent:
    """One change: `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: Object


class Api(Protocol):
    """One cluster's API server. Every method raises a subclass of `errors.ApiError` when it is not obeyed."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """Read one object. Raises `NotFound`."""
        ...

    async def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Listing:
        """Read all objects of a kind, in one namespace or (None) in all, filtered by selectors."""
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        since: str = "",
    ) -> AsyncIterator[WatchEvent]:
        """Follow changes after resource version `since` until the server ends the stream. Raises `Gone`."""
        ...

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Create an object. Raises `AlreadyExists`."""
        ...

    async def apply(
        self, resource: Resource, obj: Object, *, manager: str, subresource: str = "", force: bool = True
    ) -> Object:
        """Server-side apply: own exactly the fields of `obj` as `manager` (KEP-555)."""
        ...

    async def patch(
        self, resource: Resource, name: str, namespace: str | None, patch: Patch, *, subresource: str = ""
    ) -> Object:
        """Change an object by a merge patch (a mapping, RFC 7396) or a JSON patch (a sequence, RFC 6902)."""
        ...

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete an object, its dependents in the background; only if its uid is `uid` when one is given."""
        ...
