"""Events as `events.k8s.io/v1` shows them: the same stored objects as the core group's, under other field names."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.types.resource import Conversion

_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _NAMES.items()}


def _present(event: Object) -> Object:
    return {_NAMES.get(name, name): value for name, value in event.items()} | {"apiVersion": "events.k8s.io/v1"}


def _store(event: Object) -> Object:
    return {_BACK.get(name, name): value for name, value in event.items()} | {"apiVersion": "v1"}


EVENTS_V1 = Conversion(present=_present, store=_store)
