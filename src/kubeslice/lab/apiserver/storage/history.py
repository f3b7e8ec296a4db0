"""The recent past in memory: what watches replay and what consistent lists of an older revision are made of."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from operator import attrgetter

from kubeslice.lab.apiserver.storage.entry import Change, Entry


class History:
    """A bounded log of changes, by resource."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.oldest = 0
        self._order: deque[Change] = deque()
        self._by_resource: dict[str, deque[Change]] = {}

    def load(self, changes: Iterable[Change], revision: int) -> None:
        """Take over what was kept; with nothing kept, history begins at `revision`."""
        self.oldest = revision
        for change in changes:
            self.oldest = min(self.oldest, change.revision - 1)
            self.append(change)

    def append(self, change: Change) -> None:
        """Add the newest change and drop the oldest where there is no more room."""
        self._order.append(change)
        self._by_resource.setdefault(change.key.resource, deque()).append(change)
        if len(self._order) > self.capacity:
            dropped = self._order.popleft()
            self._by_resource[dropped.key.resource].popleft()
            self.oldest = dropped.revision

    def since(self, resource: str, revision: int) -> list[Change]:
        """Return the changes of a resource after `revision`, which must not be older than `oldest`."""
        changes = self._by_resource.get(resource)
        if not changes or changes[-1].revision <= revision:
            return []
        return list(changes)[bisect_right(changes, revision, key=attrgetter("revision")) :]

    def state_at(self, resource: str, revision: int, current: Mapping[str, Entry]) -> dict[str, Entry]:
        """Return the objects of a resource as they were at `revision`, by undoing what came after."""
        state = dict(current)
        for change in reversed(self.since(resource, revision)):
            if change.previous is None:
                state.pop(change.key.name, None)
            else:
                state[change.key.name] = change.previous
        return state
