"""All controllers of one cluster in one process: the graph of informers and controllers, built by hand.

The lab's supervisor forks one process per cluster and awaits `run` in it, with an API client of cluster-admin power.
"""

import asyncio
from collections.abc import Sequence

from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers.accounts import Accounts
from kubeslice.lab.controllers.balancers import Balancers
from kubeslice.lab.controllers.budgets import Budgets
from kubeslice.lab.controllers.census import Census
from kubeslice.lab.controllers.collector import Collector
from kubeslice.lab.controllers.daemonsets import DaemonSets
from kubeslice.lab.controllers.deployments import Deployments
from kubeslice.lab.controllers.endpointslices import EndpointSlices
from kubeslice.lab.controllers.evictions import Evictions
from kubeslice.lab.controllers.kinds import DISRUPTIONBUDGETS, ENDPOINTS, FOLLOWED, QUOTAS, REPLICASETS, STATEFULSETS
from kubeslice.lab.controllers.namespaces import Namespaces
from kubeslice.lab.controllers.nodelife import LEASE_NAMESPACE, NodeLife
from kubeslice.lab.controllers.quotas import Quotas
from kubeslice.lab.controllers.raw import RawApi
from kubeslice.lab.controllers.replicasets import ReplicaSets
from kubeslice.lab.controllers.scheduler import Scheduler
from kubeslice.lab.controllers.statefulsets import StatefulSets
from kubeslice.lab.controllers.strays import Strays
from kubeslice.model.resources import (
    CONFIGMAPS,
    CRDS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    SERVICEACCOUNTS,
    SERVICES,
    Resource,
)
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.controller import Controller


async def run(api: RawApi, authority: str = "", balanced: Sequence[str] = (), grace: float = 40) -> None:
    """Run every controller until cancelled.

    `authority` is the PEM text published as `kube-root-ca.crt`, `balanced` the addresses for load balancers, `grace`
    the seconds for which a kubelet may be silent.
    """
    informers = {resource: Informer(api, resource) for resource in FOLLOWED}
    leases = Informer(api, LEASES, LEASE_NAMESPACE)
    definitions, quotas = Informer(api, CRDS), Informer(api, QUOTAS)
    census = Census(api, informers, definitions)
    collector = Collector(api, census)
    controllers = [
        *_workloads(api, informers),
        *_cluster(api, informers, census, authority),
        *_life(api, informers, leases, grace),
        Quotas(api, quotas, informers[PODS]).controller,
        Balancers(api, informers[SERVICES], balanced).controller,
    ]
    async with asyncio.TaskGroup() as group:
        for informer in (*informers.values(), leases, definitions, quotas):
            group.create_task(informer.run(), name=f"informer-{informer.resource.plural}")
        group.create_task(census.run(), name="census")
        group.create_task(collector.run(), name="garbage")
        for controller in controllers:
            group.create_task(controller.run(), name=controller.name)


def _workloads(api: RawApi, informers: dict[Resource, Informer]) -> list[Controller]:
    clock = SystemClock()
    pods, nodes, sets = informers[PODS], informers[NODES], informers[REPLICASETS]
    return [
        Scheduler(api, pods, nodes).controller,
        ReplicaSets(api, sets, pods, clock).controller,
        Deployments(api, informers[DEPLOYMENTS], sets, pods, clock).controller,
        DaemonSets(api, informers[DAEMONSETS], pods, nodes, clock).controller,
        StatefulSets(api, informers[STATEFULSETS], pods, clock).controller,
    ]


def _cluster(api: RawApi, informers: dict[Resource, Informer], census: Census, authority: str) -> list[Controller]:
    pods, nodes, namespaces = informers[PODS], informers[NODES], informers[NAMESPACES]
    endpoints = EndpointSlices(api, informers[SERVICES], pods, informers[ENDPOINTSLICES], informers[ENDPOINTS], nodes)
    return [
        endpoints.controller,
        Namespaces(api, namespaces, census, SystemClock()).controller,
        Accounts(api, namespaces, informers[SERVICEACCOUNTS], informers[CONFIGMAPS], authority).controller,
        Strays(api, pods, nodes).controller,
    ]


def _life(api: RawApi, informers: dict[Resource, Informer], leases: Informer, grace: float) -> list[Controller]:
    clock, pods, nodes = SystemClock(), informers[PODS], informers[NODES]
    owners = [informers[REPLICASETS], informers[STATEFULSETS]]
    return [
        NodeLife(api, nodes, leases, pods, clock, grace).controller,
        Evictions(api, pods, nodes, clock).controller,
        Budgets(api, informers[DISRUPTIONBUDGETS], pods, owners, clock).controller,
    ]
