"""What the operator knows: an informer per kind, of its own cluster and of its own namespace on the hub.

The hub's half may be empty because the hub does not answer: `hub_is_known` tells that apart from a hub that wants
nothing. Whoever reads "the hub does not want this any more" out of these caches asks it first.
"""

import asyncio
from collections.abc import Iterator

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.plan import gateway_keys, onboarding, pods

OURS = names.selector([(names.MANAGED_BY_LABEL, names.WORKER_MANAGER)])
SYSTEM = names.WORKER_NAMESPACE
OPERATOR = "kubeslice-worker"
DNS_NAMESPACE = "kube-system"
DNS_CONFIGMAP = "coredns"


class OwnCaches:
    """Informers of the operator's own cluster."""

    def __init__(self, api: Api) -> None:
        self.slices = Informer(api, resources.SLICES, SYSTEM)
        self.gateways = Informer(api, resources.SLICEGATEWAYS, SYSTEM)
        self.exports = Informer(api, resources.SERVICEEXPORTS)
        self.imports = Informer(api, resources.SERVICEIMPORTS)
        self.pods = Informer(api, resources.PODS, labels=names.SLICE_LABEL)
        self.namespaces = Informer(api, resources.NAMESPACES)
        self.nodes = Informer(api, resources.NODES)
        self.services = Informer(api, resources.SERVICES, SYSTEM)
        self.secrets = Informer(api, resources.SECRETS, SYSTEM, labels=OURS)
        self.hub_secret = Informer(api, resources.SECRETS, SYSTEM, fields=f"metadata.name={names.HUB_SECRET}")
        self.deployments = Informer(api, resources.DEPLOYMENTS, SYSTEM)
        self.daemonsets = Informer(api, resources.DAEMONSETS, SYSTEM)
        self.accounts = Informer(api, resources.SERVICEACCOUNTS, SYSTEM, labels=OURS)
        self.roles = Informer(api, resources.ROLES, SYSTEM, labels=OURS)
        self.bindings = Informer(api, resources.ROLEBINDINGS, SYSTEM, labels=OURS)
        self.budgets = Informer(api, resources.PODDISRUPTIONBUDGETS, SYSTEM, labels=OURS)
        self.quotas = Informer(api, resources.RESOURCEQUOTAS, labels=OURS)
        self.corefiles = Informer(api, resources.CONFIGMAPS, DNS_NAMESPACE, fields=f"metadata.name={DNS_CONFIGMAP}")

    @property
    def informers(self) -> list[Informer]:
        """Return all informers."""
        return [
            self.slices,
            self.gateways,
            self.exports,
            self.imports,
            self.pods,
            self.namespaces,
            self.nodes,
            self.services,
            self.secrets,
            self.hub_secret,
            self.deployments,
            self.daemonsets,
            self.corefiles,
            *self.access,
            self.budgets,
            self.quotas,
        ]

    @property
    def access(self) -> list[Informer]:
        """Return the informers of what lets gateways read their own keys."""
        return [self.accounts, self.roles, self.bindings]

    @property
    def made(self) -> list[Informer]:
        """Return the informers of what the operator makes for slices."""
        return [self.deployments, self.services, self.secrets, self.budgets, *self.access]


class HubCaches:
    """Informers of what the hub holds for this cluster."""

    def __init__(self, api: Api, cluster: str, namespace: str, project_namespace: str) -> None:
        self.namespace = namespace
        self.cluster_name = cluster
        self.project_namespace = project_namespace
        self.cluster = Informer(api, resources.CLUSTERS, project_namespace, fields=f"metadata.name={cluster}")
        self.configs = Informer(api, resources.WORKERSLICECONFIGS, namespace)
        self.gateways = Informer(api, resources.WORKERSLICEGATEWAYS, namespace)
        self.imports = Informer(api, resources.WORKERSERVICEIMPORTS, namespace)
        self.exports = Informer(api, resources.SERVICEEXPORTCONFIGS, namespace)
        self.secrets = Informer(api, resources.SECRETS, namespace)

    @property
    def informers(self) -> list[Informer]:
        """Return the informers of what the hub wants; its Secrets are not among them, and may come later or never."""
        return [self.cluster, self.configs, self.gateways, self.imports, self.exports]

    @property
    def is_leaving(self) -> bool:
        """Tell whether the hub wants to forget this cluster."""
        seen = self.cluster.get(self.cluster_name, self.project_namespace)
        return seen is not None and objects.is_deleting(seen)

    def config(self, slice_name: str) -> Object | None:
        """Return the WorkerSliceConfig of a slice."""
        return self.configs.get(names.worker_slice_config(slice_name, self.cluster_name), self.namespace)

    def pairs_of(self, slice_name: str) -> list[Object]:
        """Return the WorkerSliceGateways of a slice that are here to stay."""
        return [
            obj
            for obj in self.gateways.items()
            if objects.spec(obj).get("sliceName") == slice_name and not objects.is_deleting(obj)
        ]

    def imports_of(self, namespace: str, service: str) -> list[Object]:
        """Return the WorkerServiceImports of a service, one for each slice that offers one of that name."""
        return [
            obj
            for obj in self.imports.items()
            if objects.spec(obj).get("serviceNamespace") == namespace
            and objects.spec(obj).get("serviceName") == service
        ]


class Caches:
    """Both halves, and the questions that several reconcilers ask."""

    def __init__(self, own: OwnCaches, hub: HubCaches) -> None:
        self.own = own
        self.hub = hub

    @property
    def hub_is_known(self) -> bool:
        """Tell whether the hub's wishes have been read since this process started."""
        return all(informer.synced.is_set() for informer in self.hub.informers)

    @property
    def is_synced(self) -> bool:
        """Tell whether the own cluster has been read."""
        return all(informer.synced.is_set() for informer in self.own.informers)

    async def run(self) -> None:
        """Follow both API servers until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in [*self.own.informers, *self.hub.informers, self.hub.secrets]:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    @property
    def operator(self) -> Object | None:
        """Return the operator's own Deployment."""
        return self.own.deployments.get(OPERATOR, SYSTEM)

    def slice(self, name: str) -> Object | None:
        """Return the Slice of this name."""
        return self.own.slices.get(name, SYSTEM)

    def active_slices(self) -> list[Object]:
        """Return the Slices that are here to stay."""
        return [obj for obj in self.own.slices.items() if not objects.is_deleting(obj)]

    def slice_of_namespace(self, namespace: str) -> str:
        """Return the slice that a living namespace is on, or nothing."""
        seen = self.own.namespaces.get(namespace)
        if seen is None or objects.is_deleting(seen):
            return ""
        return onboarding.slice_of(namespace, self.own.slices.items())

    def pods_of(self, slice_name: str) -> list[Object]:
        """Return the pods that carry a slice's label."""
        return [pod for pod in self.own.pods.items() if objects.labels(pod).get(names.SLICE_LABEL) == slice_name]

    def gateways_of(self, slice_name: str) -> list[Object]:
        """Return the SliceGateways of a slice."""
        return [obj for obj in self.own.gateways.items() if objects.spec(obj).get("sliceName") == slice_name]

    def keys_of(self, slice_name: str) -> dict[int, dict[str, str]]:
        """Return what the Secrets of a slice's planes hold, by plane."""
        secrets = [obj for resource, obj in self.made_for(slice_name) if resource is resources.SECRETS]
        return {plane: gateway_keys.texts(obj) for obj in secrets if (plane := pods.plane(obj)) is not None}

    def made_for(self, slice_name: str) -> Iterator[tuple[resources.Resource, Object]]:
        """Yield what the operator made for a slice: workloads, Services, Secrets, and who may read them."""
        for informer in self.own.made:
            for obj in informer.items():
                labels = objects.labels(obj)
                is_ours = labels.get(names.MANAGED_BY_LABEL) == names.WORKER_MANAGER
                if is_ours and labels.get(names.SLICE_LABEL) == slice_name:
                    yield informer.resource, obj
