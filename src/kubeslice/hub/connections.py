"""The tunnels of slices as both ends report them, seen by the hub, with how long they have been so.

Called by the slice reconciler, which decides by them. What is remembered here is only since when: a hub that starts
again counts anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubeslice.hub import groups
from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.plan import clusters, legs, topology
from kubeslice.plan.legs import End, Leg, Legs
from kubeslice.plan.tenancy import Member
from kubeslice.plan.topology import Graph, Pair
from kubeslice.runtime.clock import Clock


@dataclass(frozen=True)
class Connections:
    """The legs of every slice, as they were when their slice was last looked at."""

    caches: Caches
    clock: Clock
    _known: dict[SliceName, Mapping[Pair, Leg]] = field(default_factory=dict)

    def observe(self, name: SliceName, graph: Graph, planes: int) -> Legs:
        """Return the tunnels of a slice as they are now."""
        heard = {member: not self.silence(name.project, member) for member in graph.members}
        by_pair, ends = {}, {}
        for one, other in graph.edges():
            near = End(self._told(name, one, other, planes), heard[one])
            far = End(self._told(name, other, one, planes), heard[other])
            by_pair[topology.pair(one, other)] = legs.joined(near, far)
            ends[one, other], ends[other, one] = legs.counted(near, far), legs.counted(far, near)
        known = self._known[name] = legs.aged(self._known.get(name, {}), by_pair, self.clock.monotonic())
        return Legs(known, ends)

    def forget(self, name: SliceName) -> None:
        """Forget a slice that is gone."""
        self._known.pop(name, None)

    def silence(self, project: str, cluster: str) -> str:
        """Return the sentence that a cluster's worker is not heard of, "" while it is."""
        obj = self.caches.clusters.get(cluster, names.project_namespace(project))
        heard = objects.condition(obj, clusters.REACHABLE) if obj else None
        return str(heard["message"]) if heard and heard.get("status") == "False" else ""

    def _told(self, name: SliceName, local: str, remote: str, planes: int) -> tuple[legs.State, ...]:
        namespace = Member(name.project, local).namespace
        view = self.caches.gateways.get(names.slice_gateway(name.name, local, remote), namespace)
        # Another slice can have a gateway of the same name.
        is_ours = view is not None and list(groups.slice_and_remote(view)) == [(name, remote)]
        return legs.told(objects.status(view) if view and is_ours else {}, planes)
