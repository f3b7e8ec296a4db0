"""What the members of a slice report about their keys and tunnels. Called by `hub.rotation`, which decides by it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.hub.presharedkeys import Pair
from kubeslice.hub.rosters import Roster, cluster_of
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan import clusters, generations, keyrecords, rotation_report, topology
from kubeslice.plan.authority import Request
from kubeslice.plan.keyrecords import KeyRecord, Owner, Refusal
from kubeslice.plan.rotation import Seen, Tunnel

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


def seen(caches: Caches, name: SliceName, current: Roster, config: SliceConfig, found: Keys) -> Seen:
    """Return what the members report, as the rotation is decided by it."""
    live = frozenset(cluster for cluster in current.seats if _is_live(caches, name, cluster))
    said = {ends(view): objects.status(view).get("planes") or [] for view in views(caches, name)}
    tunnels: list[Tunnel] = []
    for local, remote in sorted(pair for pair in said if current.seats.keys() >= set(pair)):
        reported = said.get((local, remote)) or []
        tunnels += rotation_report.tunnels_of(local, remote, reported, config.spec.gateway_replicas)
    return Seen(live, found.made, tunnels)


def pairs(caches: Caches, name: SliceName, current: Roster, config: SliceConfig) -> list[Pair]:
    """Return (local, remote) of all that are connected or should be; both are members."""
    octets = {cluster: seat.octet for cluster, seat in current.seats.items()}
    edges = topology.graph(config.spec, octets).edges()
    found = {ends(view) for view in views(caches, name)} | {
        side for one, other in edges for side in ((one, other), (other, one))
    }
    return sorted(pair for pair in found if current.seats.keys() >= set(pair))


def views(caches: Caches, name: SliceName) -> list[Object]:
    """Return the WorkerSliceGateways of a slice that are there to stay."""
    found = caches.genuine(caches.gateways_by_slice.of(name))
    return [view for view in found if not objects.is_deleting(view)]


def ends(view: Object) -> Pair:
    """Return the two clusters of a WorkerSliceGateway, its own first."""
    return cluster_of(view), objects.labels(view).get(names.REMOTE_CLUSTER_LABEL, "")


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
