"""Which objects a list, watch or deletecollection is about: the selectors of the query as one predicate."""

from collections.abc import Callable, Mapping

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.refusals import bad_request
from kubeslice.lab.apiserver.selection import fields, labels
from kubeslice.lab.apiserver.types.resource import ResourceType

Predicate = Callable[[Object], bool]
_BLANK: Object = {"metadata": {"name": "", "namespace": ""}}


def predicate(type_: ResourceType, query: Mapping[str, str], name: str = "") -> Predicate | None:
    """Return the predicate of a query; None where everything is selected."""
    wanted_labels = _labels(query.get("labelSelector", ""))
    wanted_fields = _fields(type_, query.get("fieldSelector", ""))
    if name:
        wanted_fields.append(fields.FieldRequirement("metadata.name", name, equal=True))
    if not wanted_labels and not wanted_fields:
        return None

    def selected(obj: Object) -> bool:
        if wanted_labels and not labels.matches(wanted_labels, obj["metadata"].get("labels") or {}):
            return False
        return not wanted_fields or fields.matches(wanted_fields, field_values(type_, obj))

    return selected


def field_values(type_: ResourceType, obj: Object) -> dict[str, str]:
    """Return the values that field selectors can name."""
    metadata = obj["metadata"]
    common = {"metadata.name": metadata["name"], "metadata.namespace": metadata.get("namespace", "")}
    return type_.strategy.selectable(obj) | common


def _labels(text: str) -> list[labels.Requirement]:
    try:
        return labels.parse(text)
    except labels.SelectorError as error:
        raise bad_request(str(error)) from error


def _fields(type_: ResourceType, text: str) -> list[fields.FieldRequirement]:
    try:
        parsed = fields.parse(text)
    except fields.FieldSelectorError as error:
        raise bad_request(str(error)) from error
    known = field_values(type_, _BLANK)
    for requirement in parsed:
        if requirement.field not in known:
            raise bad_request(_unknown(type_, requirement.field))
    return parsed


def _unknown(type_: ResourceType, field: str) -> str:
    if type_.custom or type_.strategy.selectable(_BLANK):
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
