"""Exactly what the components in a worker cluster may do there, and why each line is there.

What the operator may do on the hub is `plan.tenants.tenancy`'s to say.
"""

from kubeslice.manifests.access import OWN, READ, Account, Permission
from kubeslice.manifests.hubaccess import WEBHOOK_CERTIFICATE, WRITE_EVENTS, webhook_registration
from kubeslice.model import names
from kubeslice.model.resources import (
    CONFIGMAPS,
    DAEMONSETS,
    DEPLOYMENTS,
    LEASES,
    NAMESPACES,
    NETWORKPOLICIES,
    NODES,
    PODDISRUPTIONBUDGETS,
    PODS,
    RESOURCEQUOTAS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICEEXPORTS,
    SERVICEIMPORTS,
    SERVICES,
    SLICEGATEWAYS,
    SLICES,
)
from kubeslice.plan.cluster import onboarding

WORKER = Account(
    "kubeslice-worker",
    names.WORKER_NAMESPACE,
    everywhere=(
        *(Permission(kind, OWN) for kind in (SERVICEEXPORTS, SERVICEIMPORTS)),
        *(Permission(kind, "patch", sub="status") for kind in (SERVICEEXPORTS, SERVICEIMPORTS)),
        # Namespaces are onboarded, made where they are missing, and removed again when empty.
        Permission(NAMESPACES, OWN),
        # What slices may use in their namespaces.
        Permission(RESOURCEQUOTAS, OWN),
        # Isolates the namespaces of slices, and tells which policies of others open them again.
        Permission(NETWORKPOLICIES, OWN),
        # Empty is known by looking; Secrets are not looked at, because that would open all of them.
        *(
            Permission(kind, "list")
            for kind in onboarding.CONTENT
            if kind not in (PODS, SERVICEEXPORTS, NETWORKPOLICIES)
        ),
        # Pods on slices and behind exports; their overlay addresses are on them.
        Permission(PODS, READ),
        # Node addresses, MTUs and which nodes are gateways.
        Permission(NODES, READ),
        WRITE_EVENTS,
    ),
    inside={
        names.WORKER_NAMESPACE: (
            *(Permission(kind, OWN) for kind in (SLICES, SLICEGATEWAYS)),
            *(Permission(kind, "patch", sub="status") for kind in (SLICES, SLICEGATEWAYS)),
            # Routers and gateways belong to their Slice.
            Permission(SLICES, "update", sub="finalizers"),
            Permission(DEPLOYMENTS, OWN),
            Permission(SERVICES, OWN),
            Permission(SECRETS, OWN),
            # The gateways of a slice may read the keys of that slice. Nobody can give away more than they have, so no
            # verb such as bind or escalate is needed: all that a gateway may do is listed here too.
            *(Permission(kind, OWN) for kind in (SERVICEACCOUNTS, ROLES, ROLEBINDINGS)),
            Permission(PODDISRUPTIONBUDGETS, OWN),
            # Whether the agents run.
            Permission(DAEMONSETS, READ),
            Permission(LEASES, "get create patch"),
        ),
        # The cluster's DNS forwards the slices' zone.
        "kube-system": (Permission(CONFIGMAPS, "get list watch patch", only=("coredns",)),),
    },
)

AGENT = Account(
    "kubeslice-agent",
    names.WORKER_NAMESPACE,
    everywhere=(
        # Attaches pods and writes their addresses on them.
        Permission(PODS, "get list watch patch"),
        Permission(NAMESPACES, READ),
        # Finds the other nodes and tells its own MTU.
        Permission(NODES, "get list watch patch"),
        WRITE_EVENTS,
    ),
    inside={names.WORKER_NAMESPACE: (Permission(SLICES, READ),)},
)

GATEWAY = Account(
    names.GATEWAY_ROLE,
    names.WORKER_NAMESPACE,
    inside={
        names.WORKER_NAMESPACE: (
            Permission(SLICES, READ),
            Permission(SLICEGATEWAYS, READ),
            Permission(SLICEGATEWAYS, "patch", sub="status"),
            WRITE_EVENTS,
        )
    },
)

ROUTER = Account(
    names.ROUTER_SERVICE_ACCOUNT,
    names.WORKER_NAMESPACE,
    inside={names.WORKER_NAMESPACE: (Permission(SLICES, READ), Permission(SLICEGATEWAYS, READ), WRITE_EVENTS)},
)

DNS = Account("kubeslice-dns", names.WORKER_NAMESPACE, everywhere=(Permission(SERVICEIMPORTS, READ),))

WORKER_WEBHOOK = Account(
    "kubeslice-webhook-worker",
    names.WORKER_NAMESPACE,
    everywhere=(
        *(Permission(kind, READ) for kind in (NAMESPACES, SERVICEEXPORTS, SLICES)),
        *webhook_registration(names.WORKER_WEBHOOK_CONFIGURATION),
    ),
    inside={names.WORKER_NAMESPACE: WEBHOOK_CERTIFICATE},
)
