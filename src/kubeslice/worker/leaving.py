"""The end of a cluster's registration: its Cluster is being deleted on the hub, and everything here has to go.

The slices go as they always do, with the objects on the hub. The DNS of the cluster is put back by `worker.forwarding`.
What is left is told to the hub with the heartbeat; with the last word the operator ends itself, because its credential
is worth nothing from then on. What was installed stays for `kubeslice uninstall worker`.
"""

import logging
from dataclasses import dataclass

from kubeslice.kube import objects
from kubeslice.kube.api import Api
from kubeslice.kube.errors import NotFound
from kubeslice.model.resources import DEPLOYMENTS
from kubeslice.plan import corefile
from kubeslice.worker import forwarding
from kubeslice.worker.caches import OPERATOR, SYSTEM, Caches

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leaving:
    """Knows what is left of KubeSlice in the own cluster, and how to end."""

    own: Api
    caches: Caches

    def left(self) -> list[str]:
        """Return what the operator still has to remove or to let go of on the hub, in words."""
        slices = [f"slice {objects.name(obj)}" for obj in self.caches.own.slices.items()]
        files = [forwarding.text(found) for found in self.caches.own.corefiles.items()]
        is_forwarded = any(corefile.without_forward(text) != text for text in files)
        hub = self.caches.hub
        if not self.caches.hub_is_known:
            return ["what the hub has not shown yet"]
        held = [objects.name(obj) for known in (hub.configs, hub.gateways, hub.imports) for obj in known.items()]
        return [*slices, *held, *(["the block in the cluster's DNS"] if is_forwarded else [])]

    async def stop(self) -> None:
        """Scale the operator down to nothing: a cluster that is joined again is installed again."""
        log.info("the cluster is deregistered and nothing is left in it: the operator ends")
        try:
            await self.own.patch(DEPLOYMENTS, OPERATOR, SYSTEM, {"spec": {"replicas": 0}})
        except NotFound:
            return
