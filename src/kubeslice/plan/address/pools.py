"""The pool of a Dynamic slice: which cluster has which part of its subnet, and which parts rest after a cluster left.

Written down in the SliceIpam before anybody is told of a part. A part that was released rests for a day before another
cluster can get it, so that nothing out there still means the old one by its addresses. Called by `hub.pools`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import SLICEIPAMS
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.sliceipam import DYNAMIC, PartState
from kubeslice.plan import moments
from kubeslice.plan.address import parts
from kubeslice.plan.address.parts import Cut
from kubeslice.plan.findings import Finding, not_ready, ready
from kubeslice.plan.tenants.tenancy import project_labels

Object = dict[str, Any]

REST = timedelta(hours=24)


@dataclass(frozen=True)
class Part:
    """A part of the subnet and the cluster that has it or, with `released`, had it."""

    cluster: str
    octet: int
    allocated: datetime
    state: PartState = "Allocated"
    released: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Tell whether the cluster has left and nobody else can get the part yet."""
        return self.released is not None and now < self.released + REST


@dataclass(frozen=True)
class Pool:
    """How a slice is cut, and the parts that are not free, by cluster."""

    cut: Cut
    parts: Mapping[str, Part]

    @property
    def available(self) -> int:
        """Return how many parts a new member could get."""
        return self.cut.count - len(self.parts)

    @property
    def allocated(self) -> int:
        """Return how many parts clusters have."""
        return sum(part.released is None for part in self.parts.values())

    @property
    def octets(self) -> dict[str, int]:
        """Return the number of every part that is not free."""
        return {cluster: part.octet for cluster, part in self.parts.items()}


def is_pooled(config: SliceConfig) -> bool:
    """Tell whether parts are given out one by one and written down."""
    has_network = config.spec.overlay_network_deployment_mode != names.NO_NETWORK
    return has_network and config.spec.slice_ipam_type == DYNAMIC


def pool(cut: Cut, status: Mapping[str, Any], present: Mapping[str, int], now: datetime) -> Pool:
    """Return the pool as the status of the SliceIpam and the octets of the slice's own objects know it.

    `present` are those of members, and of clusters on their way out: they count where the two differ, so that a status
    that was lost or comes from an old backup gives nobody's part away.
    """
    known = {part.cluster: part for entry in status.get("allocatedSubnets") or [] if (part := _part(entry, cut))}
    held = {cluster: _held(known.get(cluster), cluster, octet, now) for cluster, octet in present.items()}
    others = [part for part in known.values() if part.cluster not in held and (not part.released or part.rests(now))]
    # Should a status name a part twice, who has it counts before who had it, and the elder before the younger.
    taken = {part.octet for part in held.values()}
    by_octet = {part.octet: part for part in sorted(others, key=_claim, reverse=True)}
    free = {part.cluster: part for octet, part in by_octet.items() if octet not in taken}
    return Pool(cut, free | held)


def settled(
    before: Pool, seats: Mapping[str, int], present: Mapping[str, int], reported: Collection[str], now: datetime
) -> Pool:
    """Return the pool once the members have these `seats`: what neither they nor `present` clusters have is released.

    `reported` are the clusters whose worker has spoken of the slice.
    """
    held = {**present, **seats}
    after = {cluster: _held(before.parts.get(cluster), cluster, octet, now) for cluster, octet in held.items()}
    after = {cluster: replace(part, state="InUse") if cluster in reported else part for cluster, part in after.items()}
    gone = {cluster: part for cluster, part in before.parts.items() if cluster not in held}
    released = {
        cluster: part if part.released else replace(part, state="Released", released=now)
        for cluster, part in gone.items()
    }
    return Pool(before.cut, released | after)


def octets(pool: Pool, members: Iterable[str]) -> dict[str, int]:
    """Give every member its part: its own, also one that still rests for it, else the first free one.

    Raises `Terminal` when there is none.
    """
    return parts.octets(list(members), pool.octets, pool.cut.count, remedy(pool))


def moves(before: Pool, after: Pool) -> tuple[int, int]:
    """Return how many parts were given out and how many were released between two pools."""
    had = {cluster for cluster, part in before.parts.items() if part.released is None}
    has = {cluster for cluster, part in after.parts.items() if part.released is None}
    return len(has - had), len(had - has)


def remedy(pool: Pool) -> str:
    """Return what to do when no part is left."""
    resting = [part.released + REST for part in pool.parts.values() if part.released]
    first = f", or wait until {moments.stamp(min(resting))} for one that a cluster left" if resting else ""
    return f"let sliceSubnet {pool.cut.subnet} grow to a shorter prefix that starts at the same address{first}"


def next_look(pool: Pool, now: datetime) -> float | None:
    """Return in how many seconds the first part that rests becomes free."""
    resting = [part.released + REST for part in pool.parts.values() if part.released]
    return max(0.0, (min(resting) - now).total_seconds()) + 1 if resting else None


def wanted(project: str, config: SliceConfig, cut: Cut) -> Object:
    """Return the SliceIpam of a slice."""
    name = config.metadata.name
    return {
        "apiVersion": SLICEIPAMS.api_version,
        "kind": SLICEIPAMS.kind,
        "metadata": {
            "name": name,
            "namespace": names.project_namespace(project),
            "labels": {**project_labels(project), names.ORIGINAL_SLICE_LABEL: name},
        },
        "spec": {"sliceName": name, "sliceSubnet": config.spec.slice_subnet, "subnetSize": cut.prefix},
    }


def status_fields(pool: Pool) -> Object:
    """Return the status of the SliceIpam apart from its conditions."""
    taken = sorted(pool.parts.values(), key=lambda part: part.octet)
    fields: Object = {
        "allocatedSubnets": [_entry(part, pool.cut) for part in taken],
        "availableSubnets": pool.available,
        "totalSubnets": pool.cut.count,
    }
    moved = [moment for part in taken for moment in (part.allocated, part.released) if moment]
    return fields | ({"lastUpdated": moments.stamp(max(moved))} if moved else {})


def judge(pool: Pool) -> Finding:
    """Return whether a new member would find a part."""
    said = f"{pool.allocated} of {pool.cut.count} parts of /{pool.cut.prefix} are given out, {pool.available} are free"
    return ready("PartsFree", said) if pool.available > 0 else not_ready("PoolExhausted", f"{said}: {remedy(pool)}")


def _held(before: Part | None, cluster: str, octet: int, now: datetime) -> Part:
    is_same = before is not None and before.octet == octet and before.released is None
    return before if before and is_same else Part(cluster, octet, now)


def _claim(part: Part) -> tuple[bool, datetime, str]:
    return part.released is not None, part.allocated, part.cluster


def _part(entry: Mapping[str, Any], cut: Cut) -> Part | None:
    """Read an entry of the status, None when it makes no sense."""
    try:
        octet = cut.octet(IPv4Network(entry["subnet"]))
        allocated, released = moments.moment(entry.get("allocatedAt")), moments.moment(entry.get("releasedAt"))
    except (KeyError, ValueError):
        return None
    if octet is None or allocated is None:
        return None
    state: PartState = "Released" if released else "InUse" if entry.get("status") == "InUse" else "Allocated"
    return Part(str(entry.get("clusterName") or ""), octet, allocated, state, released)


def _entry(part: Part, cut: Cut) -> Object:
    entry: Object = {
        "clusterName": part.cluster,
        "subnet": str(cut.part(part.octet)),
        "allocatedAt": moments.stamp(part.allocated),
        "status": part.state,
    }
    return entry | ({"releasedAt": moments.stamp(part.released)} if part.released else {})
