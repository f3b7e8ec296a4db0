"""Looks at what the router's programs made of their configuration, and counts it."""

import socket
import time
from ipaddress import IPv4Address

from kubeslice.linux import bird as control
from kubeslice.model.errors import Retry
from kubeslice.plan.routing.bird import PARTNER
from kubeslice.router.daemons import Bird, Keepalived
from kubeslice.router.metrics import RouterMetrics
from kubeslice.router.routing import RouterReconciler
from kubeslice.runtime.resting import rest

EAGER, UNEASY, QUIET = 0.1, 1.0, 5.0  # seconds between questions to BIRD
EAGERNESS = 5.0  # seconds after a change


class Watch:
    """Asks BIRD how its sessions are: often while one of them is not up, now and then when all are.

    The questions also hurry it. BIRD 2.0 leaves a route that it has just queued for a peer until its main loop wakes
    again, which in a quiet router takes up to 3 s; a command on its control socket wakes it.
    """

    def __init__(
        self, metrics: RouterMetrics, bird: Bird, keepalived: Keepalived, reconciler: RouterReconciler
    ) -> None:
        self._metrics = metrics
        self._bird = bird
        self._keepalived = keepalived
        self._reconciler = reconciler
        self._eager_until = 0.0
        self._were_up = False

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            are_up = await self._ask()
            is_settled = are_up and self._were_up
            self._were_up = are_up
            is_eager = time.monotonic() < self._eager_until
            await self._wait(QUIET if is_settled else EAGER if is_eager else UNEASY)

    async def _wait(self, seconds: float) -> None:
        if await rest(seconds, self._reconciler.changed):
            self._reconciler.changed.clear()
            self._eager_until = time.monotonic() + EAGERNESS
            self._were_up = False

    async def _ask(self) -> bool:
        """Return whether every session is up."""
        self._count_programs()
        try:
            established = await control.sessions(self._bird.socket)
        except Retry:
            established = {}
        wanted = self._reconciler.sessions
        for name, session in wanted.items():
            self._metrics.up.labels(session.cluster, str(session.plane)).set(established.get(name, False))
        self._metrics.partner.set(established.get(PARTNER, False))
        return all(established.get(name, False) for name in (*wanted, PARTNER))

    def _count_programs(self) -> None:
        self._metrics.restarts.set(self._bird.program.restarts)
        self._metrics.keepalived_restarts.set(self._keepalived.program.restarts)
        segment = self._reconciler.segment
        for number, address in enumerate(segment.cluster.router_next_hops if segment is not None else ()):
            self._metrics.next_hop.labels(str(number)).set(is_ours(address))


def is_ours(address: IPv4Address) -> bool:
    """Tell whether this network namespace has an address, which is what the kernel demands for binding to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
        return True
