"""What the hub knows: an informer per kind and the indexes that its reconcilers ask.

Workers can write in their own namespaces, labels included. So nothing here believes an object that says which project
or cluster it belongs to, unless the labels of its namespace, which only the hub writes, say the same.
"""

import asyncio
from collections.abc import Iterable
from functools import partial

from kubeslice.hub import groups
from kubeslice.hub.ends import Ends
from kubeslice.hub.groups import Service, SliceName
from kubeslice.hub.index import Index
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import Item
from kubeslice.kube.informer import Informer
from kubeslice.kube.slimming import Slimming
from kubeslice.model import names, resources
from kubeslice.plan.tenants.tenancy import Member

OURS = names.selector([(names.MANAGED_BY_LABEL, names.HUB_MANAGER)])


class Caches:
    """Informers and indexes; made once per term of leadership."""

    def __init__(self, api: Api) -> None:
        follow = partial(Informer, api, keep=Slimming(names.HUB_MANAGER))
        self.projects = follow(resources.PROJECTS, names.HUB_NAMESPACE)
        self.clusters = follow(resources.CLUSTERS)
        self.slices = follow(resources.SLICECONFIGS)
        self.profiles = follow(resources.SLICEQOSCONFIGS)
        self.quotas = follow(resources.SLICERESOURCEQUOTAS)
        self.exports = follow(resources.SERVICEEXPORTCONFIGS)
        self.configs = follow(resources.WORKERSLICECONFIGS)
        self.gateways = follow(resources.WORKERSLICEGATEWAYS)
        self.imports = follow(resources.WORKERSERVICEIMPORTS)
        self.recyclers = follow(resources.WORKERSLICEGWRECYCLERS)
        self.namespaces = follow(resources.NAMESPACES)
        self.rotations = follow(resources.VPNKEYROTATIONS)
        self.pools = follow(resources.SLICEIPAMS)
        self.secrets = follow(resources.SECRETS, labels=OURS)
        self.accounts = follow(resources.SERVICEACCOUNTS, labels=OURS)
        others = (resources.ROLES, resources.ROLEBINDINGS)
        self.tenancy = [self.secrets, self.accounts, *(follow(resource, labels=OURS) for resource in others)]
        self.owned_by = [(held.resource, Index(held, groups.owner)) for held in (self.namespaces, *self.tenancy)]
        self.clusters_by_project = Index(self.clusters, groups.namespace)
        self.slices_by_project = Index(self.slices, groups.namespace)
        self.profiles_by_project = Index(self.profiles, groups.namespace)
        self.quotas_by_project = Index(self.quotas, groups.namespace)
        self.slices_by_cluster = Index(self.slices, groups.members)
        self.configs_by_namespace = Index(self.configs, groups.namespace)
        self.configs_by_slice = Index(self.configs, groups.slice_name)
        self.gateways_by_slice = Index(self.gateways, groups.slice_name)
        self.gateways_by_remote = Index(self.gateways, groups.slice_and_remote)
        self.exports_by_service = Index(self.exports, groups.exported)
        self.exports_by_slice = Index(self.exports, groups.exported_on)
        self.exports_by_namespace = Index(self.exports, groups.namespace)
        self.imports_by_service = Index(self.imports, groups.imported)
        self.imports_by_slice = Index(self.imports, groups.slice_name)
        self.views = Ends(self.gateways, self.member)
        self.shared_keys = Ends(self.secrets, self.member)

    @property
    def informers(self) -> list[Informer]:
        """Return all informers."""
        return [
            self.projects,
            self.clusters,
            self.slices,
            self.profiles,
            self.quotas,
            self.pools,
            self.exports,
            self.configs,
            self.gateways,
            self.imports,
            self.rotations,
            self.recyclers,
            self.namespaces,
            *self.tenancy,
        ]

    @property
    def held_by_workers(self) -> list[Informer]:
        """Return the informers of what workers hold on to with finalizers until they have cleaned up."""
        return [self.gateways, self.imports, self.configs]

    @property
    def is_synced(self) -> bool:
        """Tell whether every informer has listed once."""
        return all(informer.synced.is_set() for informer in self.informers)

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self.informers:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    async def synced(self) -> None:
        """Wait until every informer has listed once."""
        for informer in self.informers:
            await informer.synced.wait()

    def owned(self, project: str, cluster: str = "") -> list[Item]:
        """Return the namespaces, accounts and roles that the hub made for a project or for one of its clusters."""
        return [Item(resource, obj) for resource, index in self.owned_by for obj in index.of((project, cluster))]

    def secret(self, name: str, namespace: str) -> Object | None:
        """Return one of the hub's own Secrets."""
        return self.secrets.get(name, namespace)

    def member(self, namespace: str) -> Member | None:
        """Return the cluster that a namespace belongs to."""
        found = self.namespaces.get(namespace)
        labels = objects.labels(found) if found else {}
        project, cluster = labels.get(names.PROJECT_LABEL), labels.get(names.CLUSTER_LABEL)
        return Member(project, cluster) if project and cluster else None

    def genuine(self, found: Iterable[Object]) -> list[Object]:
        """Return the worker objects whose labels tell the truth about the namespace they are in."""
        return [obj for obj in found if self._is_genuine(obj)]

    def configs_of(self, slice_name: SliceName) -> list[Object]:
        """Return the WorkerSliceConfigs of a slice."""
        return self.genuine(self.configs_by_slice.of(slice_name))

    def views_of(self, slice_name: SliceName, remote: str) -> list[Object]:
        """Return the WorkerSliceGateways of a slice that lead to one cluster."""
        return self.genuine(self.gateways_by_remote.of((slice_name, remote)))

    def service_exports(self, service: Service) -> list[tuple[Member, Object]]:
        """Return the exports of a service and the cluster that each really comes from."""
        claims = self.exports_by_service.of((service.slice.name, service.namespace, service.name))
        return [
            (member, claim)
            for claim in claims
            if (member := self.member(objects.namespace(claim))) and member.project == service.slice.project
        ]

    def _is_genuine(self, obj: Object) -> bool:
        # Asked for every object of a slice at every look: compares the labels as they are.
        claimed, found = objects.labels(obj), self.namespaces.get(objects.namespace(obj))
        project, cluster = claimed.get(names.PROJECT_LABEL), claimed.get(names.CLUSTER_LABEL)
        if found is None or not project or not cluster:
            return False
        labels = objects.labels(found)
        return bool(labels.get(names.PROJECT_LABEL) == project and labels.get(names.CLUSTER_LABEL) == cluster)
