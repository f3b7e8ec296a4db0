"""Every name this project gives to something: labels, annotations, finalizers, object names, interfaces, numbers.

The only place for such strings; everybody imports it. Names of the Go implementation are kept where there is one.
"""

import hashlib
from collections.abc import Iterable

# Length limits, so that every derived name stays within 63 characters (docs/decisions/0010-name-lengths.md):
# `<slice>-<local>-<remote>` is 20+1+20+1+20 = 62, `kubeslice-<project>-<cluster>` is 10+30+1+20 = 61.
MAX_PROJECT_LENGTH = 30
MAX_CLUSTER_LENGTH = 20
MAX_SLICE_LENGTH = 20
DEFAULT_SLICE_SUFFIX = "-default-slice"  # after the name of a project: its default slice
# A slice without a network has no gateways, so that its name may be longer: the default slice of any project fits.
MAX_BARE_SLICE_LENGTH = MAX_PROJECT_LENGTH + len(DEFAULT_SLICE_SUFFIX)

# Namespaces
HUB_NAMESPACE = "kubeslice-controller"
WORKER_NAMESPACE = "kubeslice-system"
PROJECT_NAMESPACE_PREFIX = "kubeslice-"

# What an API server calls ServiceAccounts as users: this, the namespace, ":", and the account's own name
ACCOUNT_USER_PREFIX = "system:serviceaccount:"

# Field managers of server-side apply
HUB_MANAGER = "kubeslice-hub"
WORKER_MANAGER = "kubeslice-worker"
AGENT_MANAGER = "kubeslice-agent"
WEBHOOK_MANAGER = "kubeslice-webhook"

# Labels
SLICE_LABEL = "kubeslice.io/slice"  # namespace: its pods join this slice; pod and our objects: the slice they belong to
INJECT_LABEL = "kubeslice.io/inject"  # namespace: the webhook adds the init container to its pods
POD_TYPE_LABEL = "kubeslice.io/pod-type"  # pod on a slice: what it is there
ROUTER_LABEL = "kubeslice.io/router"  # router: its number, 0 or 1
PLANE_LABEL = "kubeslice.io/plane"  # gateway: its plane
OVERLAY_ADDRESS_LABEL = "kubeslice.io/nsmIP"  # pod: its address on the slice, set by the agent
EXCLUDE_LABEL = "kubeslice.io/exclude"  # label or annotation on a pod: "true" keeps it off the slice of its namespace
NODE_TYPE_LABEL = "kubeslice.io/node-type"  # Node: "gateway" makes gateways prefer it
PROJECT_LABEL = "kubeslice.io/project"  # object on the hub, Slice, credential of a worker, namespace: its project
CLUSTER_LABEL = "kubeslice.io/cluster"  # object on the hub: its cluster
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"  # which component wrote the object
COMPONENT_LABEL = "app.kubernetes.io/component"  # which component an object or pod belongs to
PART_OF_LABEL = "app.kubernetes.io/part-of"  # "kubeslice" on everything that is installed
PROJECT_NAMESPACE_LABEL = "project-namespace"  # object in a cluster's namespace: the namespace of its project
ORIGINAL_SLICE_LABEL = "original-slice-name"  # object in a cluster's namespace: its SliceConfig
WORKER_CLUSTER_LABEL = "worker-cluster"  # object in a cluster's namespace: its cluster
REMOTE_CLUSTER_LABEL = "remote-cluster"  # WorkerSliceGateway: the cluster at the other end
SERVICE_NAME_LABEL = "service-name"  # export or import on the hub: its service
SERVICE_NAMESPACE_LABEL = "service-namespace"  # export or import on the hub: the namespace of its service

# Values of POD_TYPE_LABEL
APP_POD = "app"
ROUTER_POD = "router"
GATEWAY_POD = "slicegateway"

# Values of NODE_TYPE_LABEL
GATEWAY_NODE = "gateway"

# Annotations
NETWORK_STATUS_ANNOTATION = "k8s.v1.cni.cncf.io/network-status"  # pod: its interface and address on a slice
CREATED_BY_ANNOTATION = "kubeslice.io/created-by"  # namespace: KubeSlice made it, and removes it when it is empty
UNDERLAY_MTU_ANNOTATION = "kubeslice.io/underlay-mtu"  # Node: MTU of its way to other nodes, set by the agent
ENGINE_ANNOTATION = "kubeslice.io/wireguard-engine"  # Node: which WireGuard it can run, set by the agent
ACCESS_TYPE_ANNOTATION = "controller.kubeslice.io/access-type"  # ServiceAccount on the hub: what it may do

CREDENTIAL_REVISION_ANNOTATION = "kubeslice.io/credential-revision"  # worker's ServiceAccount: what it was made for

# Finalizers
PROJECT_FINALIZER = "controller.kubeslice.io/project-finalizer"
CLUSTER_FINALIZER = "controller.kubeslice.io/cluster-finalizer"
SLICE_CONFIG_FINALIZER = "controller.kubeslice.io/slice-configuration-finalizer"
WORKER_SLICE_CONFIG_FINALIZER = "controller.kubeslice.io/hubSpokeSlice-finalizer"
WORKER_SLICE_GATEWAY_FINALIZER = "controller.kubeslice.io/sliceGw-finalizer"
WORKER_SERVICE_IMPORT_FINALIZER = "controller.kubeslice.io/hubWorkerServiceImport-finalizer"
SLICE_FINALIZER = "networking.kubeslice.io/slice-finalizer"

# Objects with one fixed name
HUB_SECRET = "kubeslice-hub"  # noqa: S105 - the name of a Secret, not its content
BROUGHT_TOKEN = "token"  # noqa: S105 - entry of that Secret: what the worker joins with
OWN_TOKEN = "ownToken"  # noqa: S105 - entry of that Secret: what the worker got for itself
HUB_CREDENTIALS_DIRECTORY = "/var/run/secrets/kubeslice.io/hub"
DEFAULT_QOS_PROFILE = "default"
DNS_SERVICE = "kubeslice-dns"
WEBHOOK_SERVICE = "kubeslice-webhook"
HUB_WEBHOOK_CONFIGURATION = "kubeslice-hub"
WORKER_WEBHOOK_CONFIGURATION = "kubeslice-worker"
WORKER_OBJECTS_POLICY = "kubeslice-worker-objects"
WORKER_REPORTS_POLICY = "kubeslice-worker-reports"
WORKER_EXPORTS_POLICY = "kubeslice-worker-exports"
WORKER_TOKENS_POLICY = "kubeslice-worker-tokens"
WEBHOOK_CERTIFICATE_SECRET = "kubeslice-webhook"  # noqa: S105 - the name of a Secret, not its content
GATEWAY_ROLE = "kubeslice-gateway"
ROUTER_SERVICE_ACCOUNT = "kubeslice-router"
LEADER_LEASE = "kubeslice"
INIT_CONTAINER = "kubeslice-wait"
PRIORITY_CLASS = "kubeslice-data-plane"
TUNNEL_SECRET_TYPE = "kubeslice.io/tunnel"  # noqa: S105 - the type of a Secret, not its content
IMAGE_REPOSITORY = "kubeslice/kubeslice"

# The overlay
OVERLAY_INTERFACE = "ks0"
BRIDGE = "br0"
VXLAN_INTERFACE = "vx0"
WIREGUARD_INTERFACES = ("wg0", "wg1")
WIREGUARD_PORT = 51820
ROUTERS = 2
VXLAN_PORT = 14789
LOWEST_VNI = 4097
ROUTE_PROTOCOL = 75
TRANSIT_TABLE = 75
NFT_TABLE = "kubeslice"
TUNNEL_OVERHEAD = 80
MAX_PLANES = 4
BGP_BASE_AS = 64512
HIGHEST_AS = 65534  # the last private one of two bytes
BGP_BASE_AS_LONG = 4_200_000_000
MAX_PARTS = 4096  # of a slice's subnet

# Values of overlayNetworkDeploymentMode
NO_NETWORK = "no-network"  # a slice of namespaces and limits, whose pods get no addresses

# Discovery
ZONE = "slice.local"


def gateway_manager(plane: int) -> str:
    """Return the field manager of the gateway process of one plane."""
    return f"kubeslice-gateway-{plane}"


def project_namespace(project: str) -> str:
    """Return the namespace on the hub where a project's users work."""
    return f"{PROJECT_NAMESPACE_PREFIX}{project}"


def cluster_namespace(project: str, cluster: str) -> str:
    """Return the namespace on the hub that belongs to one worker cluster alone."""
    return f"{PROJECT_NAMESPACE_PREFIX}{project}-{cluster}"


def default_slice(project: str) -> str:
    """Return the name of the slice that collects the namespaces of a project which are in no other slice."""
    return f"{project}{DEFAULT_SLICE_SUFFIX}"


def project_of(namespace: str) -> str:
    """Return the project whose namespace this is; the inverse of `project_namespace`."""
    return namespace.removeprefix(PROJECT_NAMESPACE_PREFIX)


def account_user(namespace: str, account: str) -> str:
    """Return the name of the user that a ServiceAccount is."""
    return f"{ACCOUNT_USER_PREFIX}{namespace}:{account}"


def worker_account(cluster: str) -> str:
    """Return the name of a worker's ServiceAccount, token Secret, Role and RoleBinding."""
    return f"kubeslice-rbac-worker-{cluster}"


def further_hub_secret(project: str) -> str:
    """Return the Secret with a worker's credential for a project that its cluster joined after another one."""
    return f"{HUB_SECRET}-{project}"


def invitation_role(cluster: str) -> str:
    """Return the name of the Role and RoleBinding by which a project's writers get what a cluster joins with."""
    return f"kubeslice-rbac-invite-{cluster}"


def read_only_account(user: str) -> str:
    """Return the name of the ServiceAccount, token Secret and RoleBinding of a reader of a project."""
    return f"kubeslice-rbac-ro-{user}"


def read_write_account(user: str) -> str:
    """Return the name of the ServiceAccount, token Secret and RoleBinding of a writer of a project."""
    return f"kubeslice-rbac-rw-{user}"


def worker_slice_config(slice_name: str, cluster: str) -> str:
    """Return the name of a cluster's WorkerSliceConfig."""
    return f"{slice_name}-{cluster}"


def slice_gateway(slice_name: str, local: str, remote: str) -> str:
    """Return the name of one side of a cluster pair: WorkerSliceGateway on the hub, SliceGateway in the worker."""
    return f"{slice_name}-{local}-{remote}"


def service_export_config(service: str, namespace: str, cluster: str) -> str:
    """Return the name of an export on the hub."""
    return f"{service}-{namespace}-{cluster}"


def worker_service_import(service: str, namespace: str, slice_name: str, cluster: str) -> str:
    """Return the name of an import for one cluster on the hub."""
    return f"{service}-{namespace}-{slice_name}-{cluster}"


def tunnel_port(generation: int) -> int:
    """Return the port where gateways listen with one generation of their keys: the next one has the other port."""
    return WIREGUARD_PORT + generation % 2


def wireguard_interface(generation: int) -> str:
    """Return the tunnel device of one generation of a gateway's keys: the next one has the other."""
    return f"wg{generation % 2}"


def pre_shared_key(plane: int, generation: int) -> str:
    """Return the entry of a pair's Secret on the hub with the pre-shared key of one plane and generation."""
    return f"psk-{plane}-{generation}"


def slice_authority(project: str, slice_name: str) -> str:
    """Return the name of the Secret on the hub with the key of a slice's certificate authority."""
    return f"kubeslice-ca-{project}-{slice_name}"


def gateway_account(slice_name: str) -> str:
    """Return the ServiceAccount, Role and RoleBinding of a slice's gateways: they may read their own keys only."""
    return f"slice-gateway-{slice_name}"


def router_deployment(slice_name: str, number: int) -> str:
    """Return the name of the Deployment of router 0 or 1 of a slice."""
    return f"slice-router-{slice_name}-{number}"


def router_budget(slice_name: str) -> str:
    """Return the name of the PodDisruptionBudget of a slice's routers."""
    return f"slice-router-{slice_name}"


def gateway_deployment(slice_name: str, plane: int) -> str:
    """Return the name of a plane's gateway Deployment, Service and key Secret."""
    return f"slice-gateway-{slice_name}-{plane}"


def resource_quota(slice_name: str) -> str:
    """Return the name of the ResourceQuota of a slice in each of its namespaces."""
    return f"kubeslice-{slice_name}"


def network_policy(slice_name: str) -> str:
    """Return the name of the NetworkPolicy of a slice in each of its namespaces."""
    return f"kubeslice-{slice_name}"


def service_dns(service: str, namespace: str) -> str:
    """Return the name under which every cluster of the slice finds a service."""
    return f"{service}.{namespace}.svc.{ZONE}"


def pod_dns(pod: str, cluster: str, service: str, namespace: str) -> str:
    """Return the name of one pod behind a service."""
    return f"{pod}.{cluster}.{service_dns(service, namespace)}"


def segment_namespace(vni: int) -> str:
    """Return the network namespace of a node that holds a segment's bridge and VXLAN device."""
    return f"kubeslice-{vni}"


def port(uid: str) -> str:
    """Return the name of the bridge port of the pod with this uid: `p` and ten hexadecimal digits."""
    return "p" + hashlib.sha256(uid.encode()).hexdigest()[:10]


def port_alias(namespace: str, pod: str, uid: str, address: str) -> str:
    """Return the interface alias that lets a restarted agent recognise a port without any file."""
    return f"kubeslice:{namespace}/{pod}:{uid}:{address}"


def selector(labels: Iterable[tuple[str, str]]) -> str:
    """Return the label selector that asks for all of these labels."""
    return ",".join(f"{key}={value}" for key, value in labels)
