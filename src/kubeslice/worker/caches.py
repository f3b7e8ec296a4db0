"""What the operator knows: an informer per kind of its own cluster, and what the hubs of its projects hold for it.

The hubs' part may be empty because a hub does not answer, or has forgotten what was not deleted: `is_known` tells that
apart from a hub that wants nothing.
Whoever reads "the hub does not want this any more" out of these caches asks it first.
"""

import asyncio
from collections.abc import Iterator, Sequence

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.plan import pods
from kubeslice.plan.cluster import localnames, onboarding
from kubeslice.plan.keys import gateway_keys
from kubeslice.worker.forgotten import Forgotten
from kubeslice.worker.hubcaches import HubCaches
from kubeslice.worker.membership import Membership

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
        self.further_secrets = Informer(api, resources.SECRETS, SYSTEM, labels=names.PROJECT_LABEL)
        self.deployments = Informer(api, resources.DEPLOYMENTS, SYSTEM)
        self.daemonsets = Informer(api, resources.DAEMONSETS, SYSTEM)
        self.accounts = Informer(api, resources.SERVICEACCOUNTS, SYSTEM, labels=OURS)
        self.roles = Informer(api, resources.ROLES, SYSTEM, labels=OURS)
        self.bindings = Informer(api, resources.ROLEBINDINGS, SYSTEM, labels=OURS)
        self.budgets = Informer(api, resources.PODDISRUPTIONBUDGETS, SYSTEM, labels=OURS)
        self.quotas = Informer(api, resources.RESOURCEQUOTAS, labels=OURS)
        self.policies = Informer(api, resources.NETWORKPOLICIES)
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
            self.further_secrets,
            self.deployments,
            self.daemonsets,
            self.corefiles,
            *self.access,
            self.budgets,
            self.quotas,
            self.policies,
        ]

    def secrets_of(self, membership: Membership) -> Informer:
        """Return the informer of the Secret with the credential of a membership."""
        return self.hub_secret if membership.is_first else self.further_secrets

    @property
    def access(self) -> list[Informer]:
        """Return the informers of what lets gateways read their own keys."""
        return [self.accounts, self.roles, self.bindings]

    @property
    def made(self) -> list[Informer]:
        """Return the informers of what the operator makes for slices."""
        return [self.deployments, self.services, self.secrets, self.budgets, *self.access]


class Caches:
    """All that is known, and the questions that several reconcilers ask. The first project's membership comes first."""

    def __init__(self, own: OwnCaches, memberships: Sequence[Membership], forgotten: Forgotten) -> None:
        self.own = own
        self.memberships = memberships
        self.forgotten = forgotten

    @property
    def hubs(self) -> list[HubCaches]:
        """Return what the hub holds for each project."""
        return [membership.caches for membership in self.memberships]

    @property
    def is_synced(self) -> bool:
        """Tell whether the own cluster has been read."""
        return all(informer.synced.is_set() for informer in self.own.informers)

    async def run(self) -> None:
        """Follow all API servers until cancelled."""
        async with asyncio.TaskGroup() as group:
            hubs = [informer for hub in self.hubs for informer in [*hub.informers, hub.secrets]]
            for informer in [*self.own.informers, *hubs]:
                group.create_task(informer.run(), name=f"follow-{informer.resource.plural}")

    @property
    def operator(self) -> Object | None:
        """Return the operator's own Deployment."""
        return self.own.deployments.get(OPERATOR, SYSTEM)

    def slice(self, name: str) -> Object | None:
        """Return the Slice of this name."""
        return self.own.slices.get(name, SYSTEM)

    def membership_of(self, slice_name: str) -> Membership | None:
        """Return which project a slice is of; none when that is not known, or not joined any more."""
        seen = self.slice(slice_name)
        if seen is None:
            return next((found for found in self.memberships if found.caches.config(slice_name)), None)
        project = objects.labels(seen).get(names.PROJECT_LABEL, self.memberships[0].member.project)
        return next((found for found in self.memberships if found.member.project == project), None)

    def config(self, slice_name: str) -> Object | None:
        """Return what the hub says of a slice."""
        membership = self.membership_of(slice_name)
        return membership.caches.config(slice_name) if membership else None

    def is_known(self, slice_name: str) -> bool:
        """Tell whether it is known what the hub wants of a slice that is here, if anything."""
        membership = self.membership_of(slice_name)
        if membership is None or not membership.caches.is_known:
            return False
        if membership.caches.config(slice_name) is not None:
            self.forgotten.found(slice_name)
            return True
        return not self.forgotten.keeps(slice_name)

    def configs(self) -> list[Object]:
        """Return all WorkerSliceConfigs."""
        return [obj for hub in self.hubs for obj in hub.configs.items()]

    def pairs(self) -> list[Object]:
        """Return all WorkerSliceGateways."""
        return [obj for hub in self.hubs for obj in hub.gateways.items()]

    def title(self, slice_name: str) -> str:
        """Return what people call a slice of this cluster: its name on the hub."""
        seen = self.slice(slice_name)
        return localnames.title(seen) if seen else ""

    def fellows(self, slice_name: str) -> list[Object]:
        """Return the Slices of the same project that are here to stay; all of them for no slice."""
        mine = self.membership_of(slice_name) if slice_name else None
        living = self.active_slices()
        return [obj for obj in living if mine is None or self.membership_of(objects.name(obj)) is mine]

    def active_slices(self) -> list[Object]:
        """Return the Slices that are here to stay."""
        return [obj for obj in self.own.slices.items() if not objects.is_deleting(obj)]

    def owners(self) -> dict[str, str]:
        """Return the projects that the cluster's administrator keeps namespaces for, by namespace."""
        labels = {objects.name(obj): objects.labels(obj) for obj in self.own.namespaces.items()}
        return {name: own[names.PROJECT_LABEL] for name, own in labels.items() if names.PROJECT_LABEL in own}

    def slice_of_namespace(self, namespace: str) -> str:
        """Return the slice that a living namespace is on, or nothing."""
        seen = self.own.namespaces.get(namespace)
        if seen is None or objects.is_deleting(seen):
            return ""
        return onboarding.slice_of(namespace, self.own.slices.items())

    def namespaces_of(self, seen: Object) -> list[str]:
        """Return the namespaces of a Slice that are there to stay."""
        found = {name: self.own.namespaces.get(name) for name in objects.spec(seen).get("namespaces") or []}
        return [name for name, obj in found.items() if obj is not None and not objects.is_deleting(obj)]

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
