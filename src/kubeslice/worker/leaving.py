"""The end of a cluster's registration: its Cluster is being deleted on the hub, and all of the project has to go here.

The slices go as they always do, with the objects on the hub. The DNS of the cluster is put back by `worker.forwarding`
when no project is left. What is left is told to the hub with the heartbeat; with the last word the credential is worth
nothing any more. That of a further project is removed; with the only one the operator ends itself, and what was
installed stays for `kubeslice uninstall worker`.
"""

import contextlib
import logging
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api
from kubeslice.kube.errors import NotFound
from kubeslice.model.resources import DEPLOYMENTS, SECRETS
from kubeslice.plan.cluster import localnames
from kubeslice.plan.services import corefile
from kubeslice.worker import forwarding
from kubeslice.worker.caches import OPERATOR, SYSTEM, Caches
from kubeslice.worker.membership import Membership

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leaving:
    """Knows what is left of a project in the own cluster, and how to end."""

    own: Api
    caches: Caches
    membership: Membership

    def left(self) -> list[str]:
        """Return what the operator still has to remove or to let go of on the hub, in words."""
        hub = self.membership.caches
        if not hub.is_known:
            return ["what the hub has not shown yet"]
        slices = [
            f"slice {localnames.title(obj)}"
            for obj in self.caches.own.slices.items()
            if self.caches.membership_of(objects.name(obj)) is self.membership
        ]
        files = [forwarding.text(found) for found in self.caches.own.corefiles.items()] if self._is_last else []
        is_forwarded = any(corefile.without_forward(text) != text for text in files)
        held = [objects.name(obj) for known in (hub.configs, hub.gateways, hub.imports) for obj in known.items()]
        return [*slices, *held, *(["the block in the cluster's DNS"] if is_forwarded else [])]

    @property
    def _is_last(self) -> bool:
        return all(hub.is_leaving for hub in self.caches.hubs)

    async def stop(self) -> None:
        """End the membership; the last one scales the operator down: a cluster that joins again is installed again."""
        if not self.membership.is_first:
            await self._forget()
        if self._is_last:
            await self._scale_down()

    async def _forget(self) -> None:
        log.info("nothing of project %s is left in this cluster", self.membership.member.project)
        with contextlib.suppress(NotFound):
            await self.own.delete(SECRETS, self.membership.secret, SYSTEM)

    async def _scale_down(self) -> None:
        log.info("the cluster is deregistered and nothing is left in it: the operator ends")
        try:
            await self.own.patch(DEPLOYMENTS, OPERATOR, SYSTEM, {"spec": {"replicas": 0}})
        except NotFound:
            return
