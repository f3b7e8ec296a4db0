"""The Kubernetes resources this project reads or writes, as values that clients and manifests take as arguments."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the Kubernetes API: where its objects are and what they are called."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return what objects carry in `apiVersion`: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def crd_name(self) -> str:
        """Return the name of the CustomResourceDefinition: `slices.networking.kubeslice.io`."""
        return f"{self.plural}.{self.group}"


CONTROLLER_GROUP = "controller.kubeslice.io"
WORKER_GROUP = "worker.kubeslice.io"
NETWORKING_GROUP = "networking.kubeslice.io"

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

PODS = Resource("", "v1", "Pod", "pods")
SERVICES = Resource("", "v1", "Service", "services")
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
NODES = Resource("", "v1", "Node", "nodes", namespaced=False)
CONFIGMAPS = Resource("", "v1", "ConfigMap", "configmaps")
SECRETS = Resource("", "v1", "Secret", "secrets")
SERVICEACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts")
EVENTS = Resource("", "v1", "Event", "events")
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments")
DAEMONSETS = Resource("apps", "v1", "DaemonSet", "daemonsets")
STATEFULSETS = Resource("apps", "v1", "StatefulSet", "statefulsets")
JOBS = Resource("batch", "v1", "Job", "jobs")
CRONJOBS = Resource("batch", "v1", "CronJob", "cronjobs")
PERSISTENTVOLUMECLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
NETWORKPOLICIES = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases")
RESOURCEQUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas")
PODDISRUPTIONBUDGETS = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
PRIORITYCLASSES = Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False)
ROLES = Resource(_RBAC, "v1", "Role", "roles")
ROLEBINDINGS = Resource(_RBAC, "v1", "RoleBinding", "rolebindings")
CLUSTERROLES = Resource(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTERROLEBINDINGS = Resource(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
CRDS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
MUTATINGWEBHOOKS = Resource(
    _ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False
)
VALIDATINGWEBHOOKS = Resource(
    _ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False
)
VALIDATINGADMISSIONPOLICIES = Resource(
    _ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False
)
VALIDATINGADMISSIONPOLICYBINDINGS = Resource(
    _ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", namespaced=False
)
SELFSUBJECTREVIEWS = Resource(
    "authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False
)
SELFSUBJECTRULESREVIEWS = Resource(
    "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False
)

PROJECTS = Resource(CONTROLLER_GROUP, "v1alpha1", "Project", "projects")
CLUSTERS = Resource(CONTROLLER_GROUP, "v1alpha1", "Cluster", "clusters")
SLICECONFIGS = Resource(CONTROLLER_GROUP, "v1alpha1", "SliceConfig", "sliceconfigs")
SLICEQOSCONFIGS = Resource(CONTROLLER_GROUP, "v1alpha1", "SliceQoSConfig", "sliceqosconfigs")
SLICEIPAMS = Resource(CONTROLLER_GROUP, "v1alpha1", "SliceIpam", "sliceipams")
SLICERESOURCEQUOTAS = Resource(CONTROLLER_GROUP, "v1alpha1", "SliceResourceQuota", "sliceresourcequotas")
VPNKEYROTATIONS = Resource(CONTROLLER_GROUP, "v1alpha1", "VpnKeyRotation", "vpnkeyrotations")
SERVICEEXPORTCONFIGS = Resource(CONTROLLER_GROUP, "v1alpha1", "ServiceExportConfig", "serviceexportconfigs")
WORKERSLICECONFIGS = Resource(WORKER_GROUP, "v1alpha1", "WorkerSliceConfig", "workersliceconfigs")
WORKERSLICEGATEWAYS = Resource(WORKER_GROUP, "v1alpha1", "WorkerSliceGateway", "workerslicegateways")
WORKERSERVICEIMPORTS = Resource(WORKER_GROUP, "v1alpha1", "WorkerServiceImport", "workerserviceimports")
WORKERSLICEGWRECYCLERS = Resource(WORKER_GROUP, "v1alpha1", "WorkerSliceGwRecycler", "workerslicegwrecyclers")
SLICES = Resource(NETWORKING_GROUP, "v1beta1", "Slice", "slices")
SLICEGATEWAYS = Resource(NETWORKING_GROUP, "v1beta1", "SliceGateway", "slicegateways")
SERVICEEXPORTS = Resource(NETWORKING_GROUP, "v1beta1", "ServiceExport", "serviceexports")
SERVICEIMPORTS = Resource(NETWORKING_GROUP, "v1beta1", "ServiceImport", "serviceimports")

_ALL = tuple(value for value in list(globals().values()) if isinstance(value, Resource))


def of(api_version: str, kind: str) -> Resource:
    """Return the resource whose objects say this `apiVersion` and `kind`. Raises KeyError for one we do not know."""
    for resource in _ALL:
        if (resource.api_version, resource.kind) == (api_version, kind):
            return resource
    raise KeyError(f"{api_version} {kind} is no kind that this project reads or writes")
