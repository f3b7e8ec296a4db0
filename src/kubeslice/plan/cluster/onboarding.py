"""Which namespaces are on which slice in one cluster, and what that makes of a Namespace object.

Called by the worker operator. A namespace is on one slice only; when two ask for it, the one that has it keeps it.
Where projects share the cluster, its administrator may say whose a namespace is, with the label of a project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from kubeslice.model import names, resources
from kubeslice.model.resources import Resource
from kubeslice.plan.cluster import isolation, localnames

Object = dict[str, Any]
NOBODY: Mapping[str, str] = MappingProxyType({})

# Namespaces that a cluster needs to work and that nobody may put on a slice by mistake.
RESERVED = frozenset({"kube-system", "kube-public", "kube-node-lease", names.WORKER_NAMESPACE, names.HUB_NAMESPACE})

# What people keep in a namespace. The API cannot be asked for "anything", so these are the kinds whose loss would hurt.
# Secrets are not among them: an operator that may list them could read every password of the cluster.
CONTENT = (
    resources.PODS,
    resources.SERVICES,
    resources.DEPLOYMENTS,
    resources.DAEMONSETS,
    resources.SERVICEEXPORTS,
    resources.CONFIGMAPS,
    resources.SERVICEACCOUNTS,
    resources.STATEFULSETS,
    resources.JOBS,
    resources.CRONJOBS,
    resources.PERSISTENTVOLUMECLAIMS,
    resources.NETWORKPOLICIES,
)
_IN_EVERY_NAMESPACE = {("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")}


@dataclass(frozen=True)
class Claim:
    """A slice of a project that asks for namespaces, some of which it holds. `since` is its age, an RFC 3339 time."""

    slice: str
    since: str
    namespaces: frozenset[str]
    held: frozenset[str] = frozenset()
    project: str = ""


@dataclass(frozen=True)
class Granted:
    """What a claim came to: the namespaces it got, and for each that it did not get the reason."""

    namespaces: tuple[str, ...]
    refusals: tuple[str, ...]


def grant(claim: Claim, others: Iterable[Claim], owners: Mapping[str, str] = NOBODY) -> Granted:
    """Decide which namespaces a slice gets beside `others`. Who holds a namespace keeps it.

    `owners` are the projects that namespaces are kept for, by namespace.
    """
    open_to_it = _open_to(claim, owners)
    asked, foreign = sorted(open_to_it - RESERVED), sorted(claim.namespaces - open_to_it - RESERVED)
    rivals = [replace(other, namespaces=_open_to(other, owners)) for other in others if other.slice != claim.slice]
    winners = {namespace: _winner(namespace, claim, rivals) for namespace in asked}
    refusals = [
        _refusal(namespace, claim, winner) for namespace, winner in winners.items() if winner.slice != claim.slice
    ]
    refusals += [
        f"namespace {namespace} is kept for another project in this cluster: name another" for namespace in foreign
    ]
    refusals += [
        f"namespace {namespace} belongs to the cluster itself and cannot be on a slice: name another"
        for namespace in sorted(claim.namespaces & RESERVED)
    ]
    granted = tuple(namespace for namespace, winner in winners.items() if winner.slice == claim.slice)
    return Granted(granted, tuple(refusals))


def slice_of(namespace: str, slices: Iterable[Object]) -> str:
    """Return the slice that a namespace is on by the specs of the Slices in this cluster, or nothing."""
    for obj in slices:
        is_leaving = obj["metadata"].get("deletionTimestamp")
        if not is_leaving and namespace in ((obj.get("spec") or {}).get("namespaces") or []):
            return str(obj["metadata"]["name"])
    return ""


def without_network(slices: Iterable[Object]) -> list[str]:
    """Return what those of the Slices are called on the hub whose pods get no addresses."""
    specs = {localnames.title(obj): obj.get("spec") or {} for obj in slices}
    return [name for name, spec in specs.items() if spec.get("clusterName") and not spec.get("clusterSubnet")]


def onboarded(namespace: str, slice_name: str, *, made_by_us: bool, has_network: bool = True) -> Object:
    """Return what the operator owns of a Namespace that is on a slice; pods wait only for a network that there is."""
    inject = {names.INJECT_LABEL: "true"} if has_network else {}
    metadata: Object = {"name": namespace, "labels": {names.SLICE_LABEL: slice_name, **inject}}
    if made_by_us:
        metadata["annotations"] = {names.CREATED_BY_ANNOTATION: names.WORKER_MANAGER}
    return {"metadata": metadata}


def offboarded(namespace: Object) -> Object:
    """Return what the operator owns of a Namespace that is on no slice: nothing but the mark that it made it."""
    metadata: Object = {"name": namespace["metadata"]["name"]}
    if is_made_by_us(namespace):
        metadata["annotations"] = {names.CREATED_BY_ANNOTATION: names.WORKER_MANAGER}
    return {"metadata": metadata}


def is_made_by_us(namespace: Object) -> bool:
    """Tell whether the operator created this Namespace."""
    annotations = namespace["metadata"].get("annotations") or {}
    return bool(annotations.get(names.CREATED_BY_ANNOTATION) == names.WORKER_MANAGER)


def is_content(resource: Resource, obj: Object) -> bool:
    """Tell whether an object of `CONTENT` was put into its namespace by somebody, not by Kubernetes or the operator."""
    is_in_every = (resource.plural, obj["metadata"]["name"]) in _IN_EVERY_NAMESPACE
    return not is_in_every and not (resource is resources.NETWORKPOLICIES and isolation.made_for(obj))


def is_labelled(namespace: Object) -> bool:
    """Tell whether a Namespace carries the label of a slice."""
    return names.SLICE_LABEL in (namespace["metadata"].get("labels") or {})


def _winner(namespace: str, claim: Claim, rivals: Iterable[Claim]) -> Claim:
    asking = [each for each in [claim, *rivals] if namespace in each.namespaces]
    return min(asking, key=lambda each: (_rank(namespace, each), each.slice))


def _open_to(claim: Claim, owners: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in claim.namespaces if owners.get(name, claim.project) == claim.project)


def _refusal(namespace: str, claim: Claim, winner: Claim) -> str:
    if winner.project != claim.project:
        return f"namespace {namespace} is used by another project in this cluster: name another"
    return f"namespace {namespace} is on slice {winner.slice} already: take it off there first"


def _rank(namespace: str, claim: Claim) -> tuple[bool, bool, str]:
    # Ages have whole seconds: only holding a namespace tells apart slices that came in the same one. A claim without
    # an age is of a slice that is only about to exist.
    return namespace not in claim.held, not claim.since, claim.since
