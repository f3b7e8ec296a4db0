"""Times as Kubernetes writes them: RFC 3339 in whole seconds, UTC."""

from datetime import UTC, datetime
from typing import Any


def moment(text: Any) -> datetime | None:
    """Read a time; None when there is none or it cannot be read."""
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def stamp(when: datetime | None) -> str:
    """Write a time, "" for none."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when else ""
