"""The built-in resources, one line each; the catalog is made from this table.

A line: group/version, plural, kind, scope, short names, categories, the sort of object it is, strategy, columns.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubeslice.lab.apiserver.fields.shapes import Shape
from kubeslice.lab.apiserver.interfaces import GroupVersionKind, TypeSchema
from kubeslice.lab.apiserver.kinds import core, definitions, pods, policies, services, workloads
from kubeslice.lab.apiserver.kinds.event_versions import EVENTS_V1
from kubeslice.lab.apiserver.tables import cluster, network
from kubeslice.lab.apiserver.tables import pods as pod_table
from kubeslice.lab.apiserver.tables import workloads as workload_table
from kubeslice.lab.apiserver.tables.column import AGE, NAME, Column
from kubeslice.lab.apiserver.types.resource import ALL_VERBS, Conversion, ResourceType, Scale, Subresource
from kubeslice.lab.apiserver.types.strategy import Strategy

_UPDATE = ("get", "patch", "update")
_STATUS = Subresource("status", "", _UPDATE)
_SCALE = Subresource("scale", "Scale", _UPDATE, "autoscaling", "v1")
_REPLICAS = Scale(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))
_SIMPLE = (NAME, AGE)
_RBAC = "rbac.authorization.k8s.io/v1"
_ADMISSION = "admissionregistration.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Row:
    """One built-in resource."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    strategy: Strategy = core.PLAIN
    columns: tuple[Column, ...] = _SIMPLE
    subresources: tuple[Subresource, ...] = ()
    has_generation: bool = False
    scale: Scale | None = None
    verbs: tuple[str, ...] = ALL_VERBS
    storage: str = ""
    conversion: Conversion | None = None


def rows() -> tuple[Row, ...]:
    """Return the whole table."""
    return (*_core(), *_workloads(), *_policies(), *_reviews())


def _core() -> tuple[Row, ...]:
    namespace_parts = (Subresource("finalize", "Namespace", ("update",)), _STATUS)
    no_collection = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
    return (
        Row("v1", "bindings", "Binding", verbs=("create",)),
        Row("v1", "configmaps", "ConfigMap", True, ("cm",), (), core.PLAIN, cluster.CONFIG_MAPS),
        Row("v1", "endpoints", "Endpoints", True, ("ep",), (), core.ENDPOINTS, network.ENDPOINTS),
        Row("v1", "events", "Event", True, ("ev",), (), core.EVENTS, cluster.EVENTS),
        Row("v1", "limitranges", "LimitRange", True, ("limits",)),
        Row(
            "v1", "namespaces", "Namespace", False, ("ns",), (), core.NAMESPACES, cluster.NAMESPACES, namespace_parts,
            verbs=no_collection,
        ),
        Row("v1", "nodes", "Node", False, ("no",), (), core.NODES, cluster.NODES, (_STATUS,)),
        Row("v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",), subresources=(_STATUS,)),
        Row("v1", "persistentvolumes", "PersistentVolume", False, ("pv",), subresources=(_STATUS,)),
        Row(
            "v1", "pods", "Pod", True, ("po",), ("all",), pods.PODS, pod_table.PODS, _pod_parts(), has_generation=True
        ),
        Row("v1", "resourcequotas", "ResourceQuota", True, ("quota",), subresources=(_STATUS,)),
        Row("v1", "secrets", "Secret", True, (), (), core.SECRETS, cluster.SECRETS),
        Row(
            "v1", "serviceaccounts", "ServiceAccount", True, ("sa",), (), core.SERVICE_ACCOUNTS,
            cluster.SERVICE_ACCOUNTS,
            (Subresource("token", "TokenRequest", ("create",), "authentication.k8s.io", "v1"),),
        ),
        Row("v1", "services", "Service", True, ("svc",), ("all",), services.SERVICES, network.SERVICES, (_STATUS,)),
    )  # fmt: skip


def _pod_parts() -> tuple[Subresource, ...]:
    return (
        Subresource("binding", "Binding", ("create",)),
        Subresource("ephemeralcontainers", "Pod", _UPDATE),
        Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", "Pod", ("get",)),
        _STATUS,
    )


def _workloads() -> tuple[Row, ...]:
    parts = (_SCALE, _STATUS)
    every = ("all",)
    table = workload_table
    return (
        Row(
            "apps/v1", "deployments", "Deployment", True, ("deploy",), every, workloads.DEPLOYMENTS, table.DEPLOYMENTS,
            parts, has_generation=True, scale=_REPLICAS,
        ),
        Row(
            "apps/v1", "replicasets", "ReplicaSet", True, ("rs",), every, workloads.REPLICA_SETS, table.REPLICA_SETS,
            parts, has_generation=True, scale=_REPLICAS,
        ),
        Row(
            "apps/v1", "statefulsets", "StatefulSet", True, ("sts",), every, workloads.STATEFUL_SETS,
            table.STATEFUL_SETS, parts, has_generation=True, scale=_REPLICAS,
        ),
        Row(
            "apps/v1", "daemonsets", "DaemonSet", True, ("ds",), every, workloads.DAEMON_SETS, table.DAEMON_SETS,
            (_STATUS,), has_generation=True,
        ),
        Row("apps/v1", "controllerrevisions", "ControllerRevision"),
        Row(
            "batch/v1", "jobs", "Job", True, (), every, workloads.JOBS, table.JOBS, (_STATUS,), has_generation=True
        ),
        Row(
            "discovery.k8s.io/v1", "endpointslices", "EndpointSlice", True, (), (), core.ENDPOINT_SLICES,
            network.ENDPOINT_SLICES, has_generation=True,
        ),
        Row("coordination.k8s.io/v1", "leases", "Lease", True, (), (), core.LEASES, cluster.LEASES),
        Row(
            "events.k8s.io/v1", "events", "Event", True, ("ev",), (), core.EVENTS, cluster.EVENTS, storage="/events",
            conversion=EVENTS_V1,
        ),
    )  # fmt: skip


def _policies() -> tuple[Row, ...]:
    extensions = ("api-extensions",)
    return (
        Row(_RBAC, "clusterroles", "ClusterRole", False, (), (), policies.ROLES, cluster.ROLES),
        Row(
            _RBAC, "clusterrolebindings", "ClusterRoleBinding", False, (), (), policies.ROLE_BINDINGS,
            cluster.ROLE_BINDINGS,
        ),
        Row(_RBAC, "roles", "Role", True, (), (), policies.ROLES, cluster.ROLES),
        Row(_RBAC, "rolebindings", "RoleBinding", True, (), (), policies.ROLE_BINDINGS, cluster.ROLE_BINDINGS),
        Row(
            _ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False, (), extensions,
            policies.MUTATING_WEBHOOKS, cluster.WEBHOOKS, has_generation=True,
        ),
        Row(
            _ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False, (), extensions,
            policies.VALIDATING_WEBHOOKS, cluster.WEBHOOKS, has_generation=True,
        ),
        Row(
            _ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False, (), extensions,
            policies.ADMISSION_POLICIES, subresources=(_STATUS,), has_generation=True,
        ),
        Row(
            _ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False, (), extensions,
            policies.ADMISSION_POLICIES, has_generation=True,
        ),
        Row(
            "apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd", "crds"),
            extensions, definitions.DEFINITIONS, cluster.DEFINITIONS, (_STATUS,), has_generation=True,
        ),
        Row(
            "networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", True, ("netpol",), (),
            policies.NETWORK_POLICIES, network.NETWORK_POLICIES, has_generation=True,
        ),
        Row(
            "policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), (),
            policies.DISRUPTION_BUDGETS, cluster.DISRUPTION_BUDGETS, (_STATUS,), has_generation=True,
        ),
        Row(
            "scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", False, ("pc",), (), policies.PRIORITY_CLASSES,
            cluster.PRIORITY_CLASSES, has_generation=True,
        ),
    )  # fmt: skip


def _reviews() -> tuple[Row, ...]:
    ask = ("create",)
    authentication, authorization = "authentication.k8s.io/v1", "authorization.k8s.io/v1"
    return (
        Row(authentication, "selfsubjectreviews", "SelfSubjectReview", False, verbs=ask),
        Row(authentication, "tokenreviews", "TokenReview", False, verbs=ask),
        Row(authorization, "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=ask),
        Row(authorization, "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=ask),
        Row(authorization, "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, verbs=ask),
        Row(authorization, "subjectaccessreviews", "SubjectAccessReview", False, verbs=ask),
    )


def builtin_types(schema_of: Callable[[GroupVersionKind], TypeSchema]) -> list[ResourceType]:
    """Return all built-in resources, their schemas made by `schema_of`."""
    return [_type(row, schema_of) for row in rows()]


def _type(row: Row, schema_of: Callable[[GroupVersionKind], TypeSchema]) -> ResourceType:
    group, _, version = row.api_version.rpartition("/")
    schema = schema_of(GroupVersionKind(group, version, row.kind))
    return ResourceType(
        group=group,
        version=version,
        plural=row.plural,
        kind=row.kind,
        singular=row.kind.lower(),
        namespaced=row.namespaced,
        schema=schema,
        shape=Shape(schema),
        strategy=row.strategy,
        columns=row.columns,
        storage=row.storage or f"{group}/{row.plural}",
        short_names=row.short_names,
        categories=row.categories,
        verbs=row.verbs,
        subresources=row.subresources,
        has_status=_STATUS in row.subresources,
        has_generation=row.has_generation,
        scale=row.scale,
        conversion=row.conversion,
        list_kind=f"{row.kind}List",
    )
