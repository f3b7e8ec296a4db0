"""Who is on a slice at this moment and with which part of its subnet, from what the hub has in its caches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.hub import slices
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.keys import generations
from kubeslice.plan.keys.generations import Generations


@dataclass(frozen=True)
class Roster:
    """A slice and the seats of the clusters that are on it; `config` is None when there is no slice (any more)."""

    config: SliceConfig | None
    seats: Mapping[str, Seat] = field(default_factory=dict)

    @property
    def subnets(self) -> dict[str, IPv4Network | None]:
        """Return the subnet of each member, None in a slice without a network."""
        return {cluster: IPv4Network(seat.subnet) if seat.subnet else None for cluster, seat in self.seats.items()}


def roster(caches: Caches, name: SliceName) -> Roster:
    """Return the members that have a WorkerSliceConfig which is there to stay. Raises `Terminal` on a broken slice.

    Subnets are computed from the octets, not read from the WorkerSliceConfigs, in which workers can write.
    """
    obj = caches.slices.get(name.name, names.project_namespace(name.project))
    if obj is None or objects.is_deleting(obj):
        return Roster(None)
    config = SliceConfig.parse(obj)
    shut_out = evicted(caches, name.project, config.spec.clusters)
    found = {cluster_of(found): found for found in caches.configs_of(name) if not objects.is_deleting(found)}
    present = {cluster: config for cluster, config in found.items() if cluster not in shut_out}
    octets = slices.remembered_octets(present.items(), objects.status(obj))
    seats = [slices.seat(config, cluster, octets[cluster]) for cluster in present if cluster in octets]
    return Roster(config, {seat.cluster: seat for seat in seats})


def evicted(caches: Caches, project: str, clusters: Iterable[str]) -> set[str]:
    """Return which of these clusters of a project are shut out."""
    home = names.project_namespace(project)
    return {cluster for cluster in clusters if is_evicted(caches.clusters.get(cluster, home))}


def is_evicted(cluster: Object | None) -> bool:
    """Tell whether a Cluster is shut out."""
    return cluster is not None and objects.spec(cluster).get("evicted") is True


def generations_of(caches: Caches, name: SliceName, config: SliceConfig) -> Generations:
    """Return the generations of keys in force on each plane of a slice."""
    rotation = caches.rotations.get(name.name, names.project_namespace(name.project))
    members = caches.configs_of(name)
    reported = [gateway for found in members for gateway in objects.status(found).get("gateways") or []]
    status = objects.status(rotation) if rotation else {}
    return generations.in_force(status, map(objects.spec, members), config.spec.gateway_replicas, reported)


def cluster_of(worker_object: Object) -> str:
    """Return the cluster whose namespace a worker object is in."""
    return objects.labels(worker_object).get(names.CLUSTER_LABEL, "")
