"""Which changes wake a controller: an informer, the aspect of its objects that matters, and the keys they concern.

A worker's heartbeat changes its Cluster every few seconds; a hundred clusters times twenty slices must not be looked
at again because of it. A source asks for work only when the aspect of the object that the reconciler reads changes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model.ids import Key

Keys = Callable[[Object], Iterable[Key]]
Aspect = Callable[[Object], Any]


def everything(obj: Object) -> Any:
    """Tell every version of an object apart."""
    return str(obj["metadata"].get("resourceVersion"))


def existence(obj: Object) -> Any:
    """Tell apart whether an object is there, or going."""
    return objects.uid(obj), objects.is_deleting(obj)


def intent(obj: Object) -> Any:
    """Tell apart what an object asks for; its status does not matter."""
    return existence(obj), objects.spec(obj), objects.labels(obj), objects.finalizers(obj)


@dataclass(frozen=True)
class Source:
    """Enqueue `keys` of the old and the new object when `aspect` differs between them.

    What `is_urgent` is looked at without waiting for the controller's share of the event loop.
    """

    informer: Informer
    keys: Keys
    aspect: Aspect = everything
    is_urgent: bool = False

    def connect(self, enqueue: Callable[[Key], None]) -> Callable[[], None]:
        """Ask for work from now on, and once for everything already known; return how to end that."""

        def changed(old: Object | None, new: Object | None) -> None:
            if old is not None and new is not None and self.aspect(old) == self.aspect(new):
                return
            concerned = [key for obj in (old, new) if obj is not None for key in self.keys(obj)]
            for key in dict.fromkeys(concerned):
                enqueue(key)

        return self.informer.subscribe(changed)
