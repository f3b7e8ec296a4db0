"""What a slice and its members are told of its keys: read from the VpnKeyRotation and from the authority's Secret.

Called by `hub.slices`; both are written by `hub.rotation`.
"""

from collections.abc import Iterable

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.rosters import generations_of
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.findings import Finding
from kubeslice.plan.keys import authority, generations, rotation_report


def told(caches: Caches, name: SliceName, config: SliceConfig, clusters: Iterable[str]) -> dict[str, Object]:
    """Return the fields about their gateways' keys in the WorkerSliceConfig of each of these clusters."""
    in_force = {"gatewayKeys": generations.wire(generations_of(caches, name, config))}
    signed = authority.texts(caches.secrets.get(names.slice_authority(*name), names.HUB_NAMESPACE))
    return {cluster: in_force | authority.told(signed, cluster) for cluster in clusters}


def found(caches: Caches, name: SliceName) -> list[Finding]:
    """Return what the VpnKeyRotation says about the slice's keys, so that it is seen on the slice too."""
    rotation = caches.rotations.get(name.name, names.project_namespace(name.project))
    return [
        Finding(entry["type"], entry["status"], entry["reason"], entry.get("message") or "")
        for entry in (objects.conditions(rotation) if rotation else [])
        if entry["type"] in rotation_report.FOR_THE_SLICE
    ]
