"""The built-in resources of a lab cluster as its controllers need them, beside those the product uses."""

from kubeslice.model.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    LEASES,
    MUTATINGWEBHOOKS,
    NAMESPACES,
    NODES,
    PODS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    VALIDATINGWEBHOOKS,
    Resource,
)

REPLICASETS = Resource("apps", "v1", "ReplicaSet", "replicasets")
STATEFULSETS = Resource("apps", "v1", "StatefulSet", "statefulsets")
CONTROLLERREVISIONS = Resource("apps", "v1", "ControllerRevision", "controllerrevisions")
ENDPOINTS = Resource("", "v1", "Endpoints", "endpoints")
JOBS = Resource("batch", "v1", "Job", "jobs")
NETWORKPOLICIES = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
DISRUPTIONBUDGETS = Resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
LIMITRANGES = Resource("", "v1", "LimitRange", "limitranges")
QUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas")
VOLUMECLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")

FOLLOWED = (
    NAMESPACES, NODES, PODS, SERVICES, CONFIGMAPS, SECRETS, SERVICEACCOUNTS, ENDPOINTS, ENDPOINTSLICES,
    DEPLOYMENTS, REPLICASETS, DAEMONSETS, STATEFULSETS, NETWORKPOLICIES, DISRUPTIONBUDGETS,
    ROLES, ROLEBINDINGS, CLUSTERROLES, CLUSTERROLEBINDINGS, MUTATINGWEBHOOKS, VALIDATINGWEBHOOKS,
)  # fmt: skip
"""Kinds that own or are owned: an informer each."""

UNFOLLOWED = (EVENTS, LEASES, CONTROLLERREVISIONS, JOBS, LIMITRANGES, QUOTAS, VOLUMECLAIMS)
"""Kinds that only the emptying of a namespace looks at: busy ones, and ones that nothing here makes."""
