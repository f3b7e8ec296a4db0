"""What the members of a slice report about their keys and tunnels. Called by `hub.rotation`, which decides by it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.rosters import Roster, cluster_of
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.hub import clusters
from kubeslice.plan.keys import generations, keyrecords, rotation_report
from kubeslice.plan.keys.authority import Request
from kubeslice.plan.keys.keyrecords import KeyRecord, Owner, Refusal
from kubeslice.plan.keys.rotation import Seen, Tunnel
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.topology import Pair

OPENVPN = "OpenVPN"


@dataclass(frozen=True)
class Keys:
    """The keys that members report, the requests that can be signed, and what is wrong with the others."""

    reported: Sequence[KeyRecord]
    requests: Sequence[Request]
    refusals: Sequence[Refusal]
    problems: Sequence[str]

    @property
    def made(self) -> frozenset[Owner]:
        """Return who has made the keys of which plane and generation, and may use them."""
        return frozenset(record.owner for record in self.reported) - {refusal.record.owner for refusal in self.refusals}

    @property
    def offenders(self) -> set[str]:
        """Return the clusters that come with keys of others."""
        return {refusal.record.cluster for refusal in self.refusals}


def keys(caches: Caches, name: SliceName, current: Roster, records: Sequence[KeyRecord]) -> Keys:
    """Return what the members report about their keys; `records` are those that were accepted before."""
    reports = {cluster_of(found): found for found in caches.configs_of(name) if cluster_of(found) in current.seats}
    gateways = {cluster: objects.status(found).get("gateways") or [] for cluster, found in sorted(reports.items())}
    reported = [record for cluster, some in gateways.items() for record in keyrecords.reported(cluster, some)]
    malformed = [refusal for cluster, some in gateways.items() for refusal in keyrecords.malformed(cluster, some)]
    if current.config is None or not is_certified(current.config):
        refusals = [*malformed, *keyrecords.refused(reported, records)]
        return Keys(reported, [], refusals, [refusal.sentence for refusal in refusals])
    return _certified(dict(_requests(reports)), reported, records, malformed)


def _certified(
    asked: Mapping[Owner, str],
    reported: list[KeyRecord],
    records: Sequence[KeyRecord],
    malformed: Sequence[Refusal],
) -> Keys:
    from kubeslice.hub import authority  # noqa: PLC0415 - 50 ms of CPU, for slices with OpenVPN only

    good, problems = authority.checked(asked)
    reported = [*reported, *(KeyRecord(*request.owner, request.key) for request in good)]
    refusals = [*malformed, *keyrecords.refused(reported, records)]
    bad = {refusal.record.owner for refusal in refusals}
    requests = [request for request in good if request.owner not in bad]
    certified = {request.owner for request in requests}
    kept = [record for record in reported if record.owner in certified | bad]
    return Keys(kept, requests, refusals, [*problems, *(refusal.sentence for refusal in refusals)])


def seen(
    caches: Caches, name: SliceName, current: Roster, config: SliceConfig, found: Keys, *, with_tunnels: bool
) -> Seen:
    """Return what the members report, as the rotation is decided by it; `with_tunnels` where these matter."""
    live = frozenset(cluster for cluster in current.seats if _is_live(caches, name, cluster))
    return Seen(live, found.made, list(_tunnels(caches, name, current, config)) if with_tunnels else [])


def _tunnels(caches: Caches, name: SliceName, current: Roster, config: SliceConfig) -> Iterator[Tunnel]:
    said = dict(views(caches, name))
    for local, remote in sorted(said):
        if local in current.seats and remote in current.seats:
            reported = objects.status(said[local, remote]).get("planes") or []
            yield from rotation_report.tunnels_of(local, remote, reported, config.spec.gateway_replicas)


def pairs(caches: Caches, name: SliceName, current: Roster, config: SliceConfig) -> list[Pair]:
    """Return (local, remote) of all that are connected or should be; both are members."""
    octets = {cluster: seat.octet for cluster, seat in current.seats.items()}
    edges = topology.graph(config.spec, octets).edges()
    found = {*edges, *((other, one) for one, other in edges), *(ends for ends, _ in views(caches, name))}
    return sorted(ends for ends in found if ends[0] in octets and ends[1] in octets)


def views(caches: Caches, name: SliceName) -> Iterator[tuple[Pair, Object]]:
    """Return the WorkerSliceGateways of a slice that are there to stay, by their two clusters, the own one first."""
    return ((ends, view) for ends, view in caches.views.pairs(name) if not objects.is_deleting(view))


def is_certified(config: SliceConfig) -> bool:
    """Tell whether the gateways of a slice need certificates."""
    return config.spec.slice_gateway_provider.slice_gateway_type == OPENVPN


def _requests(reports: Mapping[str, Object]) -> Iterator[tuple[Owner, str]]:
    for cluster, found in reports.items():
        for gateway in objects.status(found).get("gateways") or []:
            if gateway.get("certificateRequest"):
                owner = Owner(cluster, *generations.place(gateway))
                yield owner, gateway["certificateRequest"]


def _is_live(caches: Caches, name: SliceName, cluster: str) -> bool:
    obj = caches.clusters.get(cluster, names.project_namespace(name.project))
    return obj is not None and objects.is_true(obj, clusters.REACHABLE)
