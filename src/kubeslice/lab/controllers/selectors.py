"""Label selectors as workloads carry them. Pure."""

from collections.abc import Mapping
from typing import Any

Labels = Mapping[str, str]


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Tell whether a LabelSelector selects `labels`; None selects nothing, an empty selector selects everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(fulfils(term, labels) for term in selector.get("matchExpressions") or [])


def fulfils(requirement: Mapping[str, Any], labels: Labels) -> bool:
    """Tell whether one requirement (`key`, `operator`, `values`) holds, node selector operators included."""
    key, values = requirement["key"], requirement.get("values") or []
    value = labels.get(key)
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, values)
    return False


def _compares(operator: str, value: str | None, values: list[str]) -> bool:
    try:
        left, right = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right
