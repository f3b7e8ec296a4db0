"""What the parts of the API server say to each other: who asks for what, how types merge, how refusals look.

The storage and REST side and the schema, authentication, authorization and admission side import these names from
here and nothing from one another; only the composition root knows both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field.

    `path` is written as kube-apiserver writes it (`spec.ports[0].name`); `reason` is a cause type such as
    `FieldValueInvalid`, `FieldValueRequired`, `FieldValueDuplicate`, `FieldValueNotSupported`, `FieldValueForbidden`,
    `FieldValueTypeInvalid`, `FieldValueTooLong`, `FieldValueTooMany`, `FieldValueNotFound`; `message` is the whole
    sentence after the path (`Invalid value: "x": must be ...`).
    """

    path: str
    reason: str
    message: str
    bad_value: Any = None


@dataclass(frozen=True, slots=True)
class FieldShape:
    """How values at one path merge: what `x-kubernetes-list-type`, `-map-type` and the patch tags of the Go types say.

    `kind` is `granular` for objects and maps whose fields are owned one by one, `atomic` for scalars and for lists,
    objects and maps replaced as a whole, `set` and `map` for lists (`keys` identify an item of a map, `defaults` holds
    the defaults of absent keys). `patch_key` is the strategic merge key (empty: the list is replaced, unless
    `patch_merge` says that it is a set of scalars).
    """

    kind: Literal["granular", "atomic", "set", "map"]
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    patch_key: str = ""
    patch_merge: bool = False
    patch_retain_keys: bool = False


class TypeSchema(Protocol):
    """The schema of one kind in one version."""

    def prune(self, obj: Object) -> Object:
        """Return the object without the fields the schema does not know."""

    def unknown_fields(self, obj: Object) -> list[str]:
        """Return the paths `prune` would drop (`spec.foo`), for `fieldValidation` Strict and Warn."""

    def default(self, obj: Object) -> Object:
        """Return the object with absent fields set to the schema's defaults."""

    def validate(self, obj: Object, old: Object | None) -> list[FieldError]:
        """Check structure, then CEL rules; `old` is given on updates, for transition rules."""

    def merge_key(self, path: tuple[str, ...]) -> FieldShape:
        """Say how the value at `path` merges: field names and map keys as they are, `*` for any item of a list."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who asks, as TokenReview and SubjectAccessReview describe a user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked, as authorizers see it: a resource, or with `resource` empty a path that is none."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may go on, and why in one sentence."""

    allowed: bool
    reason: str = ""


class GroupVersionKind(NamedTuple):
    """A kind in a version of a group; the core group is the empty string."""

    group: str
    version: str
    kind: str


class GroupVersionResource(NamedTuple):
    """A resource (plural name) in a version of a group."""

    group: str
    version: str
    resource: str


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """The write that admission is asked about; the objects travel beside it. Admission adds to `warnings`."""

    kind: GroupVersionKind
    resource: GroupVersionResource
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    user: UserInfo
    name: str = ""
    namespace: str = ""
    subresource: str = ""
    dry_run: bool = False
    options: Object = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list, compare=False)


class ObjectReader(Protocol):
    """What is stored now, in memory and never copied: readers must not change what they are given."""

    def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """Return one object (`namespace` empty for cluster-wide ones)."""

    def list(self, group: str, resource: str, namespace: str = "") -> Iterable[Object]:
        """Return all objects of a resource, of one namespace where given."""

    def changed_at(self, group: str, resource: str) -> int:
        """Return the revision of the last change to a resource: what was computed from it holds until this moves."""


class ApiError(Exception):
    """A refusal that clients see as a `Status` object; `kubeslice.lab.apiserver.refusals` makes the usual ones."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    def status(self) -> Object:
        """Render the `Status` body, fields in the order kube-apiserver has them."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}
