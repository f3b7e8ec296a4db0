"""`metadata.managedFields` as a value: reading it from objects, writing it back in kube-apiserver's order and form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kubeslice.lab.apiserver.fields.sets import FieldSet
from kubeslice.lab.apiserver.interfaces import Object


class Manager(NamedTuple):
    """Who owns fields: one entry of `managedFields` each. Appliers are the same manager in every API version."""

    name: str
    operation: str
    api_version: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a manager owns, in which version it said so, and when that last changed (RFC 3339)."""

    fields: FieldSet
    api_version: str
    time: str = ""

    def with_fields(self, fields: FieldSet) -> "Holding":
        """Return the holding with other fields."""
        return replace(self, fields=fields)


Ownership = Mapping[Manager, Holding]


def manager_of(name: str, operation: str, api_version: str, subresource: str = "") -> Manager:
    """Return the identity of a manager: updates are kept apart by API version, applies are not."""
    return Manager(name, operation, "" if operation == "Apply" else api_version, subresource)


def read(obj: Object) -> dict[Manager, Holding] | None:
    """Return who owns what in an object; None when `managedFields` is absent or cannot be understood."""
    entries = obj.get("metadata", {}).get("managedFields")
    if not isinstance(entries, list):
        return None
    try:
        return dict(_read_entry(entry) for entry in entries)
    except (KeyError, TypeError, AttributeError):
        return None


def _read_entry(entry: Mapping[str, Any]) -> tuple[Manager, Holding]:
    version = entry.get("apiVersion", "")
    manager = manager_of(entry.get("manager", ""), entry["operation"], version, entry.get("subresource", ""))
    return manager, Holding(dict(entry.get("fieldsV1") or {}), version, entry.get("time", ""))


def write(obj: Object, owners: Ownership) -> None:
    """Set `managedFields` of an object, in place."""
    entries = [_entry(manager, holding) for manager, holding in sorted(owners.items(), key=_order) if holding.fields]
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def _order(item: tuple[Manager, Holding]) -> tuple[str, ...]:
    manager, holding = item
    return (manager.operation, holding.time, manager.name, holding.api_version, manager.subresource)


def _entry(manager: Manager, holding: Holding) -> Object:
    entry: Object = {"manager": manager.name, "operation": manager.operation, "apiVersion": holding.api_version}
    if holding.time:
        entry["time"] = holding.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": holding.fields}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry
