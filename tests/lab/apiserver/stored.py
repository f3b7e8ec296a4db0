"""Stored objects for tests: a reader over a list, whose revision moves with every change."""

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]


class Stored:
    """What a server has stored."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], list[Object]] = {}
        self._revision = 0
        self._changed: dict[tuple[str, str], int] = {}

    def put(self, group: str, resource: str, *objects: Object) -> None:
        for obj in objects:
            self.remove(group, resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            self._objects.setdefault((group, resource), []).append(obj)

    def remove(self, group: str, resource: str, namespace: str, name: str) -> None:
        kept = [obj for obj in self.list(group, resource) if _key(obj) != (namespace, name)]
        self._objects[group, resource] = kept
        self._revision += 1
        self._changed[group, resource] = self._revision

    def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        return next((obj for obj in self.list(group, resource) if _key(obj) == (namespace, name)), None)

    def list(self, group: str, resource: str, namespace: str = "") -> Iterable[Object]:
        found = self._objects.get((group, resource), [])
        return [obj for obj in found if not namespace or obj["metadata"].get("namespace") == namespace]

    def changed_at(self, group: str, resource: str) -> int:
        return self._changed.get((group, resource), 0)


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
