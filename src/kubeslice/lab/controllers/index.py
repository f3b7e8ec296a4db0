"""A second way into an informer's cache: objects by owner, by node, by anything a function says."""

from collections.abc import Callable, Iterable

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer


class Index:
    """Objects of one informer by the keys that `keys_of` gives them. Made before the informer runs, always current."""

    def __init__(self, informer: Informer, keys_of: Callable[[Object], Iterable[str]]) -> None:
        self._keys_of = keys_of
        self._entries: dict[str, dict[tuple[str, str], Object]] = {}
        informer.subscribe(self._changed)

    def get(self, key: str) -> list[Object]:
        """Return the objects under `key`, by namespace and name."""
        found = self._entries.get(key) or {}
        return [found[identity] for identity in sorted(found)]

    def _changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None:
                for key in self._keys_of(obj):
                    self._drop(key, obj)
        if new is not None:
            for key in self._keys_of(new):
                self._entries.setdefault(key, {})[_identity(new)] = new

    def _drop(self, key: str, obj: Object) -> None:
        entries = self._entries.get(key)
        if entries is None:
            return
        entries.pop(_identity(obj), None)
        if not entries:
            del self._entries[key]


def owner_uid(obj: Object) -> Iterable[str]:
    """Index by the uid of the managing controller."""
    references = obj["metadata"].get("ownerReferences") or []
    return [reference["uid"] for reference in references if reference.get("controller")]


def namespace(obj: Object) -> Iterable[str]:
    """Index by namespace."""
    return [objects.namespace(obj)]


def _identity(obj: Object) -> tuple[str, str]:
    return objects.namespace(obj), objects.name(obj)
