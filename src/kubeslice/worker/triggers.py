"""Which changes wake which reconciler: an informer, the aspect of its objects that matters, the keys it concerns."""

from dataclasses import dataclass
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.plan import pods
from kubeslice.plan.cluster import isolation, localnames, worker_cluster, worker_slice
from kubeslice.runtime.sources import Keys, Source, existence, intent
from kubeslice.worker.caches import Caches
from kubeslice.worker.forwarding import KEY as COREFILE_KEY
from kubeslice.worker.hubcaches import HubCaches


def machine(node: Object) -> Any:
    """Tell apart what the operator reads of a Node, without its kubelet's heartbeats."""
    status = objects.status(node)
    return (
        existence(node),
        objects.labels(node),
        worker_slice.underlay_mtu(node),
        objects.spec(node).get("unschedulable"),
        status.get("addresses"),
        worker_cluster.is_ready(node),
    )


def place(pod: Object) -> Any:
    """Tell apart what the operator reads of a Pod."""
    return (
        existence(pod),
        objects.labels(pod),
        objects.annotations(pod).get(names.NETWORK_STATUS_ANNOTATION),
        objects.spec(pod).get("nodeName"),
        objects.status(pod).get("podIP"),
        pods.is_ready(pod),
        pods.is_finished(pod),
    )


def ownership(namespace: Object) -> Any:
    """Tell apart for which project a Namespace is kept."""
    return objects.labels(namespace).get(names.PROJECT_LABEL)


def availability(deployment: Object) -> Any:
    """Tell apart whether a Deployment works."""
    return existence(deployment), worker_cluster.is_available(deployment)


def progress(deployment: Object) -> Any:
    """Tell apart what is asked of a Deployment, and how far it has come."""
    return intent(deployment), objects.status(deployment)


def exposure(service: Object) -> Any:
    """Tell apart where a Service is reached."""
    return intent(service), objects.status(service).get("loadBalancer")


def secrets(pair: Object) -> Any:
    """Tell apart which Secrets on the hub a WorkerSliceGateway names, and whose they are."""
    spec = objects.spec(pair)
    remote = (spec.get("remoteGatewayConfig") or {}).get("clusterName")
    return existence(pair), spec.get("sliceName"), spec.get("gatewayCredentials"), remote


@dataclass(frozen=True)
class Triggers:
    """The triggers of each reconciler, and the keys that exist at all."""

    caches: Caches

    def slices(self) -> list[Source]:
        """Return what a Slice depends on; slices also depend on each other, by namespaces and VNIs."""
        own = self.caches.own
        parts = [own.gateways, own.imports, own.quotas, *own.made]
        return [
            *(Source(hub.configs, _with(_slice_of_spec, self.all_slices), intent) for hub in self.caches.hubs),
            Source(own.slices, _with(_name, self.all_slices), intent),
            Source(own.nodes, self.all_slices, machine),
            Source(own.pods, _slice_of_label, place),
            Source(own.namespaces, _slice_of_label, intent),
            Source(own.namespaces, self.all_slices, ownership),
            *(Source(informer, _slice_of_label, existence) for informer in parts),
            Source(own.policies, _slice_of_policy, existence),
        ]

    def namespaces(self) -> list[Source]:
        """Return what a namespace's labels depend on."""
        return [Source(self.caches.own.slices, _namespaces, intent), Source(self.caches.own.namespaces, _name)]

    def workloads(self) -> list[Source]:
        """Return what routers, gateways and their keys depend on."""
        own = self.caches.own
        return [
            Source(own.slices, _name, intent),
            *(Source(hub.configs, _slice_of_spec, intent) for hub in self.caches.hubs),
            *(Source(hub.gateways, _slice_of_spec, secrets) for hub in self.caches.hubs),
            *(Source(hub.secrets, _naming(hub)) for hub in self.caches.hubs),
            Source(own.gateways, _slice_of_label, existence),
            Source(own.pods, _slice_of_gateway_pod, existence),
            Source(own.deployments, _slice_of_label, progress),
            *(Source(informer, _slice_of_label, intent) for informer in (own.services, own.accounts, own.budgets)),
            *(Source(informer, _slice_of_label) for informer in (own.secrets, own.roles, own.bindings)),
        ]

    def standing(self) -> list[Source]:
        """Return what the report on a slice depends on."""
        own = self.caches.own
        return [
            Source(own.slices, _name),
            *(Source(hub.configs, _slice_of_spec) for hub in self.caches.hubs),
            *(Source(hub.configs, self.all_slices, intent) for hub in self.caches.hubs),
            Source(own.gateways, _slice_of_label),
            Source(own.pods, _slice_of_label, place),
            Source(own.services, _slice_of_label, exposure),
            Source(own.secrets, _slice_of_label),
            Source(own.namespaces, _slice_of_label, intent),
            Source(own.nodes, self.all_slices, machine),
            Source(own.quotas, _slice_of_label),
            Source(own.policies, _with(_slice_of_policy, self._slice_around), intent),
            Source(own.exports, self._slice_around),
            Source(own.deployments, self._if_dns(self.all_slices), availability),
            Source(own.services, self._if_dns(self.all_slices), intent),
            *(Source(hub.cluster, self.all_slices, intent) for hub in self.caches.hubs),
        ]

    def quotas(self) -> list[Source]:
        """Return what the limits of a slice depend on; a namespace gets its label some time after it is there."""
        own = self.caches.own
        return [
            Source(own.slices, _name, intent),
            Source(own.namespaces, _slice_of_label, intent),
            Source(own.quotas, _slice_of_label),
        ]

    def isolation(self) -> list[Source]:
        """Return what the isolation of a slice depends on; a policy of ours may have lost its labels."""
        own = self.caches.own
        return [
            Source(own.slices, _name, intent),
            Source(own.namespaces, _slice_of_label, intent),
            Source(own.policies, _with(_slice_of_policy, self._slice_around), intent),
        ]

    def gateways(self) -> list[Source]:
        """Return what one side of a pair depends on."""
        own = self.caches.own
        return [
            *(Source(hub.gateways, _pair) for hub in self.caches.hubs),
            Source(own.gateways, _name),
            Source(own.slices, lambda obj: self._gateways_of(objects.name(obj)), intent),
            Source(own.pods, self._gateways_of_gateway_pod, place),
            Source(own.services, self._gateways_of_label, intent),
            Source(own.secrets, self._gateways_of_label),
        ]

    def exports(self) -> list[Source]:
        """Return what an export depends on."""
        own = self.caches.own
        return [
            Source(own.exports, _full_name),
            Source(own.exports, self._rivals, existence),
            *(Source(hub.exports, _service) for hub in self.caches.hubs),
            Source(own.pods, lambda pod: self._exports_in(objects.namespace(pod)), place),
            Source(own.slices, self.all_exports, intent),
            Source(own.namespaces, lambda obj: self._exports_in(objects.name(obj)), existence),
        ]

    def imports(self) -> list[Source]:
        """Return what an import depends on; imports with aliases also depend on each other."""
        own = self.caches.own
        return [
            *(Source(hub.imports, _service) for hub in self.caches.hubs),
            Source(own.imports, _full_name),
            Source(own.imports, self._with_aliases, intent),
            Source(own.slices, self.all_imports, intent),
            Source(own.namespaces, lambda obj: self._imports_in(objects.name(obj)), existence),
        ]

    def forwarding(self) -> list[Source]:
        """Return what the Corefile depends on."""
        own = self.caches.own
        return [
            Source(own.corefiles, lambda _: [COREFILE_KEY]),
            Source(own.services, self._if_dns(lambda _: [COREFILE_KEY]), intent),
            *(Source(hub.cluster, lambda _: [COREFILE_KEY], existence) for hub in self.caches.hubs),
        ]

    def all_slices(self, _: Object | None = None) -> list[Key]:
        """Return the keys of all slices, here or on the hub."""
        here = [key for obj in self.caches.own.slices.items() for key in _name(obj)]
        return [*here, *(key for obj in self.caches.configs() for key in _slice_of_spec(obj))]

    def all_gateways(self) -> list[Key]:
        """Return the keys of all pairs, here or on the hub."""
        here = [key for obj in self.caches.own.gateways.items() for key in _name(obj)]
        return [*here, *(key for obj in self.caches.pairs() for key in _pair(obj))]

    def all_exports(self, _: Object | None = None) -> list[Key]:
        """Return the keys of all exports here."""
        return [key for obj in self.caches.own.exports.items() for key in _full_name(obj)]

    def all_imports(self, _: Object | None = None) -> list[Key]:
        """Return the keys of all imports, here or on the hub."""
        here = [key for obj in self.caches.own.imports.items() for key in _full_name(obj)]
        return [*here, *(key for hub in self.caches.hubs for obj in hub.imports.items() for key in _service(obj))]

    def _exports_in(self, namespace: str) -> list[Key]:
        return [key for obj in self.caches.own.exports.items(namespace) for key in _full_name(obj)]

    def _rivals(self, export: Object) -> list[Key]:
        """Return the exports that a limit makes compete with this one."""
        seen = self.caches.slice(self.caches.slice_of_namespace(objects.namespace(export)))
        if seen is None or not objects.spec(seen).get("resourceQuota"):
            return []
        return [key for namespace in objects.spec(seen).get("namespaces") or [] for key in self._exports_in(namespace)]

    def _imports_in(self, namespace: str) -> list[Key]:
        return [key for key in self.all_imports() if key.namespace == namespace]

    def _with_aliases(self, changed: Object) -> list[Key]:
        if not objects.spec(changed).get("aliases"):
            return []
        known = self.caches.own.imports.items()
        return [key for obj in known if objects.spec(obj).get("aliases") for key in _full_name(obj)]

    def _gateways_of(self, slice_name: str) -> list[Key]:
        here = [key for obj in self.caches.gateways_of(slice_name) for key in _name(obj)]
        wanted = [obj for obj in self.caches.pairs() if objects.spec(obj).get("sliceName") == slice_name]
        return [*here, *(key for obj in wanted for key in _pair(obj))]

    def _gateways_of_label(self, obj: Object) -> list[Key]:
        return self._gateways_of(objects.labels(obj).get(names.SLICE_LABEL, ""))

    def _gateways_of_gateway_pod(self, pod: Object) -> list[Key]:
        return self._gateways_of_label(pod) if pods.role(pod) == names.GATEWAY_POD else []

    def _slice_around(self, obj: Object) -> list[Key]:
        """Return the slice of the namespace that an object is in."""
        name = self.caches.slice_of_namespace(objects.namespace(obj))
        return [Key(OWN, "", name)] if name else []

    def _if_dns(self, keys: Keys) -> Keys:
        return lambda obj: keys(obj) if objects.name(obj) == names.DNS_SERVICE else []


def _with(*functions: Keys) -> Keys:
    return lambda obj: [key for function in functions for key in function(obj)]


def _name(obj: Object) -> list[Key]:
    return [Key(OWN, "", objects.name(obj))]


def _full_name(obj: Object) -> list[Key]:
    return [Key(OWN, objects.namespace(obj), objects.name(obj))]


def _namespaces(obj: Object) -> list[Key]:
    return [Key(OWN, "", name) for name in objects.spec(obj).get("namespaces") or []]


def _slice_of_spec(obj: Object) -> list[Key]:
    name = objects.spec(obj).get("sliceName")
    return [Key(OWN, "", name)] if name else []


def _pair(obj: Object) -> list[Key]:
    return [Key(OWN, "", localnames.of_pair(obj))]


def _naming(hub: HubCaches) -> Keys:
    """Return the keys of the slices whose WorkerSliceGateways name a Secret on the hub."""

    def keys(secret: Object) -> list[Key]:
        name = objects.name(secret)
        pairs = [pair for pair in hub.gateways.items() if _credentials(pair) == name]
        return [key for pair in pairs for key in _slice_of_spec(pair)]

    return keys


def _credentials(pair: Object) -> str:
    return str((objects.spec(pair).get("gatewayCredentials") or {}).get("secretName") or "")


def _slice_of_label(obj: Object) -> list[Key]:
    name = objects.labels(obj).get(names.SLICE_LABEL)
    return [Key(OWN, "", name)] if name else []


def _slice_of_policy(policy: Object) -> list[Key]:
    name = isolation.made_for(policy)
    return [Key(OWN, "", name)] if name else []


def _slice_of_gateway_pod(pod: Object) -> list[Key]:
    return _slice_of_label(pod) if pods.role(pod) == names.GATEWAY_POD else []


def _service(obj: Object) -> list[Key]:
    spec = objects.spec(obj)
    namespace, name = spec.get("serviceNamespace"), spec.get("serviceName")
    return [Key(OWN, namespace, name)] if namespace and name else []
