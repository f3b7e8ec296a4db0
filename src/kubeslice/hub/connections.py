"""The connections of slices: who should be connected, how the tunnels are, and the detours that follow.

Called by the slice reconciler. What is remembered here is only since when something is so: a hub that starts again
counts anew. The detours in force are in the status of the SliceConfig.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeslice.hub import groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.ends import Row
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.hub import clusters, departure, gateways
from kubeslice.plan.hub.gateways import Detours
from kubeslice.plan.tunnels import legs, relays, roles, topology
from kubeslice.plan.tunnels.legs import End, Leg, Legs
from kubeslice.plan.tunnels.relays import Situation
from kubeslice.plan.tunnels.topology import Graph, Pair
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import soonest

NOTHING: Row = {}
NOTHING_SAID: Sequence[Object] = ()


@dataclass(frozen=True)
class Outlook:
    """Who is connected to whom and how well, what follows, and in how many seconds something more may follow."""

    graph: Graph
    legs: Legs
    detours: Detours
    after: float | None = None


@dataclass(frozen=True)
class _Sight:
    """What follows from the reports of both ends of a pair, as long as these reports are the last."""

    reports: tuple[Any, ...]
    joined: tuple[legs.State, ...]
    counted: tuple[Sequence[legs.State], Sequence[legs.State]]


@dataclass
class Memory:
    """Since when the tunnels of a slice are as they are, and when the ends of each pair last changed places."""

    legs: Mapping[Pair, Leg] = field(default_factory=dict)
    tried: dict[Pair, float] = field(default_factory=dict)
    sights: dict[Pair, _Sight] = field(default_factory=dict)


@dataclass(frozen=True)
class Connections:
    """The connections of every slice, as they were when their slice was last looked at."""

    caches: Caches
    clock: Clock
    _known: dict[SliceName, Memory] = field(default_factory=dict)

    def judge(self, name: SliceName, config: SliceConfig, octets: Mapping[str, int], seen: Detours) -> Outlook:
        """Look at a slice whose spec is accepted; `seen` are the detours in force."""
        graph = topology.graph(config.spec, octets)
        found = self._observe(name, graph, config.spec.gateway_replicas)
        situation = Situation(graph, found.by_pair, seen.relays, self.clock.monotonic())
        decided = relays.decide(situation)
        waits = [relays.next_look(situation, decided)]
        swapped = frozenset(seen.swapped)
        if config.spec.slice_gateway_provider.slice_gateway_type == "OpenVPN":
            due = roles.due(situation, self._known[name].tried)
            swapped = self._swap(name, swapped, [ends for ends, wait in due.items() if not wait])
            waits += [wait for wait in due.values() if wait]
        return Outlook(graph, found, Detours(decided, swapped), soonest(waits))

    def as_built(self, name: SliceName, config: SliceConfig, octets: Mapping[str, int], seen: Detours) -> Outlook:
        """Look at a slice whose spec is refused: who is connected stays so."""
        slice_seen = self.caches.slices.get(name.name, names.project_namespace(name.project))
        mode = (objects.status(slice_seen).get("topology") or {}).get("mode") if slice_seen else None
        built = [
            topology.pair(objects.labels(view).get(names.CLUSTER_LABEL, ""), remote)
            for view in self.caches.genuine(self.caches.gateways_by_slice.of(name))
            for _, remote in groups.slice_and_remote(view)
        ]
        graph = topology.as_built(octets, built, mode or topology.FULL_MESH)
        return Outlook(graph, self._observe(name, graph, config.spec.gateway_replicas), seen)

    def forget(self, name: SliceName) -> None:
        """Forget a slice that is gone."""
        self._known.pop(name, None)

    def silence(self, project: str, cluster: str) -> str:
        """Return the sentence that a cluster's worker is not heard of, "" while it is."""
        obj = self.caches.clusters.get(cluster, names.project_namespace(project))
        heard = objects.condition(obj, clusters.REACHABLE) if obj else None
        return str(heard["message"]) if heard and heard.get("status") == "False" else ""

    def has_joined(self, project: str, cluster: str) -> bool:
        """Tell whether a worker speaks for a cluster, or did before it fell silent."""
        obj = self.caches.clusters.get(cluster, names.project_namespace(project))
        return obj is None or objects.status(obj).get("registrationStatus") in departure.JOINED

    def _observe(self, name: SliceName, graph: Graph, planes: int) -> Legs:
        heard = {member: not self.silence(name.project, member) for member in graph.members}
        rows, memory = self.caches.views.rows(name), self._known.setdefault(name, Memory())
        sights, by_pair, ends = {}, {}, {}
        for one, other in graph.edges():
            near, far = _planes(rows, one, other), _planes(rows, other, one)
            reports = (near, far, heard[one], heard[other], planes)
            sight = memory.sights.get((one, other))
            if sight is None or not _is_same(sight.reports, reports):
                sight = _sight(reports)
            sights[one, other], by_pair[topology.pair(one, other)] = sight, sight.joined
            ends[one, other], ends[other, one] = sight.counted
        memory.sights, memory.legs = sights, legs.aged(memory.legs, by_pair, self.clock.monotonic())
        return Legs(memory.legs, ends)

    def _swap(self, name: SliceName, swapped: frozenset[Pair], turning: list[Pair]) -> frozenset[Pair]:
        self._known[name].tried |= dict.fromkeys(turning, self.clock.monotonic())
        return roles.swapped(swapped, turning)


def _planes(rows: Mapping[str, Row], local: str, remote: str) -> Sequence[Object]:
    view = rows.get(local, NOTHING).get(remote)
    return NOTHING_SAID if view is None else objects.status(view).get("planes") or NOTHING_SAID


def _is_same(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    # An informer's objects never change: a report that is the very one of before says what it said.
    return before[0] is after[0] and before[1] is after[1] and before[2:] == after[2:]


def _sight(reports: tuple[Any, ...]) -> _Sight:
    said_near, said_far, is_near_heard, is_far_heard, planes = reports
    near, far = End(legs.told(said_near, planes), is_near_heard), End(legs.told(said_far, planes), is_far_heard)
    return _Sight(reports, legs.joined(near, far), (legs.counted(near, far), legs.counted(far, near)))


def detours(slice_config: Object) -> Detours:
    """Return the detours in force on a slice."""
    return gateways.detours(objects.status(slice_config))
