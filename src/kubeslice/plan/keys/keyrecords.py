"""Which of the public keys that clusters report are passed on to their peers. Called by the hub.

A key belongs to one cluster, plane and generation. Who comes with a key that was seen elsewhere, an old one of his own
or one of somebody else, is refused: whoever stole the old private key would be let in again, or packets for one cluster
would go to another. Records reach as far back as `REMEMBERED` keys for each cluster and plane.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from kubeslice.plan.keys import gateway_keys, generations
from kubeslice.plan.keys.generations import Generations

Object = dict[str, Any]
REMEMBERED = 8


class Owner(NamedTuple):
    """Whose a key or a certificate is."""

    cluster: str
    plane: int
    generation: int

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read the fields of an entry that was written with `wire`."""
        return cls(str(entry["cluster"]), int(entry["plane"]), int(entry["generation"]))

    def wire(self) -> Object:
        """Return the fields of an entry that say whose it is."""
        return self._asdict()


@dataclass(frozen=True, order=True)
class KeyRecord:
    """A key by its fingerprint, and whose it is."""

    cluster: str
    plane: int
    generation: int
    fingerprint: str

    @property
    def owner(self) -> Owner:
        """Return whose key it is."""
        return Owner(self.cluster, self.plane, self.generation)

    def wire(self) -> Object:
        """Return the record as a VpnKeyRotation has it."""
        return self.owner.wire() | {"fingerprint": self.fingerprint}


@dataclass(frozen=True)
class Refusal:
    """A key that is not passed on; `earlier` is whose it is, None when it is no key at all."""

    record: KeyRecord
    earlier: KeyRecord | None = None

    @property
    def sentence(self) -> str:
        """Say whose key is refused, why, and what to do."""
        mine, theirs = self.record, self.earlier
        where = f"{mine.cluster} reports for plane {mine.plane}, generation {mine.generation}"
        remedy = f"it is not told to others: delete the Secret of that gateway in {mine.cluster}, so that a new key is"
        if theirs is None:
            return f"{where} a public key that is not 32 bytes in base64; {remedy} made"
        return (
            f"{where} the key {mine.fingerprint}, which is that of {theirs.cluster}, plane {theirs.plane}, generation "
            f"{theirs.generation}; {remedy} made, and if nobody there put the old key back, evict {mine.cluster}"
        )


def fingerprint(public_key: str) -> str:
    """Return what stands for a public key in records and lists."""
    return hashlib.sha256(public_key.encode()).hexdigest()[:16]


def parse(entries: Iterable[Mapping[str, Any]]) -> list[KeyRecord]:
    """Read the records of a VpnKeyRotation."""
    return [KeyRecord(*Owner.read(entry), str(entry["fingerprint"])) for entry in entries]


def reported(cluster: str, gateways: Iterable[Mapping[str, Any]]) -> list[KeyRecord]:
    """Return the keys that a cluster reports in the status of its WorkerSliceConfig."""
    return [
        _record(cluster, entry) for entry in gateways if _has_key(entry) and gateway_keys.is_key(entry["publicKey"])
    ]


def malformed(cluster: str, gateways: Iterable[Mapping[str, Any]]) -> list[Refusal]:
    """Return the reported keys that cannot be any: each gateway of the slice would have to leave them out."""
    return [
        Refusal(_record(cluster, entry))
        for entry in gateways
        if _has_key(entry) and not gateway_keys.is_key(entry["publicKey"])
    ]


def refused(reports: Iterable[KeyRecord], records: Iterable[KeyRecord]) -> list[Refusal]:
    """Return the reported keys that belong to somebody else or to another generation."""
    owners = {record.fingerprint: record for record in records}
    return [
        Refusal(report, owners[report.fingerprint])
        for report in reports
        if report.fingerprint in owners and owners[report.fingerprint].owner != report.owner
    ]


def recorded(
    records: Iterable[KeyRecord], reports: Iterable[KeyRecord], in_force: Generations, members: Collection[str]
) -> list[KeyRecord]:
    """Return the records after these reports: new keys of generations in force are added, the oldest go.

    Of two that come with one new key at the same moment the first by name has it. Records of clusters that are no
    members are dropped.
    """
    kept = [record for record in records if record.cluster in members]
    owners = {record.fingerprint for record in kept}
    for report in sorted(reports):
        if report.fingerprint not in owners and report.generation in in_force.get(report.plane, ()):
            owners.add(report.fingerprint)
            kept.append(report)
    return [record for _, some in sorted(_by_gateway(kept).items()) for record in some[-REMEMBERED:]]


def accepted(
    cluster: str, gateways: Sequence[Mapping[str, Any]], records: Iterable[KeyRecord], in_force: Generations
) -> list[Mapping[str, Any]]:
    """Return what is passed on of a cluster's report: generations in force, each once, with keys of its own."""
    refusals = [*malformed(cluster, gateways), *refused(reported(cluster, gateways), records)]
    bad = {refusal.record for refusal in refusals}
    good = {
        generations.place(entry): entry
        for entry in gateways
        if generations.place(entry)[1] in in_force.get(generations.place(entry)[0], ())
        and not (_has_key(entry) and _record(cluster, entry) in bad)
    }
    return [good[place] for place in sorted(good)]


def _by_gateway(records: Iterable[KeyRecord]) -> dict[tuple[str, int], list[KeyRecord]]:
    grouped: dict[tuple[str, int], list[KeyRecord]] = {}
    for record in sorted(records, key=lambda record: record.generation):
        grouped.setdefault((record.cluster, record.plane), []).append(record)
    return grouped


def _record(cluster: str, entry: Mapping[str, Any]) -> KeyRecord:
    return KeyRecord(cluster, *generations.place(entry), fingerprint(entry["publicKey"]))


def _has_key(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("publicKey"))
