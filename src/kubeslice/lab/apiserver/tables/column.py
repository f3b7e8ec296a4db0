"""A column of a `meta.k8s.io/v1 Table`, and the columns that every kind shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeslice.lab.apiserver.interfaces import Object

Cell = Callable[[Object], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what its head says, and how an object fills it. Priority 0 is always shown, 1 with `-o wide`."""

    name: str
    cell: Cell
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> Object:
        """Render the head of the column."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def wide(name: str, cell: Cell, type_: str = "string") -> Column:
    """Return a column shown with `-o wide` only."""
    return Column(name, cell, type_, priority=1)


def path(*names: str, absent: Any = "") -> Cell:
    """Return the cell that shows the value at a path of field names."""

    def cell(obj: Object) -> Any:
        value: Any = obj
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return absent if value is None else value

    return cell


def count(*names: str) -> Cell:
    """Return the cell that counts the items of a list or map."""
    read = path(*names, absent=())
    return lambda obj: len(read(obj))


def age(obj: Object) -> str:
    """Say how long ago an object was created."""
    return since(obj["metadata"].get("creationTimestamp"))


def since(timestamp: str | None) -> str:
    """Say how long ago an RFC 3339 time was, in kubectl's words."""
    if not timestamp:
        return "<unknown>"
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    return duration(int((datetime.now(UTC) - moment).total_seconds()))


def duration(seconds: int) -> str:
    """Write a duration as kubectl does: two units while the number is small, one when it is not."""
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    if seconds < 600:
        return f"{seconds}s" if seconds < 120 else _two(seconds // 60, "m", seconds % 60, "s")
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours < 8:
        return f"{minutes}m" if minutes < 180 else _two(hours, "h", minutes % 60, "m")
    if days < 8:
        return f"{hours}h" if hours < 48 else _two(days, "d", hours % 24, "h")
    if days < 2920:
        return f"{days}d" if days < 730 else _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


NAME = Column("Name", path("metadata", "name"), format="name")
AGE = Column("Age", age)
CREATED = Column("Created At", path("metadata", "creationTimestamp"), "date")
