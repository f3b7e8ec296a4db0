"""Custom resources: what a CustomResourceDefinition makes the catalog serve."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.interfaces import FieldError, FieldShape, Object, TypeSchema
from kubeslice.lab.apiserver.tables.custom import columns
from kubeslice.lab.apiserver.tables.jsonpath import finder
from kubeslice.lab.apiserver.types.resource import Conversion, ResourceType, Scale, Subresource
from kubeslice.lab.apiserver.types.strategy import Strategy

_UPDATE = ("get", "patch", "update")
CompileSchema = Callable[[Object | None], TypeSchema]


class LazySchema:
    """A schema that is compiled at first use, so that a restart does not compile what nobody asks for."""

    def __init__(self, openapi: Object | None, compile_schema: CompileSchema) -> None:
        self.openapi = openapi or {}
        self._make = partial(compile_schema, openapi)
        self._made: TypeSchema | None = None

    def _schema(self) -> TypeSchema:
        if self._made is None:
            self._made = self._make()
        return self._made

    def prune(self, obj: Object) -> Object:
        """Return the object without the fields the schema does not know."""
        return self._schema().prune(obj)

    def unknown_fields(self, obj: Object) -> list[str]:
        """Return the paths `prune` would drop."""
        return self._schema().unknown_fields(obj)

    def default(self, obj: Object) -> Object:
        """Return the object with absent fields set to the schema's defaults."""
        return self._schema().default(obj)

    def validate(self, obj: Object, old: Object | None) -> list[FieldError]:
        """Check structure, then rules."""
        return self._schema().validate(obj, old)

    def merge_key(self, path: tuple[str, ...]) -> FieldShape:
        """Say how the value at `path` merges."""
        return self._schema().merge_key(path)


def custom_types(definition: Object, compile_schema: CompileSchema) -> list[ResourceType]:
    """Return the served versions of a definition, the storage version's form being what is stored."""
    spec = definition["spec"]
    stored = next(one["name"] for one in spec["versions"] if one.get("storage"))
    served = [one for one in spec["versions"] if one.get("served")]
    return [_type(definition, version, stored, compile_schema) for version in served]


def _type(definition: Object, version: Mapping[str, Any], stored: str, compile_schema: CompileSchema) -> ResourceType:
    spec = definition["spec"]
    names = definition.get("status", {}).get("acceptedNames") or spec["names"]
    group, name = spec["group"], version["name"]
    schema = LazySchema((version.get("schema") or {}).get("openAPIV3Schema"), compile_schema)
    parts = version.get("subresources") or {}
    return ResourceType(
        group=group,
        version=name,
        plural=names["plural"],
        kind=names["kind"],
        singular=names.get("singular") or names["kind"].lower(),
        namespaced=spec["scope"] == "Namespaced",
        schema=schema,
        shape=Shape(schema),
        strategy=_strategy(version),
        columns=columns(version.get("additionalPrinterColumns")),
        storage=f"{group}/{names['plural']}",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=_subresources(parts, names["kind"]),
        has_status="status" in parts,
        has_generation=True,
        custom=True,
        scale=_scale(parts.get("scale")),
        conversion=_renaming(f"{group}/{name}", f"{group}/{stored}") if len(spec["versions"]) > 1 else None,
        list_kind=names.get("listKind") or f"{names['kind']}List",
    )


def _renaming(shown: str, stored: str) -> Conversion:
    """Convert as the strategy None does: nothing but the name of the version."""
    return Conversion(present=_renamer(shown), store=_renamer(stored))


def _renamer(api_version: str) -> Callable[[Object], Object]:
    return lambda obj: obj if obj["apiVersion"] == api_version else obj | {"apiVersion": api_version}


def _subresources(parts: Mapping[str, Any], kind: str) -> tuple[Subresource, ...]:
    status = (Subresource("status", kind, _UPDATE),) if "status" in parts else ()
    scale = (Subresource("scale", "Scale", _UPDATE, "autoscaling", "v1"),) if "scale" in parts else ()
    return status + scale


def _scale(paths: Mapping[str, Any] | None) -> Scale | None:
    if paths is None:
        return None
    return Scale(
        _split(paths["specReplicasPath"]),
        _split(paths["statusReplicasPath"]),
        _split(paths.get("labelSelectorPath", "")),
    )


def _split(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split(".") if name)


def _strategy(version: Mapping[str, Any]) -> Strategy:
    selectable = [(one["jsonPath"], finder(one["jsonPath"])) for one in version.get("selectableFields") or []]

    def values(obj: Object) -> dict[str, str]:
        return {path.removeprefix("."): _text(find(obj)) for path, find in selectable}

    return Strategy(selectable=values, unconditional_update=False)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
