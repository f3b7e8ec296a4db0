"""What the slices of a project are called in a worker cluster, which may work for several projects.

The project that a cluster joined first finds its slices there under their own names. Two projects may use the same
name and must not notice each other, so the slices of every further one get names that nobody else's have. Called by the
worker operator for what it reads on the hub: everything behind that knows local names only.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names

Object = dict[str, Any]

DIGITS = 6


@dataclass(frozen=True)
class LocalNames:
    """The names that slices of a `project` have in a cluster. `is_first` tells whether they are their own.

    The cluster's own `salt` is part of them, so that nobody can take a name before the project that it belongs to.
    """

    project: str
    is_first: bool = True
    salt: str = ""

    def of_slice(self, slice_name: str) -> str:
        """Return what a slice is called here: as long as any name of a slice at the most, and always the same."""
        if self.is_first:
            return slice_name
        digest = hashlib.sha256(f"{self.salt}/{self.project}/{slice_name}".encode()).hexdigest()[:DIGITS]
        return f"{slice_name[: names.MAX_SLICE_LENGTH - DIGITS - 1].rstrip('-')}-{digest}"

    def localized(self, obj: Object) -> Object:
        """Return an object of the hub as it is read here: with the local name of its slice."""
        name = (obj.get("spec") or {}).get("sliceName")
        if self.is_first or not name:
            return obj
        labels = {**(obj["metadata"].get("labels") or {}), names.ORIGINAL_SLICE_LABEL: name}
        metadata = {**obj["metadata"], "labels": labels}
        return {**obj, "metadata": metadata, "spec": {**obj["spec"], "sliceName": self.of_slice(name)}}


def on_hub(obj: Object) -> str:
    """Return what the slice of an object that was read with `LocalNames` is called on the hub."""
    labels = obj["metadata"].get("labels") or {}
    return str(labels.get(names.ORIGINAL_SLICE_LABEL) or (obj.get("spec") or {}).get("sliceName") or "")


def of_pair(gateway: Object) -> str:
    """Return what one side of a pair of clusters is called here."""
    spec = gateway.get("spec") or {}
    ends = [(spec.get(end) or {}).get("clusterName") or "" for end in ("localGatewayConfig", "remoteGatewayConfig")]
    return names.slice_gateway(str(spec.get("sliceName")), *ends)


def title(seen: Object) -> str:
    """Return what a Slice of this cluster is called on the hub, as people name it in their objects."""
    return str((seen.get("spec") or {}).get("sliceName") or seen["metadata"]["name"])
