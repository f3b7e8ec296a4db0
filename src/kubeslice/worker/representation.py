"""What represents this cluster in one project: its line on the hub, and the credential that it has there."""

import asyncio

from kubeslice.kube.api import Api
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import Caches
from kubeslice.worker.leaving import Leaving
from kubeslice.worker.membership import Membership
from kubeslice.worker.metrics import WorkerMetrics
from kubeslice.worker.registration import Registration
from kubeslice.worker.renewal import Renewal


class Representation:
    """Registration and credential of one membership. `here` reports in the own cluster."""

    def __init__(
        self, own: Api, membership: Membership, caches: Caches, here: Reporter, metrics: WorkerMetrics
    ) -> None:
        self.membership = membership
        self.name = membership.member.project
        membership.token.follow(caches.own.secrets_of(membership), membership.secret)
        self._renewal = Renewal(membership, caches, here, metrics)
        leaving = Leaving(own, caches, membership)
        self._registration = Registration(membership, caches, here, leaving, self._renewal, metrics)
        membership.token.subscribe(self._registration.hurry)

    async def run(self) -> None:
        """Keep the registration and the credential until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._registration.run(), name="registration")
            group.create_task(self._renewal.run(), name="renewal")
