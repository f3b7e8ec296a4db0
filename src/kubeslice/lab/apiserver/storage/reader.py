"""The store as authentication, authorization and admission see it."""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.storage.entry import Key
from kubeslice.lab.apiserver.storage.store import Store


class StoreReader:
    """Reads objects as they are stored, never copied."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        """Return one object (`namespace` empty for cluster-wide ones)."""
        entry = self._store.find(Key(f"{group}/{resource}", f"{namespace}/{name}" if namespace else name))
        return entry.obj if entry is not None else None

    def list(self, group: str, resource: str, namespace: str = "") -> Iterator[Object]:
        """Return all objects of a resource, of one namespace where given."""
        for entry in self._store.scan(f"{group}/{resource}", namespace):
            yield entry.obj

    def changed_at(self, group: str, resource: str) -> int:
        """Return the revision of the last change to a resource."""
        return self._store.last_change(f"{group}/{resource}")
