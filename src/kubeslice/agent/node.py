"""Tells what this node can do on its Node object, and lets only nodes talk VXLAN to it while there are slices."""

import asyncio

from kubeslice.agent import wiring
from kubeslice.agent.view import View
from kubeslice.kube import objects
from kubeslice.kube.api import Api
from kubeslice.linux import nftables
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import NODES
from kubeslice.plan.datapath import filters
from kubeslice.runtime.controller import Result

RESYNC = 300.0


class NodeReconciler:
    """Reconciles the one node the agent runs on."""

    def __init__(self, api: Api, view: View, engine: str) -> None:
        self._api = api
        self._view = view
        self._engine = engine

    async def reconcile(self, key: Key) -> Result:
        """Annotate the Node, and put the filter of the VXLAN port in place or away."""
        address = self._view.address()
        mtu = await asyncio.to_thread(wiring.underlay_mtu, address)
        if not mtu:
            raise Retry(f"no interface has the address {address} of node {key.name}")
        await self._annotate({names.UNDERLAY_MTU_ANNOTATION: str(mtu), names.ENGINE_ANNOTATION: self._engine})
        if self._view.slices.items():
            await asyncio.to_thread(nftables.ensure, filters.underlay(self._view.addresses().values()))
        else:
            await asyncio.to_thread(nftables.remove, "inet")
        return Result(f"underlay MTU is {mtu}, WireGuard runs in {self._engine}", after=RESYNC)

    async def _annotate(self, annotations: dict[str, str]) -> None:
        node = self._view.nodes.get(self._view.node)
        if node is None or annotations.items() <= objects.annotations(node).items():
            return
        meta = {"name": self._view.node, "annotations": annotations}
        body = {"apiVersion": NODES.api_version, "kind": NODES.kind, "metadata": meta}
        await self._api.apply(NODES, body, manager=names.AGENT_MANAGER)
