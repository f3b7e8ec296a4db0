"""Isolation of a slice in one cluster: a NetworkPolicy for each of its namespaces, and who opens them again.

Called by the worker operator. The cluster's network plugin enforces the policies, on the cluster's own network: what
comes over the slice's interface passes none of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubeslice.model import names
from kubeslice.model.resources import NETWORKPOLICIES
from kubeslice.model.slice import Isolation
from kubeslice.plan.findings import Finding

Object = dict[str, Any]
ISOLATED = "Isolated"
# The API server sets this label on every namespace, and nobody can change it.
NAME_LABEL = "kubernetes.io/metadata.name"
# Whole namespaces, as in the Go implementation: the cluster's DNS, ours and a mesh have other ports everywhere.
SYSTEM = frozenset({"kube-system", names.WORKER_NAMESPACE, "istio-system"})
MOST_NAMED = 5


class Opening(NamedTuple):
    """A NetworkPolicy of somebody else that lets more in than isolation does, by namespace and name."""

    namespace: str
    name: str
    blocks: bool


def policies(slice_name: str, isolation: Isolation | None, namespaces: Iterable[str]) -> list[Object]:
    """Return the NetworkPolicy of each of a slice's namespaces; none when it is not isolated."""
    if isolation is None:
        return []
    return [_policy(slice_name, isolation, namespace) for namespace in sorted(namespaces)]


def altered(wanted: Iterable[Object], present: Iterable[Object]) -> list[Object]:
    """Return the policies that should be there and are not, or say something else.

    Compared as a whole: a selector more in a policy isolates less.
    """
    specs = {identity(policy): policy.get("spec") for policy in present}
    return [policy for policy in wanted if specs.get(identity(policy)) != policy["spec"]]


def openings(
    slice_name: str, isolation: Isolation, namespaces: Collection[str], foreign: Iterable[Object]
) -> list[Opening]:
    """Return which policies of others open the slice's `namespaces` to more than it lets in."""
    inside = {NAME_LABEL: {*isolation.allowed_namespaces, *SYSTEM, *namespaces}, names.SLICE_LABEL: {slice_name}}
    found: list[Opening] = []
    for policy in foreign:
        if identity(policy)[0] in namespaces:
            blocks = [_is_block(peer) for peer in _peers_let_in(policy) if not _is_inside(peer, inside)]
            found += [Opening(*identity(policy), all(blocks))] if blocks else []
    return sorted(found)


def finding(count: int, missing: Sequence[Object], opened: Sequence[Opening]) -> Finding:
    """Return the condition of an isolated slice with so many namespaces here."""
    if missing:
        lacking = ", ".join(policy["metadata"]["namespace"] for policy in missing[:MOST_NAMED])
        return Finding(ISOLATED, "False", "WaitingForPolicies", f"no NetworkPolicy is in force yet in: {lacking}")
    if opened:
        return widening(opened)
    message = f"namespaces with a NetworkPolicy: {count}; the cluster's network plugin has to enforce it"
    return Finding(ISOLATED, "True", "PoliciesInstalled", message)


def widening(opened: Sequence[Opening]) -> Finding:
    """Return the condition of a slice that policies of others open; there is one at least."""
    listed = ", ".join(f"{namespace}/{name}" for namespace, name, _ in opened[:MOST_NAMED])
    if all(opening.blocks for opening in opened):
        message = f"addresses are let in by NetworkPolicy {listed}: delete it, or switch isolation off"
        return Finding(ISOLATED, "False", "NetPolScopeWidenedIPBlock", message)
    message = f"more namespaces are let in by NetworkPolicy {listed}: delete it, or add them to allowedNamespaces"
    return Finding(ISOLATED, "False", "NetPolScopeWidenedNamespace", message)


def made_for(policy: Object) -> str:
    """Return the slice that the operator made a policy for, or nothing when somebody else made it.

    Its name says so: a copy under another name is somebody else's, whatever labels came along.
    """
    labels, name = policy["metadata"].get("labels") or {}, policy["metadata"]["name"]
    slice_name = str(labels.get(names.SLICE_LABEL) or name.removeprefix(names.network_policy("")))
    is_ours = labels.get(names.MANAGED_BY_LABEL) == names.WORKER_MANAGER
    return slice_name if is_ours and name == names.network_policy(slice_name) else ""


def identity(policy: Object) -> tuple[str, str]:
    """Return namespace and name."""
    return policy["metadata"]["namespace"], policy["metadata"]["name"]


def _policy(slice_name: str, isolation: Isolation, namespace: str) -> Object:
    named = sorted({*isolation.allowed_namespaces, *SYSTEM})
    peers = [
        {"namespaceSelector": {"matchLabels": {names.SLICE_LABEL: slice_name}}},
        {"namespaceSelector": {"matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": named}]}},
    ]
    return {
        "apiVersion": NETWORKPOLICIES.api_version,
        "kind": NETWORKPOLICIES.kind,
        "metadata": {
            "name": names.network_policy(slice_name),
            "namespace": namespace,
            "labels": {names.MANAGED_BY_LABEL: names.WORKER_MANAGER, names.SLICE_LABEL: slice_name},
        },
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers}],
            "egress": [{"to": peers}],
        },
    }


def _peers_let_in(policy: Object) -> Iterator[Mapping[str, Any]]:
    """Yield whom a policy lets in; an empty selector of namespaces for everybody."""
    spec = policy.get("spec") or {}
    if "Ingress" in (spec.get("policyTypes") or ["Ingress"]):
        for rule in spec.get("ingress") or []:
            yield from rule.get("from") or [{"namespaceSelector": {}}]


def _is_block(peer: Mapping[str, Any]) -> bool:
    return "ipBlock" in peer


def _is_inside(peer: Mapping[str, Any], inside: Mapping[str, Collection[str]]) -> bool:
    """Tell whether a peer is of the policy's own namespace, or surely of those that are let in anyway."""
    if _is_block(peer):
        return False
    selector = peer.get("namespaceSelector")
    return selector is None or any(
        bool(values) and set(values) <= set(inside.get(key, ())) for key, values in _demands(selector)
    )


def _demands(selector: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the values of which a label must have one, by label."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, [value]
    for entry in selector.get("matchExpressions") or []:
        if entry.get("operator") == "In":
            yield entry["key"], entry.get("values") or []
