"""Exactly what the hub's components may do, and why each line is there."""

from kubeslice.manifests.access import OWN, READ, Account, Permission
from kubeslice.model import names
from kubeslice.model.resources import (
    CLUSTERS,
    EVENTS,
    LEASES,
    MUTATINGWEBHOOKS,
    NAMESPACES,
    PROJECTS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICEEXPORTCONFIGS,
    SLICECONFIGS,
    SLICEIPAMS,
    SLICEQOSCONFIGS,
    SLICERESOURCEQUOTAS,
    VALIDATINGWEBHOOKS,
    VPNKEYROTATIONS,
    WORKERSLICEGWRECYCLERS,
)
from kubeslice.plan.tenants import tenancy

WRITE_EVENTS = Permission(EVENTS, "get create patch")

# What users of a project are given: nobody can give away more than they have, so the hub has it too.
_USERS_KINDS = (CLUSTERS, SLICECONFIGS, SLICEQOSCONFIGS)
_USERS_VERBS = "get list watch create update patch delete deletecollection"

# What the hub keeps: all it makes from a SliceConfig and what workers report on.
_HUBS_KINDS = (*tenancy.MADE_FOR_WORKERS, VPNKEYROTATIONS, SLICEIPAMS)
# What others write and the hub reports on.
_READ_KINDS = (SLICERESOURCEQUOTAS, WORKERSLICEGWRECYCLERS)

HUB = Account(
    "kubeslice-hub",
    names.HUB_NAMESPACE,
    everywhere=(
        # Its own kinds: finalizers are patches of the object, states are patches of the status.
        Permission(PROJECTS, "get list watch patch"),
        *(Permission(kind, _USERS_VERBS) for kind in _USERS_KINDS),
        Permission(SERVICEEXPORTCONFIGS, OWN),
        *(Permission(kind, OWN) for kind in _HUBS_KINDS),
        *(Permission(kind, READ) for kind in _READ_KINDS),
        *(
            Permission(kind, "patch", sub="status")
            for kind in (PROJECTS, *_USERS_KINDS, SERVICEEXPORTCONFIGS, *_READ_KINDS, *_HUBS_KINDS)
        ),
        # The namespaces of projects and clusters, with accounts, credentials, pre-shared keys and roles; and, in the
        # hub's own namespace, the authorities of slices.
        Permission(NAMESPACES, OWN),
        Permission(SERVICEACCOUNTS, OWN),
        # Not used by the hub: workers renew their tokens with it, and people make tokens to join with.
        Permission(SERVICEACCOUNTS, "create", sub="token"),
        Permission(SECRETS, OWN),
        Permission(ROLES, OWN),
        Permission(ROLEBINDINGS, OWN),
        Permission(EVENTS, "get list watch create patch"),
    ),
    inside={names.HUB_NAMESPACE: (Permission(LEASES, "get create patch"),)},
)

WEBHOOK_CERTIFICATE = (
    Permission(SECRETS, "create"),
    Permission(SECRETS, "get list watch patch", only=(names.WEBHOOK_CERTIFICATE_SECRET,)),
)


def webhook_registration(name: str) -> list[Permission]:
    """Return what a webhook needs to register itself, with the certificate authority it made.

    It looks after both configurations of its name; creation cannot be limited to a name.
    """
    return [
        permission
        for resource in (MUTATINGWEBHOOKS, VALIDATINGWEBHOOKS)
        for permission in (
            Permission(resource, "create"),
            Permission(resource, "get list watch patch delete", only=(name,)),
        )
    ]


HUB_WEBHOOK = Account(
    "kubeslice-webhook",
    names.HUB_NAMESPACE,
    everywhere=(
        # What the checks look at.
        *(Permission(kind, READ) for kind in (PROJECTS, *_USERS_KINDS, NAMESPACES, SERVICEEXPORTCONFIGS)),
        *webhook_registration(names.HUB_WEBHOOK_CONFIGURATION),
    ),
    inside={names.HUB_NAMESPACE: WEBHOOK_CERTIFICATE},
)
