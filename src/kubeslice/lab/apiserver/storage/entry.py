"""The stored state of an object and the step from one state to the next; made by the store, read by everybody."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import orjson

from kubeslice.lab.apiserver.interfaces import Object


class Key(NamedTuple):
    """Where an object lives: `resource` is `group/plural`, `name` is `namespace/name` or, cluster-wide, `name`."""

    resource: str
    name: str


class Entry:
    """One state of one object: its JSON as clients get it, parsed when somebody asks.

    The parsed object is shared: whoever wants to change it takes a `copy`.
    """

    __slots__ = ("_obj", "raw", "revision")

    def __init__(self, raw: bytes, revision: int, obj: Object | None = None) -> None:
        self.raw = raw
        self.revision = revision
        self._obj = obj

    @property
    def obj(self) -> Object:
        """The parsed object, not to be changed."""
        if self._obj is None:
            self._obj = orjson.loads(self.raw)
        return self._obj

    def copy(self) -> Object:
        """Return the object as a value of the caller's own."""
        parsed: Object = orjson.loads(self.raw)
        return parsed

    def forget(self) -> None:
        """Drop the parsed form: history keeps the bytes only."""
        self._obj = None


@dataclass(frozen=True, slots=True)
class Change:
    """One step in history; a deletion carries the last state with the revision of the deletion."""

    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    key: Key
    entry: Entry
    previous: Entry | None
