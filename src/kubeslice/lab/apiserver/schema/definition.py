"""Whether a CustomResourceDefinition may be stored: names, versions, parts, columns; `structure` does its schemas.

Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation.
"""

import re
from collections.abc import Iterator
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema import structure
from kubeslice.lab.apiserver.schema.complaints import child, immutable, invalid, not_supported, required
from kubeslice.lab.apiserver.schema.rules import names

_SCOPES = ("Cluster", "Namespaced")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_MIXED = "may have mixed case, but should otherwise match: "
_SIMPLE_PATH = re.compile(r"^(\.[a-zA-Z_][a-zA-Z0-9_-]*)+$")


def check_definition(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a CustomResourceDefinition."""
    spec = obj.get("spec") or {}
    kinds = spec.get("names") or {}
    found = []
    if (obj.get("metadata") or {}).get("name") != f"{kinds.get('plural')}.{spec.get('group')}":
        name = (obj.get("metadata") or {}).get("name") or ""
        found.append(invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    found.extend(_check_group(spec.get("group") or ""))
    found.extend(_check_scope(spec.get("scope") or ""))
    found.extend(_check_names(kinds))
    found.extend(_check_versions(spec))
    if spec.get("preserveUnknownFields"):
        found.append(
            invalid(
                "spec.preserveUnknownFields",
                True,
                "must be false in order to use defaults in the schema or set to false",
            )
        )
    if old is not None:
        found.extend(_check_update(spec, old))
    return found


def _check_group(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
    elif names.dns_subdomain(group):
        yield invalid("spec.group", group, ",".join(names.dns_subdomain(group)))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")


def _check_scope(scope: str) -> Iterator[FieldError]:
    if not scope:
        yield required("spec.scope")
    elif scope not in _SCOPES:
        yield not_supported("spec.scope", scope, _SCOPES)


def _check_names(kinds: Object) -> Iterator[FieldError]:
    for field in ("plural", "singular", "kind", "listKind"):
        text = kinds.get(field) or ""
        if not text:
            yield required(f"spec.names.{field}")
            continue
        mixed = field in ("kind", "listKind")
        complaints = names.dns_1035_label(text.lower() if mixed else text)
        if complaints:
            yield invalid(f"spec.names.{field}", text, (_MIXED if mixed else "") + ",".join(complaints))
    for field in ("shortNames", "categories"):
        for index, text in enumerate(kinds.get(field) or []):
            for why in names.dns_1035_label(text):
                yield invalid(f"spec.names.{field}[{index}]", text, why)
    if kinds.get("kind") and kinds.get("kind") == kinds.get("listKind"):
        yield invalid("spec.names.listKind", kinds["listKind"], "kind and listKind may not be the same")


def _check_versions(spec: Object) -> Iterator[FieldError]:
    versions = spec.get("versions") or []
    if not versions:
        yield required("spec.versions", "must have at least one version")
        return
    listed = [version.get("name") or "" for version in versions]
    for index, version in enumerate(versions):
        yield from _check_version(version, f"spec.versions[{index}]")
    yield from _check_parts(versions)
    if len(set(listed)) < len(listed):
        yield invalid("spec.versions", listed, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid("spec.versions", listed, "must have exactly one version marked as storage version")


def _check_version(version: Object, path: str) -> Iterator[FieldError]:
    name = version.get("name") or ""
    for why in names.dns_1035_label(name):
        yield invalid(child(path, "name"), name, why)
    if (version.get("schema") or {}).get("openAPIV3Schema") is None:
        yield required(f"{path}.schema.openAPIV3Schema")


def _check_parts(versions: list[Object]) -> Iterator[FieldError]:
    for path, schema in _parts(versions, "schema", "validation"):
        if (schema or {}).get("openAPIV3Schema") is not None:
            yield from structure.check_schema(schema["openAPIV3Schema"], f"{path}.openAPIV3Schema")
    for path, columns in _parts(versions, "additionalPrinterColumns", "additionalPrinterColumns"):
        for index, column in enumerate(columns or []):
            yield from _check_column(column, f"{path}[{index}]")
    for path, subresources in _parts(versions, "subresources", "subresources"):
        yield from _check_subresources(subresources or {}, path)


def _parts(versions: list[Object], field: str, hoisted: str) -> Iterator[tuple[str, Any]]:
    """Yield each version's part with its path.

    kube-apiserver's internal form has a part that all versions share once, beside them: complaints name that place.
    """
    parts = [version.get(field) for version in versions]
    if all(part == parts[0] for part in parts):
        yield f"spec.{hoisted}", parts[0]
        return
    for index, part in enumerate(parts):
        yield f"spec.versions[{index}].{field}", part


def _check_column(column: Object, path: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield required(child(path, "name"))
    if not column.get("type"):
        yield required(child(path, "type"), f"must be one of {','.join(_COLUMN_TYPES)}")
    elif column["type"] not in _COLUMN_TYPES:
        yield invalid(child(path, "type"), column["type"], f"must be one of {','.join(_COLUMN_TYPES)}")
    where = child(path, "jsonPath")
    if not column.get("jsonPath"):
        yield required(where)
    elif not column["jsonPath"].startswith("."):
        yield invalid(where, column["jsonPath"], "must be a simple json path starting with .")


def _check_subresources(parts: Object, path: str) -> Iterator[FieldError]:
    scale = parts.get("scale")
    if scale is None:
        return
    for field, below, is_needed in (
        ("specReplicasPath", ".spec.", True),
        ("statusReplicasPath", ".status.", True),
        ("labelSelectorPath", (".status.", ".spec."), False),
    ):
        where, text = f"{path}.scale.{field}", scale.get(field) or ""
        if not text and is_needed:
            yield required(where)
        elif text and not _SIMPLE_PATH.match(text):
            yield invalid(where, text, "must be a simple json path with dot notation")
        elif text and not text.startswith(below):
            listed = below if isinstance(below, str) else " or ".join(below)
            yield invalid(where, text, f"should be a json path under {listed.rstrip('.')}")


def _check_update(spec: Object, old: Object) -> Iterator[FieldError]:
    before = old.get("spec") or {}
    yield from immutable("spec.group", spec.get("group"), before.get("group"))
    kinds, kinds_before = spec.get("names") or {}, before.get("names") or {}
    yield from immutable("spec.names.plural", kinds.get("plural"), kinds_before.get("plural"))
    conditions = (old.get("status") or {}).get("conditions") or []
    if any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions):
        yield from immutable("spec.scope", spec.get("scope"), before.get("scope"))
        yield from immutable("spec.names.kind", kinds.get("kind"), kinds_before.get("kind"))
    yield from _check_stored(spec, old)


def _check_stored(spec: Object, old: Object) -> Iterator[FieldError]:
    declared = {version.get("name") for version in spec.get("versions") or []}
    stored: list[Any] = (old.get("status") or {}).get("storedVersions") or []
    for index, version in enumerate(stored):
        if version not in declared:
            yield invalid(
                f"status.storedVersions[{index}]",
                version,
                "missing from spec.versions; "
                f"{version} was previously a storage version, and must remain in spec.versions until a "
                f"storage migration ensures no data remains persisted in {version} and removes {version} "
                "from status.storedVersions",
            )
