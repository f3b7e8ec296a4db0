"""What runs beside the API server of a cluster: its controllers, the cluster's own manifests, each node's proxy.

Each function is the whole life of one forked process; `processes` calls them.
"""

import asyncio
import logging
from typing import Any

from kubeslice.kube import config
from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError
from kubeslice.kube.http import HttpApi
from kubeslice.lab import addons
from kubeslice.lab.controllers import main as controllers
from kubeslice.lab.proxy import main as proxy
from kubeslice.lab.topology import Cluster, Node
from kubeslice.model import resources

log = logging.getLogger(__name__)

MANAGER = "kubeslice-lab"


async def run_controllers(kubeconfig: dict[str, Any], authority: str, cluster: Cluster, grace: int) -> None:
    """Run a cluster's controllers, and apply its cluster DNS once."""
    connection = config.from_kubeconfig(kubeconfig)
    async with HttpApi(connection, user_agent="kube-controller-manager") as api, asyncio.TaskGroup() as group:
        group.create_task(apply_all(api, addons.cluster_dns()))
        group.create_task(controllers.run(api, authority, cluster.nodes[0].balanced, grace))


async def run_proxy(kubeconfig: dict[str, Any], node: Node, pod_network: str) -> None:
    """Run a node's proxy."""
    async with HttpApi(config.from_kubeconfig(kubeconfig), user_agent=f"kube-proxy/{node.name}") as api:
        await proxy.run(api, node.name, pod_network, node.balanced)


async def apply_all(api: Api, objects: list[Object]) -> None:
    """Apply objects one after the other, each until the API server takes it."""
    for obj in objects:
        backoff = Backoff()
        while True:
            try:
                await api.apply(resources.of(obj["apiVersion"], obj["kind"]), obj, manager=MANAGER)
                break
            except ApiError as error:
                log.warning("%s %s: %s", obj["kind"], obj["metadata"]["name"], error.message)
                await asyncio.sleep(backoff.next())
