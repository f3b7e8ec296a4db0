"""How a list of conditions changes: pure, `now` comes in. Every component that reports a status calls it."""

from collections.abc import Sequence
from typing import Any, Literal

Status = Literal["True", "False", "Unknown"]

READY = "Ready"
FULLY_EFFECTIVE = "FullyEffective"
DEGRADED = "Degraded"
MAX_MESSAGE_LENGTH = 32768


def set_condition(
    conditions: Sequence[dict[str, Any]],
    type: str,  # noqa: A002 - the name of the field in the Kubernetes API
    status: Status,
    reason: str,
    message: str,
    generation: int,
    now: str,
) -> list[dict[str, Any]]:
    """Return the conditions with this one set; `lastTransitionTime` stays when the status stays.

    `now` is an RFC 3339 time in whole seconds. The order of the list is kept and a new condition goes last, so that
    setting the same again gives an equal list.
    """
    old = find(conditions, type)
    since = old["lastTransitionTime"] if old and old.get("status") == status and "lastTransitionTime" in old else now
    new = {
        "type": type,
        "status": status,
        "reason": reason,
        "message": message[:MAX_MESSAGE_LENGTH],
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }
    if old is None:
        return [*conditions, new]
    return [new if condition is old else condition for condition in conditions]


def find(conditions: Sequence[dict[str, Any]], type: str) -> dict[str, Any] | None:  # noqa: A002 - as above
    """Return the condition of this type, None when there is none."""
    return next((condition for condition in conditions if condition.get("type") == type), None)


def is_true(conditions: Sequence[dict[str, Any]], type: str) -> bool:  # noqa: A002 - as above
    """Tell whether the condition of this type exists and is True."""
    found = find(conditions, type)
    return found is not None and found.get("status") == "True"


def without(conditions: Sequence[dict[str, Any]], type: str) -> list[dict[str, Any]]:  # noqa: A002 - as above
    """Return the conditions without the one of this type."""
    return [condition for condition in conditions if condition.get("type") != type]
