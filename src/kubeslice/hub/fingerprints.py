"""Short forms of what a decision was made from: as long as it stays the same, so does the decision.

Called by reconcilers that are woken far more often than anything changes for them.
"""

import marshal
from hashlib import blake2b
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object

SIZE = 16


def of(*parts: Any) -> bytes:
    """Return a fingerprint of plain values: texts, numbers, lists, tuples and dictionaries of them."""
    # Version 2 writes equal values alike; it is for comparisons inside one process.
    return blake2b(marshal.dumps(parts, 2), digest_size=SIZE).digest()


def intent(obj: Object) -> tuple[Any, ...]:
    """Return what tells versions of an object apart by its spec, labels and deletion."""
    metadata = obj["metadata"]
    return (
        objects.namespace(obj),
        objects.name(obj),
        objects.uid(obj),
        metadata.get("generation"),
        metadata.get("deletionTimestamp"),
        objects.labels(obj),
    )
