"""When each worker was last heard of, by the hub's own clock; a heartbeat costs one assignment."""

from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.plan.hub.clusters import Pulse
from kubeslice.runtime.clock import Clock

Name = tuple[str, str]


@dataclass(frozen=True)
class _Beat:
    value: str
    seen_at: float
    is_first: bool


class Heartbeats:
    """The last change of every Cluster's heartbeat."""

    def __init__(self, clusters: Informer, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[Name, _Beat] = {}
        clusters.subscribe(self._changed)

    def pulse(self, namespace: str, name: str) -> Pulse:
        """Return how long ago the heartbeat of a cluster changed."""
        beat = self._beats.get((namespace, name))
        if beat is None or not beat.value:
            return Pulse(None)
        return Pulse(self._clock.monotonic() - beat.seen_at, beat.is_first)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            if old is not None:
                self._beats.pop(_name(old), None)
            return
        value = str(objects.status(new).get("heartbeatTime") or "")
        known = self._beats.get(_name(new))
        if known is None or known.value != value:
            is_first = known is None
            self._beats[_name(new)] = _Beat(value, self._clock.monotonic(), is_first)


def _name(obj: Object) -> Name:
    return objects.namespace(obj), objects.name(obj)
