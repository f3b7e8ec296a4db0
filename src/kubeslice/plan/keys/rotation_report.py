"""A VpnKeyRotation: what of it is read, and what is written into it. Called by `hub.rotation`."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from datetime import datetime
from typing import Any, TypeVar

from kubeslice.model import names
from kubeslice.model.resources import VPNKEYROTATIONS
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.keys import rotation
from kubeslice.plan.keys.generations import FIRST, Generations
from kubeslice.plan.keys.rotation import Plane, Schedule, Seen
from kubeslice.plan.moments import moment, stamp
from kubeslice.plan.tenants.tenancy import project_labels

Object = dict[str, Any]
Ends = tuple[str, str]
Row = TypeVar("Row")

HISTORY = 5
# Gateways that are listed; a full mesh of 100 clusters has ten times as many, and etcd takes 1.5 MiB an object.
MOST_LISTED = 1000
KEYS_FRESH = "KeysFresh"
KEYS_ACCEPTED = "KeysAccepted"
FOR_THE_SLICE = (KEYS_FRESH, KEYS_ACCEPTED)
COMPLETE = "COMPLETE"


def schedule(spec: SliceConfigSpec) -> Schedule:
    """Return when the keys of a slice are renewed; a time that cannot be read is none."""
    return Schedule(rotation.period(spec.rotation_interval, spec.rotation_period), moment(spec.renew_before))


def pace(spec: Mapping[str, Any]) -> str:
    """Return how often the keys of a VpnKeyRotation are renewed, in words."""
    return str(spec.get("rotationPeriod") or f"{spec.get('rotationInterval')} days")


def planes(status: Mapping[str, Any], generations: Generations, now: datetime) -> list[Plane]:
    """Return the planes as the status of a VpnKeyRotation has them; what it does not know begins now."""
    since = {int(entry["plane"]): moment(entry.get("since")) for entry in status.get("planes") or []}
    return [Plane(number, some, since.get(number) or now) for number, some in sorted(generations.items())]


def tunnels_of(local: str, remote: str, reported: Iterable[Mapping[str, Any]], count: int) -> list[rotation.Tunnel]:
    """Return what one end of a pair says about each of `count` planes."""
    said = {int(entry.get("plane") or 0): entry for entry in reported}
    return [_tunnel(local, remote, number, said.get(number) or {}) for number in range(count)]


def wanted(project: str, name: str, clusters: Sequence[str], sides: Iterable[Ends], spec: Object) -> Object:
    """Return the VpnKeyRotation of a slice; `spec` are the fields about its planes."""
    gateways: dict[str, list[str]] = {cluster: [] for cluster in clusters}
    for local, remote in _listed(sorted(sides)):
        gateways.setdefault(local, []).append(names.slice_gateway(name, local, remote))
    labels = project_labels(project) | {names.ORIGINAL_SLICE_LABEL: name}
    return {
        "apiVersion": VPNKEYROTATIONS.api_version,
        "kind": VPNKEYROTATIONS.kind,
        "metadata": {"name": name, "namespace": names.project_namespace(project), "labels": labels},
        "spec": {"sliceName": name, "clusters": list(clusters), "clusterGatewayMapping": gateways, **spec},
    }


def ages(current: Sequence[Plane], plan: Schedule, spec: SliceConfigSpec) -> Object:
    """Return the fields of the spec about the age of the keys; there is at least one plane."""
    return {
        "rotationInterval": spec.rotation_interval,
        **({"rotationPeriod": spec.rotation_period} if spec.rotation_period else {}),
        "rotationCount": min(plane.generations[0] for plane in current) - FIRST,
        "certificateCreationTime": stamp(min(plane.since for plane in current)),
        "certificateExpiryTime": stamp(min(map(plan.due, current))),
    }


def plane_fields(current: Iterable[Plane], plan: Schedule) -> list[Object]:
    """Return the planes as the status has them."""
    return [
        {
            "plane": plane.number,
            "generations": list(plane.generations),
            "since": stamp(plane.since),
            "expires": stamp(plan.expiry(plane)),
        }
        for plane in current
    ]


def gateway_states(current: Sequence[Plane], seen: Seen, refused: Collection[str]) -> dict[Ends, str]:
    """Return how far each end of each pair is with the rotation of its planes: the state that is furthest behind."""
    rotating = {plane.number: plane for plane in current if plane.is_rotating}
    states = {(tunnel.local, tunnel.remote): COMPLETE for tunnel in seen.tunnels}
    for tunnel in seen.tunnels:
        plane, ends = rotating.get(tunnel.plane), (tunnel.local, tunnel.remote)
        if tunnel.local in refused:
            states[ends] = "ERROR"
        elif plane and (tunnel.local, plane.number, plane.newest) not in seen.made:
            states[ends] = "IN_PROGRESS"
        elif plane and tunnel.generation < plane.newest and states[ends] == COMPLETE:
            states[ends] = "SECRET_UPDATED"
    return states


def history(before: Mapping[str, Any], states: Mapping[str, str], now: datetime) -> Object:
    """Return the states of gateways, by name, with the last five of each, newest first."""
    known, past = before.get("currentRotationState") or {}, before.get("statusHistory") or {}
    current: dict[str, Object] = {}
    former: dict[str, list[Object]] = {}
    for name, state in _listed(sorted(states.items())):
        old, kept = known.get(name), list(past.get(name) or [])
        if old is None or old.get("status") != state:
            old = {"status": state, "lastUpdatedTimestamp": stamp(now)}
            kept = [old, *kept][:HISTORY]
        current[name], former[name] = old, kept
    return {"currentRotationState": current, "statusHistory": former}


def are_listed(gateways: Sized) -> bool:
    """Tell whether one object of the API has room for the gateways of a slice."""
    return len(gateways) <= MOST_LISTED


def _listed(gateways: Sequence[Row]) -> Sequence[Row]:
    """Return the gateways of a slice, none when there are more than one object of the API has room for."""
    return gateways if are_listed(gateways) else []


def judge(
    current: Sequence[Plane], plan: Schedule, seen: Seen, problems: Sequence[str], now: datetime
) -> list[Finding]:
    """Return the findings about the keys of a slice; `problems` are sentences about keys that were refused."""
    fresh, accepted = _fresh(current, plan, seen, now), _accepted(problems)
    if accepted.status != "True":
        return [findings.not_ready(accepted.reason, accepted.message), fresh, accepted]
    if fresh.status != "True":
        return [findings.not_ready(fresh.reason, fresh.message), fresh, accepted]
    return [findings.ready("InForce", _progress(current, plan)), fresh, accepted]


def _progress(current: Sequence[Plane], plan: Schedule) -> str:
    rotating = [f"plane {plane.number} to generation {plane.newest}" for plane in current if plane.is_rotating]
    if rotating:
        return f"renews the keys of {', '.join(rotating)}"
    return f"every gateway uses its newest keys; they are renewed at {stamp(min(map(plan.due, current), default=None))}"


def _fresh(current: Sequence[Plane], plan: Schedule, seen: Seen, now: datetime) -> Finding:
    late = [plane for plane in current if rotation.is_late(plane, plan, now)]
    if not late:
        return Finding(KEYS_FRESH, "True", "OnTime", "keys are renewed in time")
    told = "; ".join(_delay(plane, plan, seen, now) for plane in late)
    if any(rotation.is_overdue(plane, plan, now) for plane in late):
        return Finding(KEYS_FRESH, "False", "CertificateExpiring", told)
    return Finding(KEYS_FRESH, "False", "RotationLate", told)


def _delay(plane: Plane, plan: Schedule, seen: Seen, now: datetime) -> str:
    reasons = rotation.obstacles(plane, seen, now)
    shown = "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    blamed = ", ".join(rotation.laggards(plane, seen, now)) or "them"
    return (
        f"plane {plane.number} keeps its old keys beside generation {plane.newest}, which ends at "
        f"{stamp(plan.expiry(plane))}: {shown}: look at the worker and the gateways of {blamed}, or evict what is lost"
    )


def _accepted(problems: Sequence[str]) -> Finding:
    if not problems:
        return Finding(KEYS_ACCEPTED, "True", "Accepted", "all keys that were reported are in use or on their way")
    return Finding(KEYS_ACCEPTED, "False", "KeyRefused", "; ".join(problems[:5]))


def _tunnel(local: str, remote: str, plane: int, said: Mapping[str, Any]) -> rotation.Tunnel:
    generation = int(said.get("generation") or 0)
    return rotation.Tunnel(local, remote, plane, str(said.get("state") or ""), generation, moment(said.get("since")))
