"""Which rules check which built-in kind; `builtin` asks here once for each kind."""

from collections.abc import Callable, Mapping
from functools import partial

from kubeslice.lab.apiserver.interfaces import FieldError, GroupVersionKind, Object
from kubeslice.lab.apiserver.schema.rules import access, config, meta, names, pods, services, webhooks, workloads

Rules = Callable[[Object, Object | None], list[FieldError]]


def _check_definition(obj: Object, old: Object | None) -> list[FieldError]:
    from kubeslice.lab.apiserver.schema.definition import check_definition  # noqa: PLC0415 - rare

    return check_definition(obj, old)


_SPECIFIC: Mapping[tuple[str, str], Rules] = {
    ("", "Pod"): pods.check_pod,
    ("", "Service"): services.check_service,
    ("", "Secret"): config.check_secret,
    ("", "ConfigMap"): config.check_config_map,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _check_definition,
    ("apps", "Deployment"): workloads.check_deployment,
    ("apps", "ReplicaSet"): workloads.check_replica_set,
    ("apps", "DaemonSet"): workloads.check_daemon_set,
    ("apps", "StatefulSet"): workloads.check_stateful_set,
    ("batch", "Job"): workloads.check_job,
    ("coordination.k8s.io", "Lease"): config.check_lease,
    ("discovery.k8s.io", "EndpointSlice"): services.check_endpoint_slice,
    ("rbac.authorization.k8s.io", "Role"): partial(access.check_role, namespaced=True),
    ("rbac.authorization.k8s.io", "ClusterRole"): partial(access.check_role, namespaced=False),
    ("rbac.authorization.k8s.io", "RoleBinding"): partial(access.check_binding, namespaced=True),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): partial(access.check_binding, namespaced=False),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): webhooks.check_configuration,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): webhooks.check_configuration,
}

_NAMES: Mapping[tuple[str, str], names.NameCheck] = {
    ("", "Namespace"): names.dns_label,
    ("", "Service"): names.dns_1035_label,
    ("rbac.authorization.k8s.io", "Role"): names.path_segment,
    ("rbac.authorization.k8s.io", "ClusterRole"): names.path_segment,
    ("rbac.authorization.k8s.io", "RoleBinding"): names.path_segment,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): names.path_segment,
}
_WITHOUT_METADATA = frozenset(
    {
        "SelfSubjectAccessReview",
        "SubjectAccessReview",
        "LocalSubjectAccessReview",
        "SelfSubjectRulesReview",
        "SelfSubjectReview",
        "TokenReview",
        "TokenRequest",
        "Binding",
        "Eviction",
        "Scale",
    }
)


def rules_of(gvk: GroupVersionKind) -> Rules:
    """Return what checks objects of a built-in kind."""
    specific = _SPECIFIC.get((gvk.group, gvk.kind))
    if gvk.kind in _WITHOUT_METADATA:
        return specific or _accept
    check = partial(_check, custom=gvk.group == "apiextensions.k8s.io")
    return partial(check, _NAMES.get((gvk.group, gvk.kind), names.dns_subdomain), specific or _accept)


def _accept(_obj: Object, _old: Object | None) -> list[FieldError]:
    return []


def _check(
    name_check: names.NameCheck, specific: Rules, obj: Object, old: Object | None, *, custom: bool
) -> list[FieldError]:
    old_meta = (old.get("metadata") or {}) if old is not None else None
    return meta.check(obj.get("metadata") or {}, old_meta, name_check, custom=custom) + specific(obj, old)
