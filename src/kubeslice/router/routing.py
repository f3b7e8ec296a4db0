"""Keeps BIRD, keepalived and the router's filter as the Slice and its SliceGateways ask."""

import asyncio
import socket

from kubeslice.kube.informer import Informer
from kubeslice.linux import nftables
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.names import OVERLAY_INTERFACE
from kubeslice.plan.datapath import filters
from kubeslice.plan.datapath import segment as segments
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.routing import bird, vrrp
from kubeslice.plan.routing.bird import Session
from kubeslice.router.daemons import Bird, Keepalived
from kubeslice.runtime.controller import Result

RESYNC = 60.0


class RouterReconciler:
    """Reconciles the one slice a router belongs to. `segment` and `sessions` are what it last asked for."""

    def __init__(self, slices: Informer, gateways: Informer, number: int, bird_: Bird, keepalived: Keepalived) -> None:
        self.segment: Segment | None = None
        self.sessions: dict[str, Session] = {}
        self.changed = asyncio.Event()
        self._slices = slices
        self._gateways = gateways
        self._number = number
        self._bird = bird_
        self._keepalived = keepalived

    async def reconcile(self, key: Key) -> Result:
        """Bring filter, BIRD and keepalived in line."""
        obj = self._slices.get(key.name, key.namespace)
        own = segments.parse(obj, "") if obj is not None else None
        if own is None:
            return Result("waits for the slice to have its addresses")
        if OVERLAY_INTERFACE not in {name for _, name in socket.if_nameindex()}:
            raise Retry(f"{OVERLAY_INTERFACE} is not there yet: the agent of this node makes it", after=0.05)
        wanted = bird.sessions(own, self._gateways.items(), self._number)
        await asyncio.to_thread(_filter, own, wanted, self._number)
        is_new = await self._bird.configure(bird.configuration(own, wanted, self._number))
        await self._keepalived.configure(vrrp.configuration(own, self._number))
        self.segment, self.sessions = own, {session.name: session for session in wanted}
        if is_new:
            self.changed.set()
        return Result(f"routes to {len({session.cluster for session in wanted})} clusters", after=RESYNC)


def _filter(segment: Segment, sessions: list[Session], number: int) -> None:
    partner = segment.cluster.router(vrrp.partner(number))
    nftables.ensure(filters.router(segment.subnet, {session.neighbour for session in sessions}, partner))
