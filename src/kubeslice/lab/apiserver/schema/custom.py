"""The schema of one version of a custom resource, compiled once when its definition is stored.

The REST side calls it on every write: prune, default, validate structure, then list identities, then CEL rules.
"""

from kubeslice.lab.apiserver.interfaces import FieldError, FieldShape, Object
from kubeslice.lab.apiserver.schema import complaints, defaulting, lists, merging, pruning, values
from kubeslice.lab.apiserver.schema.builtin import models
from kubeslice.lab.apiserver.schema.cel.validator import Validator, compile_validator
from kubeslice.lab.apiserver.schema.decoding import DecodeError, decode
from kubeslice.lab.apiserver.schema.node import ANYTHING, Node, parse
from kubeslice.lab.apiserver.schema.reflection import TypeName
from kubeslice.lab.apiserver.schema.rules import meta, names

_BLOCKING = frozenset({"FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"})
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_META = TypeName("meta_v1", "ObjectMeta")
_TEXT = Node(type="string")


class CustomSchema:
    """The schema of one kind in one version. `root` is the parsed schema, `openapi` its source."""

    def __init__(self, openapi: Object, root: Node, validator: Validator | None) -> None:
        self.openapi = openapi
        self.root = root
        self._validator = validator

    def prune(self, obj: Object) -> Object:
        """Return the object without the fields the schema does not know."""
        pruned: Object = pruning.prune(self.root, obj, whole=True)
        return pruned | {"metadata": _decoded_meta(pruned["metadata"])} if "metadata" in pruned else pruned

    def unknown_fields(self, obj: Object) -> list[str]:
        """Return the paths of the fields `prune` would drop."""
        metadata = obj.get("metadata")
        strange = pruning.unknown_fields(models().node(_META), metadata, "metadata") if metadata else ()
        return [*pruning.unknown_fields(self.root, obj, whole=True), *strange]

    def default(self, obj: Object) -> Object:
        """Return the object with absent fields set to the schema's defaults."""
        filled: Object = defaulting.fill(self.root, obj)
        return filled

    def validate(self, obj: Object, old: Object | None) -> list[FieldError]:
        """Check metadata, structure, lists and rules; rules only run on what is structurally sound."""
        old_meta = (old.get("metadata") or {}) if old is not None else None
        found = meta.check(obj.get("metadata") or {}, old_meta, names.dns_subdomain, custom=True)
        found.extend(values.check(self.root, obj, "", old))
        found.extend(lists.check(self.root, obj))
        if self._validator is None:
            return found
        if any(error.reason in _BLOCKING for error in found):
            return [*found, complaints.invalid("<nil>", None, _UNCHECKED)]
        return [*found, *self._validator.check(obj, "", old)]

    def merge_key(self, path: tuple[str, ...]) -> FieldShape:
        """Say how the value at `path` merges."""
        if path[:1] == ("metadata",):
            return merging.shape_at(models().node(_META), path[1:])
        return merging.shape_at(self.root, path)


def compile_schema(openapi: Object | None) -> CustomSchema:
    """Compile the `openAPIV3Schema` of a version. Rules that do not compile are skipped: `definition` refuses them."""
    if openapi is None:
        return CustomSchema({}, ANYTHING, None)
    root = parse(openapi)
    return CustomSchema(openapi, root, compile_validator(root))


def _decoded_meta(metadata: object) -> object:
    try:
        return decode(models().node(_META), metadata, "metadata")
    except DecodeError:
        return metadata
