"""The schemas of built-in kinds, as the REST side uses them: made at first use from the published models.

Defaults of built-in kinds are the strategies' business; `default` returns what it is given. `prune` decodes as the Go
types do and so also refuses values of the wrong type.
"""

from collections.abc import Callable
from functools import cache

from kubeslice.lab.apiserver.interfaces import FieldError, FieldShape, GroupVersionKind, Object
from kubeslice.lab.apiserver.refusals import bad_request
from kubeslice.lab.apiserver.schema import merging, pruning
from kubeslice.lab.apiserver.schema.decoding import DecodeError, decode
from kubeslice.lab.apiserver.schema.models import Models
from kubeslice.lab.apiserver.schema.node import Node
from kubeslice.lab.apiserver.schema.reflection import TypeName, exists
from kubeslice.lab.apiserver.schema.rules.catalog import rules_of

Rules = Callable[[Object, Object | None], list[FieldError]]


def model_of(gvk: GroupVersionKind) -> TypeName:
    """Return the model of a kind: `apps/v1 Deployment` is `apps_v1.Deployment`."""
    group = gvk.group.partition(".")[0] or "core"
    return TypeName(f"{group}_{gvk.version}", gvk.kind)


@cache
def models() -> Models:
    """Return the process's one collection of parsed models."""
    return Models()


class BuiltinSchema:
    """The schema of one built-in kind."""

    def __init__(self, gvk: GroupVersionKind) -> None:
        self._gvk = gvk
        self._root: Node | None = None
        self._rules: Rules | None = None

    @property
    def root(self) -> Node:
        """The schema of the whole object."""
        if self._root is None:
            self._root = models().node(model_of(self._gvk))
        return self._root

    def prune(self, obj: Object) -> Object:
        """Return the object as its Go type would render it. Raises `ApiError` 400 for values of the wrong type."""
        try:
            decoded: Object = decode(self.root, obj)
        except DecodeError as error:
            kind = self._gvk.kind
            raise bad_request(
                f'{kind} in version "{self._gvk.version}" cannot be handled as a {kind}: {error}'
            ) from error
        return decoded

    def unknown_fields(self, obj: Object) -> list[str]:
        """Return the paths of the fields that the kind does not have."""
        return list(pruning.unknown_fields(self.root, obj))

    def default(self, obj: Object) -> Object:
        """Return the object: strategies know the defaults of built-in kinds."""
        return obj

    def validate(self, obj: Object, old: Object | None) -> list[FieldError]:
        """Check what kube-apiserver checks by hand for this kind."""
        if self._rules is None:
            self._rules = rules_of(self._gvk)
        return self._rules(obj, old)

    def merge_key(self, path: tuple[str, ...]) -> FieldShape:
        """Say how the value at `path` merges."""
        return merging.shape_at(self.root, path)


def builtin_schema(gvk: GroupVersionKind) -> BuiltinSchema | None:
    """Return the schema of a built-in kind, or None when there is no such kind."""
    return BuiltinSchema(gvk) if exists(model_of(gvk)) else None
