"""What every request needs: the collaborators of the REST side, and the request in hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from kubeslice.lab.apiserver.access.escalation import check_write
from kubeslice.lab.apiserver.authn import Authentication
from kubeslice.lab.apiserver.authz import Authorizer
from kubeslice.lab.apiserver.identity.accounts import ServiceAccountTokens
from kubeslice.lab.apiserver.interfaces import (
    AdmissionRequest,
    GroupVersionKind,
    GroupVersionResource,
    Object,
    UserInfo,
)
from kubeslice.lab.apiserver.kinds.addresses import Addresses
from kubeslice.lab.apiserver.rest.paths import ResourcePath
from kubeslice.lab.apiserver.storage.entry import Key
from kubeslice.lab.apiserver.storage.store import Store
from kubeslice.lab.apiserver.streams.kubelet import Kubelets
from kubeslice.lab.apiserver.types.catalog import Catalog
from kubeslice.lab.apiserver.types.resource import ResourceType


class Admission(Protocol):
    """What may change or refuse a write before it is stored."""

    async def mutate(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> Object | None:
        """Return the object, changed or not. Raises `ApiError` to refuse."""

    async def validate(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> None:
        """Raise `ApiError` to refuse."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts that handlers work with."""

    store: Store
    catalog: Catalog
    admission: Admission
    authentication: Authentication
    authorizer: Authorizer
    tokens: ServiceAccountTokens
    addresses: Addresses
    kubelets: Kubelets

    def check_escalation(self, user: UserInfo, obj: Object, old: Object | None) -> None:
        """Raise 403 where a write would grant what the writer does not hold."""
        refused = check_write(self.authorizer, user, obj, old)
        if refused is not None:
            raise refused


@dataclass(slots=True)
class Call:
    """One authorized request for a resource."""

    http: web.BaseRequest
    path: ResourcePath
    verb: str
    type: ResourceType
    user: UserInfo
    query: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """Where the object of the path lives."""
        return key_of(self.type, self.namespace, self.path.name)

    @property
    def namespace(self) -> str:
        """The namespace of the path, empty for cluster-wide resources (a Namespace is not in itself)."""
        return self.path.namespace if self.type.namespaced else ""

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return bool(self.query.get("dryRun"))

    @property
    def manager(self) -> str:
        """The field manager: as the client says, else its program name."""
        agent = self.http.headers.get("User-Agent", "").partition("/")[0]
        return self.query.get("fieldManager") or agent or "unknown"

    def within(self, namespace: str) -> "Call":
        """Return this call as one about objects of a namespace."""
        return replace(self, path=replace(self.path, namespace=namespace))

    def whole(self) -> "Call":
        """Return this call as one about the object itself where it is about a part of it."""
        return replace(self, path=replace(self.path, subresource=""))

    def admission_request(self, operation: str, options: Object | None = None, name: str = "") -> AdmissionRequest:
        """Return what admission is told about this call."""
        part = self.type.subresource(self.path.subresource) if self.path.subresource else None
        kind = self.type.gvk
        if part is not None and part.kind and part.kind != self.type.kind:
            kind = GroupVersionKind(part.group, part.version or self.type.version, part.kind)
        return AdmissionRequest(
            kind=kind,
            resource=GroupVersionResource(*self.type.gvr),
            operation=operation,  # type: ignore[arg-type]
            user=self.user,
            name=name or self.path.name,
            namespace=self.path.namespace,
            subresource=self.path.subresource,
            dry_run=self.is_dry_run,
            options=options or {},
            warnings=self.warnings,
        )


def key_of(type_: ResourceType, namespace: str, name: str) -> Key:
    """Return where an object lives."""
    return Key(type_.storage, f"{namespace}/{name}" if type_.namespaced else name)


def now() -> str:
    """Return the time as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
