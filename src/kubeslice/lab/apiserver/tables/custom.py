"""The columns that a custom resource definition asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.tables.column import AGE, NAME, Cell, Column, since
from kubeslice.lab.apiserver.tables.jsonpath import finder


def columns(printer_columns: Sequence[Mapping[str, Any]] | None) -> tuple[Column, ...]:
    """Return the columns of a CRD version: the name, then what it lists, or the age where it lists nothing."""
    if not printer_columns:
        return (NAME, AGE)
    return (NAME, *(_column(one) for one in printer_columns))


def _column(spec: Mapping[str, Any]) -> Column:
    return Column(
        spec["name"],
        _cell(spec["jsonPath"], spec["type"]),
        spec["type"],
        spec.get("format", ""),
        spec.get("description") or f"Custom resource definition column (in JSONPath format): {spec['jsonPath']}",
        spec.get("priority", 0),
    )


def _cell(expression: str, kind: str) -> Cell:
    find = finder(expression)

    def cell(obj: Object) -> Any:
        value = find(obj)
        return None if value is None else _shown(kind, value)

    return cell


def _shown(kind: str, value: Any) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if kind == "date":
        return since(value) if isinstance(value, str) else "<invalid>"
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if kind == "integer" else float(value)
