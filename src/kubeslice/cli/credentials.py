"""What `kubeslice certificates list` shows: each gateway's key, until when it is good, when it is renewed. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.keys import authority, generations, keyrecords, rotation_report
from kubeslice.plan.keys.keyrecords import Owner
from kubeslice.plan.keys.rotation import Plane, Schedule
from kubeslice.plan.moments import stamp

HEADINGS = ("SUBJECT", "PLANE", "GENERATION", "KEY", "VALID UNTIL", "NEXT ROTATION")


@dataclass(frozen=True)
class Row:
    """One key of one gateway; `key` is a certificate's serial number, or the fingerprint of a WireGuard key."""

    subject: str
    plane: int
    generation: int
    key: str
    validUntil: str  # noqa: N815 - as it is printed
    nextRotation: str  # noqa: N815 - as above

    def wire(self) -> dict[str, Any]:
        """Return the row as JSON and YAML have it."""
        return asdict(self)

    def cells(self) -> list[str]:
        """Return the row as the table has it."""
        return [str(value) or "-" for value in asdict(self).values()]


def rows(config: Object, rotation: Object | None, members: Sequence[Object], now: datetime) -> list[Row]:
    """Return a row for each key in force of a slice; `members` are its WorkerSliceConfigs."""
    spec, status = SliceConfig.parse(config).spec, objects.status(rotation) if rotation else {}
    told = [objects.spec(member) for member in members]
    in_force = generations.in_force(status, told, spec.gateway_replicas)
    planes = {plane.number: plane for plane in rotation_report.planes(status, in_force, now)}
    plan = rotation_report.schedule(spec)
    found = _certificates if spec.slice_gateway_provider.slice_gateway_type == "OpenVPN" else _public_keys
    return sorted(
        (row for member in members for row in found(objects.name(config), member, planes, plan)),
        key=lambda row: (row.subject, row.generation),
    )


def _public_keys(name: str, member: Object, planes: Mapping[int, Plane], plan: Schedule) -> Iterator[Row]:
    for entry in objects.status(member).get("gateways") or []:
        plane = planes.get(int(entry["plane"]))
        if plane and entry.get("publicKey"):
            number = int(entry.get("generation") or generations.FIRST)
            # A key that is replaced already ends when the new one works everywhere, not at a time.
            ends = stamp(plan.expiry(plane)) if number == plane.newest else ""
            yield _row(name, member, plane, number, keyrecords.fingerprint(entry["publicKey"]), ends, plan)


def _certificates(name: str, member: Object, planes: Mapping[int, Plane], plan: Schedule) -> Iterator[Row]:
    from kubeslice.runtime import certificates

    signed = {
        (entry["plane"], entry["generation"]): entry["certificate"].encode()
        for entry in objects.spec(member).get("gatewayCertificates") or []
    }
    for plane in planes.values():
        for number in plane.generations:
            pem = signed.get((plane.number, number))
            serial = f"{certificates.serial(pem):x}" if pem else ""
            ends = stamp(certificates.load(pem).not_valid_after_utc) if pem else ""
            yield _row(name, member, plane, number, serial, ends, plan)


def _row(name: str, member: Object, plane: Plane, generation: int, key: str, ends: str, plan: Schedule) -> Row:
    cluster = objects.labels(member).get(names.CLUSTER_LABEL, "")
    subject = authority.common_name(name, Owner(cluster, plane.number, generation))
    return Row(subject, plane.number, generation, key, ends, stamp(plan.due(plane)))
