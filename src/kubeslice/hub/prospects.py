"""What all views of a slice follow from, worked out once for as long as it stays so. Called by `hub.gateways`.

A member that joins wakes the views that lead to each other member. What they have in common, who has which place and
who is connected to whom, is asked for a hundred times then, and is the same each time.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from kubeslice.hub import fingerprints, groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.index import Versions
from kubeslice.hub.rosters import generations_of, is_evicted, roster
from kubeslice.hub.verdicts import Verdicts
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.plan.hub import gateways
from kubeslice.plan.hub.gateways import Terrain
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.keys import keyrecords
from kubeslice.plan.keys.generations import Generations
from kubeslice.plan.keys.keyrecords import KeyRecord


@dataclass(frozen=True, eq=False)
class Prospect:
    """A slice as its views show it; `terrain` is None when there is no slice (any more).

    `basis` is what in the spec views are made of. Of `records` and `in_force` follows which keys are passed on.
    """

    seats: Mapping[str, Seat] = field(default_factory=dict)
    terrain: Terrain | None = None
    basis: bytes = b""
    is_refused: bool = False
    records: Sequence[KeyRecord] = ()
    in_force: Generations = field(default_factory=dict)

    def is_like(self, other: "Prospect") -> bool:
        """Tell whether the same views follow from both; the parts that are compared are plain and cheap to compare."""
        if self.terrain is None or other.terrain is None:
            return self.terrain is other.terrain
        return (
            self.terrain.is_like(other.terrain)
            and (self.seats, self.basis, self.is_refused) == (other.seats, other.basis, other.is_refused)
            and (self.records, self.in_force) == (other.records, other.in_force)
        )


class Prospects:
    """The slices as they were when they were last asked for."""

    def __init__(self, caches: Caches, verdicts: Verdicts) -> None:
        self._caches = caches
        self._verdicts = verdicts
        self._known: dict[SliceName, tuple[tuple[Object | None, Object | None, Hashable], Prospect]] = {}
        self._configs = Versions(caches.configs, groups.slice_name, _place)
        self._neighbours = [
            Versions(caches.clusters, groups.namespace, _standing),
            Versions(caches.slices, groups.namespace, lambda obj: obj["metadata"].get("generation")),
            Versions(caches.profiles, groups.namespace, lambda obj: obj["metadata"].get("generation")),
        ]
        self._namespaces = Versions(
            caches.namespaces, lambda _: [None], lambda obj: fingerprints.of(objects.labels(obj))
        )

    def of(self, name: SliceName) -> Prospect:
        """Return a slice as its views show it; the same object while nothing has changed. Raises `Terminal`."""
        home = names.project_namespace(name.project)
        obj, rotation = self._caches.slices.get(name.name, home), self._caches.rotations.get(name.name, home)
        versions = [
            self._configs.of(name),
            self._namespaces.of(None),
            *(beside.of(home) for beside in self._neighbours),
        ]
        seen = (obj, rotation, tuple(versions))
        known = self._known.get(name)
        if known is not None and known[0][0] is obj and known[0][1] is rotation and known[0][2] == seen[2]:
            return known[1]
        prospect = self._made(name, obj, rotation)
        if known is not None and known[1].is_like(prospect):
            prospect = known[1]
        if obj is None:
            self._known.pop(name, None)
        else:
            self._known[name] = (seen, prospect)
        return prospect

    def _made(self, name: SliceName, obj: Object | None, rotation: Object | None) -> Prospect:
        current = roster(self._caches, name)
        if obj is None or current.config is None:
            return Prospect()
        status = objects.status(obj)
        return Prospect(
            current.seats,
            Terrain.of(name.project, current.config, current.seats, gateways.detours(status)),
            _basis(obj),
            bool(self._verdicts.problems(obj, current.config)),
            keyrecords.parse(objects.status(rotation).get("keys") or []) if rotation else [],
            generations_of(self._caches, name, current.config),
        )


def _basis(obj: Object) -> bytes:
    # Who is listed is in the roster; the order is in the sides.
    return fingerprints.of({field: value for field, value in objects.spec(obj).items() if field != "clusters"})


def _place(config: Object) -> Hashable:
    spec, told = objects.spec(config), objects.status(config).get("gateways")
    return objects.is_deleting(config), fingerprints.of(
        objects.labels(config), spec.get("octet"), spec.get("gatewayKeys"), told
    )


def _standing(cluster: Object) -> Hashable:
    return is_evicted(cluster), tuple(objects.status(cluster).get("cniSubnet") or ())
