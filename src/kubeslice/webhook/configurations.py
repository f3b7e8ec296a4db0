"""The webhook configurations that make an API server ask this process: pure, applied by `publication`.

Everything about them is meant to do no harm: a webhook that is down or slow is passed over after two seconds, and the
selectors leave alone whatever does not concern KubeSlice.
"""

import base64
from dataclasses import dataclass
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.resources import (
    CLUSTERS,
    MUTATINGWEBHOOKS,
    NAMESPACES,
    PODS,
    PROJECTS,
    SERVICEEXPORTCONFIGS,
    SERVICEEXPORTS,
    SLICECONFIGS,
    SLICEIPAMS,
    SLICEQOSCONFIGS,
    SLICERESOURCEQUOTAS,
    VALIDATINGWEBHOOKS,
    VPNKEYROTATIONS,
    Resource,
)

Object = dict[str, Any]
Role = Literal["hub", "worker"]

TIMEOUT_SECONDS = 2
SERVICE_PORT = 443
MUTATE, VALIDATE = "/mutate", "/validate"
CHANGES = ["CREATE", "UPDATE"]
ALL = [*CHANGES, "DELETE"]
# The hub takes namespaces away in order, and whoever asks a second time changes nothing.
UNASKED_DELETIONS = [
    {
        "name": "not-by-the-hub",
        "expression": f"request.userInfo.username != '{names.account_user(names.HUB_NAMESPACE, names.HUB_MANAGER)}'",
    },
    {"name": "not-going-already", "expression": "!has(oldObject.metadata.deletionTimestamp)"},
]


@dataclass(frozen=True)
class Home:
    """Where the webhook runs, and what clients trust it by."""

    namespace: str
    bundle: bytes
    namespace_uid: str = ""


def name(role: Role) -> str:
    """Return the name of the configurations of a role: hub and worker may share a cluster."""
    return {"hub": names.HUB_WEBHOOK_CONFIGURATION, "worker": names.WORKER_WEBHOOK_CONFIGURATION}[role]


def configurations(role: Role, home: Home) -> list[tuple[Resource, Object]]:
    """Return what the API server has to be told."""
    return _hub(home) if role == "hub" else _worker(home)


def _hub(home: Home) -> list[tuple[Resource, Object]]:
    tenants = {"matchExpressions": [{"key": names.PROJECT_LABEL, "operator": "Exists"}]}
    # In all namespaces, because in the wrong one nobody would look at them.
    webhooks = [
        _webhook(home, "projects.kubeslice.io", VALIDATE, [PROJECTS], ALL, {}),
        _webhook(home, "tenants.kubeslice.io", VALIDATE, [CLUSTERS, SLICECONFIGS, SLICEQOSCONFIGS], ALL, {}),
        _webhook(home, "limits.kubeslice.io", VALIDATE, [SLICERESOURCEQUOTAS], CHANGES, {}),
        _webhook(home, "exports.kubeslice.io", VALIDATE, [SERVICEEXPORTCONFIGS], CHANGES, tenants),
        _webhook(home, "memories.kubeslice.io", VALIDATE, [VPNKEYROTATIONS, SLICEIPAMS], ["DELETE"], tenants),
    ]
    webhooks.append(_homes(home))
    return [(VALIDATINGWEBHOOKS, _configuration(VALIDATINGWEBHOOKS, "hub", home, webhooks))]


def _homes(home: Home) -> Object:
    """Return the webhook for the namespaces that the hub made: a Namespace is in none, so its own labels select it."""
    webhook = _webhook(home, "homes.kubeslice.io", VALIDATE, [NAMESPACES], ["DELETE"], {})
    webhook["rules"][0]["scope"] = "Cluster"
    made = {
        "matchLabels": {names.MANAGED_BY_LABEL: names.HUB_MANAGER},
        "matchExpressions": [{"key": names.PROJECT_LABEL, "operator": "Exists"}],
    }
    return webhook | {"objectSelector": made, "matchConditions": UNASKED_DELETIONS}


def _worker(home: Home) -> list[tuple[Resource, Object]]:
    onboarded = {"matchLabels": {names.INJECT_LABEL: "true"}}
    willing = {"matchExpressions": [{"key": names.EXCLUDE_LABEL, "operator": "NotIn", "values": ["true"]}]}
    pods = _webhook(home, "pods.kubeslice.io", MUTATE, [PODS], ["CREATE"], onboarded)
    pods |= {"objectSelector": willing, "reinvocationPolicy": "Never"}
    exports = _webhook(home, "serviceexports.kubeslice.io", VALIDATE, [SERVICEEXPORTS], CHANGES, {})
    return [
        (MUTATINGWEBHOOKS, _configuration(MUTATINGWEBHOOKS, "worker", home, [pods])),
        (VALIDATINGWEBHOOKS, _configuration(VALIDATINGWEBHOOKS, "worker", home, [exports])),
    ]


def _configuration(resource: Resource, role: Role, home: Home, webhooks: list[Object]) -> Object:
    labels = {names.MANAGED_BY_LABEL: names.WEBHOOK_MANAGER, names.COMPONENT_LABEL: "webhook"}
    metadata: Object = {"name": name(role), "labels": labels}
    if home.namespace_uid:
        # Goes with the namespace, so that an uninstalled webhook is not asked any more.
        owner = {"apiVersion": "v1", "kind": "Namespace", "name": home.namespace, "uid": home.namespace_uid}
        metadata["ownerReferences"] = [owner]
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "webhooks": webhooks}


def _webhook(
    home: Home, label: str, path: str, resources: list[Resource], operations: list[str], namespaces: Object
) -> Object:
    service = {"name": names.WEBHOOK_SERVICE, "namespace": home.namespace, "path": path, "port": SERVICE_PORT}
    rule = {
        "apiGroups": sorted({resource.group for resource in resources}),
        "apiVersions": sorted({resource.version for resource in resources}),
        "resources": [resource.plural for resource in resources],
        "operations": operations,
        "scope": "Namespaced",
    }
    return {
        "name": label,
        "clientConfig": {"service": service, "caBundle": base64.b64encode(home.bundle).decode()},
        "rules": [rule],
        "namespaceSelector": namespaces,
        "failurePolicy": "Ignore",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "admissionReviewVersions": ["v1"],
    }
