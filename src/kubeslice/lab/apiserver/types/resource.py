"""The description of one served resource in one version; catalog, REST, discovery and tables all work from it."""

from collections.abc import Callable
from dataclasses import dataclass

from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.interfaces import GroupVersionKind, GroupVersionResource, Object, TypeSchema
from kubeslice.lab.apiserver.tables.column import Column
from kubeslice.lab.apiserver.types.strategy import Strategy

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the scale subresource finds its three values (simple JSON paths as tuples)."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subresource:
    """A subresource as discovery lists it."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How stored objects become objects of this version and back; None where they are the same."""

    present: Callable[[Object], Object]
    store: Callable[[Object], Object]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource in one version."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str
    namespaced: bool
    schema: TypeSchema
    shape: Shape
    strategy: Strategy
    columns: tuple[Column, ...]
    storage: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    custom: bool = False
    scale: Scale | None = None
    conversion: Conversion | None = None
    list_kind: str = ""

    @property
    def api_version(self) -> str:
        """`group/version`, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def gvk(self) -> GroupVersionKind:
        """The kind with group and version."""
        return GroupVersionKind(self.group, self.version, self.kind)

    @property
    def gvr(self) -> GroupVersionResource:
        """The resource with group and version."""
        return GroupVersionResource(self.group, self.version, self.plural)

    def subresource(self, name: str) -> Subresource | None:
        """Return a subresource of this resource."""
        return next((one for one in self.subresources if one.name == name), None)
