"""What the hub wants of this cluster for one project: an informer per kind, of the cluster's own namespace there.

Slices bear their local names from here on (`plan.cluster.localnames`). The caches may be empty because the hub does not
answer: `is_known` tells that apart from a hub that wants nothing.
"""

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names, resources
from kubeslice.plan.cluster import localnames
from kubeslice.plan.cluster.localnames import LocalNames
from kubeslice.plan.tenants.tenancy import Member


class HubCaches:
    """Informers of what the hub holds for one cluster of one project; `local` says what its slices are called here."""

    def __init__(self, api: Api, member: Member, local: LocalNames) -> None:
        self.namespace = member.namespace
        self._member = member
        self._home = names.project_namespace(member.project)
        keep = local.localized
        self.cluster = Informer(api, resources.CLUSTERS, self._home, fields=f"metadata.name={member.name}")
        self.configs = Informer(api, resources.WORKERSLICECONFIGS, self.namespace, keep=keep)
        self.gateways = Informer(api, resources.WORKERSLICEGATEWAYS, self.namespace, keep=keep)
        self.imports = Informer(api, resources.WORKERSERVICEIMPORTS, self.namespace, keep=keep)
        self.exports = Informer(api, resources.SERVICEEXPORTCONFIGS, self.namespace)
        self.secrets = Informer(api, resources.SECRETS, self.namespace)
        self._config_names: dict[str, str] = {}
        self._pair_names: dict[str, str] = {}
        self.configs.subscribe(self._index_config)
        self.gateways.subscribe(self._index_pair)

    @property
    def informers(self) -> list[Informer]:
        """Return the informers of what the hub wants; its Secrets are not among them, and may come later or never."""
        return [self.cluster, self.configs, self.gateways, self.imports, self.exports]

    @property
    def is_known(self) -> bool:
        """Tell whether the hub's wishes have been read since this process started."""
        return all(informer.synced.is_set() for informer in self.informers)

    @property
    def is_leaving(self) -> bool:
        """Tell whether the hub wants to forget this cluster."""
        seen = self.registered
        return seen is not None and objects.is_deleting(seen)

    @property
    def registered(self) -> Object | None:
        """Return the Cluster as the hub has it."""
        return self.cluster.get(self._member.name, self._home)

    def config(self, slice_name: str) -> Object | None:
        """Return the WorkerSliceConfig of a slice."""
        return self.configs.get(self._config_names.get(slice_name, ""), self.namespace)

    def pair(self, name: str) -> Object | None:
        """Return the WorkerSliceGateway that a SliceGateway of this name is made from."""
        return self.gateways.get(self._pair_names.get(name, ""), self.namespace)

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

    def _index_config(self, old: Object | None, new: Object | None) -> None:
        _index(self._config_names, [str(objects.spec(obj).get("sliceName")) if obj else "" for obj in (old, new)], new)

    def _index_pair(self, old: Object | None, new: Object | None) -> None:
        _index(self._pair_names, [localnames.of_pair(obj) if obj else "" for obj in (old, new)], new)


def _index(known: dict[str, str], local: list[str], new: Object | None) -> None:
    """Note under which name the hub has what is called `local` here, after what it was called before."""
    known.pop(local[0], None)
    if new is not None:
        known[local[1]] = objects.name(new)
