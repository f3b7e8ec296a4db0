"""Objects of an informer as models, each read once. For checks that look at all objects of a kind again and again.

An object that cannot be read is left out: whoever owns it says so in its status, and the others go on without it.
"""

from typing import Generic, TypeVar

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model.base import Kind
from kubeslice.model.errors import Terminal

K = TypeVar("K", bound=Kind)


class Parsed(Generic[K]):
    """The objects of one informer by namespace and name, read when they are first asked for after a change."""

    def __init__(self, informer: Informer, kind: type[K]) -> None:
        self._kind = kind
        self._raw: dict[str, dict[str, Object]] = {}
        self._known: dict[str, dict[str, K | None]] = {}
        informer.subscribe(self._changed)

    def of(self, namespace: str) -> dict[str, K]:
        """Return the objects of a namespace that can be read, by name."""
        known = self._known.setdefault(namespace, {})
        for name, obj in self._raw.get(namespace, {}).items():
            if name not in known:
                known[name] = self._read(obj)
        return {name: parsed for name, parsed in known.items() if parsed is not None}

    def _read(self, obj: Object) -> K | None:
        try:
            return self._kind.parse(obj)
        except Terminal:
            return None

    def _changed(self, old: Object | None, new: Object | None) -> None:
        current = new or old
        assert current is not None
        namespace, name = objects.namespace(current), objects.name(current)
        self._known.get(namespace, {}).pop(name, None)
        if new is None:
            self._raw.get(namespace, {}).pop(name, None)
        else:
            self._raw.setdefault(namespace, {})[name] = new
