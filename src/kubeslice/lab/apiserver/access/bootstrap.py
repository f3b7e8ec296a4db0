"""The cluster roles and bindings that every cluster begins with; the composition root creates those that are missing.

Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy, without the roles of components that the lab
does not run, and with one role for kubelets in place of the node authorizer.
"""

from collections.abc import Sequence

from kubeslice.lab.apiserver.interfaces import Object

GROUP = "rbac.authorization.k8s.io"
_API_VERSION = f"{GROUP}/v1"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_AGGREGATE = f"{GROUP}/aggregate-to-"
_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY_PATHS = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
)
_CORE_VIEW = [
    "bindings",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "namespaces/status",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "pods",
    "pods/log",
    "pods/status",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "replicationcontrollers/status",
    "resourcequotas",
    "resourcequotas/status",
    "serviceaccounts",
    "services",
    "services/status",
]
_CORE_EDIT = [
    "configmaps",
    "endpoints",
    "events",
    "persistentvolumeclaims",
    "pods",
    "pods/attach",
    "pods/eviction",
    "pods/exec",
    "pods/portforward",
    "pods/proxy",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "secrets",
    "serviceaccounts",
    "services",
    "services/proxy",
]
_CORE_SECRET_VIEW = ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"]
_APPS = ["daemonsets", "deployments", "replicasets", "statefulsets"]
_APPS_VIEW = [
    "controllerrevisions",
    "daemonsets",
    "daemonsets/status",
    "deployments",
    "deployments/scale",
    "deployments/status",
    "replicasets",
    "replicasets/scale",
    "replicasets/status",
    "statefulsets",
    "statefulsets/scale",
    "statefulsets/status",
]
_APPS_EDIT = (*_APPS, "deployments/rollback", "deployments/scale", "replicasets/scale", "statefulsets/scale")
_BATCH = ("cronjobs", "jobs")
_OTHERS = (
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("batch", _BATCH),
    ("networking.k8s.io", ("ingresses", "networkpolicies")),
    ("policy", ("poddisruptionbudgets",)),
)


def _rule(verbs: Sequence[str], group: str, resources: Sequence[str]) -> Object:
    return {"verbs": list(verbs), "apiGroups": [group], "resources": list(resources)}


def _paths(paths: Sequence[str]) -> Object:
    return {"verbs": ["get"], "nonResourceURLs": list(paths)}


def _role(name: str, *rules: Object, aggregates_to: str = "", selects: str = "") -> Object:
    labels = _LABELS | ({f"{_AGGREGATE}{aggregates_to}": "true"} if aggregates_to else {})
    role: Object = {
        "apiVersion": _API_VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels, "annotations": dict(_ANNOTATIONS)},
        "rules": list(rules),
    }
    if selects:
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {f"{_AGGREGATE}{selects}": "true"}}]}
    return role


def _binding(name: str, role: str, *groups: str) -> Object:
    return {
        "apiVersion": _API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": dict(_LABELS), "annotations": dict(_ANNOTATIONS)},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups],
    }


def _view_rules() -> list[Object]:
    return [
        _rule(_READ, "", _CORE_VIEW),
        _rule(_READ, "discovery.k8s.io", ["endpointslices"]),
        _rule(_READ, "apps", _APPS_VIEW),
        *(_rule(_READ, group, [*resources, *(f"{one}/status" for one in resources)]) for group, resources in _OTHERS),
    ]


def _edit_rules() -> list[Object]:
    return [
        _rule(_READ, "", _CORE_SECRET_VIEW),
        _rule(("impersonate",), "", ["serviceaccounts"]),
        _rule(_WRITE, "", _CORE_EDIT),
        _rule(("create",), "", ["serviceaccounts/token"]),
        _rule(_WRITE, "apps", _APPS_EDIT),
        *(_rule(_WRITE, group, resources) for group, resources in _OTHERS),
        _rule((*_WRITE, *_READ), "coordination.k8s.io", ["leases"]),
    ]


def _admin_rules() -> list[Object]:
    return [
        _rule(("create",), "authorization.k8s.io", ["localsubjectaccessreviews"]),
        _rule((*_WRITE, *_READ), GROUP, ["rolebindings", "roles"]),
    ]


def _node_rules() -> list[Object]:
    return [
        _rule((*_READ, "create", "update", "patch", "delete"), "", ["nodes", "pods"]),
        _rule(("update", "patch"), "", ["nodes/status", "pods/status"]),
        _rule(_READ, "", ["services", "configmaps", "secrets", "endpoints", "namespaces", "serviceaccounts"]),
        _rule(("create",), "", ["serviceaccounts/token", "pods/eviction"]),
        _rule(("create", "update", "patch"), "", ["events"]),
        _rule(("create", "update", "patch"), "events.k8s.io", ["events"]),
        _rule((*_READ, "create", "update", "patch", "delete"), "coordination.k8s.io", ["leases"]),
        _rule(_READ, "discovery.k8s.io", ["endpointslices"]),
        _rule(_READ, "networking.k8s.io", ["networkpolicies"]),
        _rule(("create",), "authentication.k8s.io", ["tokenreviews"]),
        _rule(("create",), "authorization.k8s.io", ["subjectaccessreviews", "localsubjectaccessreviews"]),
    ]


def cluster_roles() -> list[Object]:
    """Return the cluster roles of a new cluster."""
    everything = _rule(("*",), "*", ["*"])
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    view, edit, admin = _view_rules(), _edit_rules(), _admin_rules()
    return [
        _role("cluster-admin", everything, {"verbs": ["*"], "nonResourceURLs": ["*"]}),
        _role("admin", *admin, *edit, *view, selects="admin"),
        _role("edit", *edit, *view, aggregates_to="admin", selects="edit"),
        _role("view", *view, aggregates_to="edit", selects="view"),
        _role("system:aggregate-to-admin", *admin, aggregates_to="admin"),
        _role("system:aggregate-to-edit", *edit, aggregates_to="edit"),
        _role("system:aggregate-to-view", *view, aggregates_to="view"),
        _role("system:discovery", _paths(_DISCOVERY_PATHS)),
        _role("system:public-info-viewer", _paths(_PUBLIC_PATHS)),
        _role("system:monitoring", _paths(("/metrics", "/metrics/slis", *_PUBLIC_PATHS[:3]))),
        _role(
            "system:basic-user",
            _rule(("create",), "authorization.k8s.io", reviews),
            _rule(("create",), "authentication.k8s.io", ["selfsubjectreviews"]),
        ),
        _role(
            "system:service-account-issuer-discovery", _paths(("/.well-known/openid-configuration", "/openid/v1/jwks"))
        ),
        _role("system:node", *_node_rules()),
        _role(
            "system:auth-delegator",
            _rule(("create",), "authentication.k8s.io", ["tokenreviews"]),
            _rule(("create",), "authorization.k8s.io", ["subjectaccessreviews"]),
        ),
    ]


def cluster_role_bindings() -> list[Object]:
    """Return the cluster role bindings of a new cluster."""
    return [
        _binding("cluster-admin", "cluster-admin", "system:masters"),
        _binding("system:discovery", "system:discovery", "system:authenticated"),
        _binding("system:basic-user", "system:basic-user", "system:authenticated"),
        _binding(
            "system:public-info-viewer", "system:public-info-viewer", "system:authenticated", "system:unauthenticated"
        ),
        _binding("system:monitoring", "system:monitoring", "system:monitoring"),
        _binding("system:node", "system:node", "system:nodes"),
        _binding(
            "system:service-account-issuer-discovery",
            "system:service-account-issuer-discovery",
            "system:serviceaccounts",
        ),
    ]
