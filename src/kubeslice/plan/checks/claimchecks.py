"""What two slices of one project cannot both have: a namespace of a cluster, and the names of gateways.

Called by `plan.checks.slicechecks` for every slice beside all others of its project, so the work for one other slice is
small unless the two really have something in common.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubeslice.model import names
from kubeslice.model.names import slice_gateway
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.hub import defaultslice, namespaces
from kubeslice.plan.problems import Problem

Object = dict[str, Any]


def claims(spec: SliceConfigSpec, name: str, others: Mapping[str, SliceConfigSpec]) -> Iterator[Problem]:
    """Check a slice beside the project's slices that come before it."""
    yield from _gateway_names(spec, name, others)
    yield from _claimed_twice(spec, others)


def elders(obj: Mapping[str, Any], siblings: Iterable[Object]) -> list[Object]:
    """Return the slices of a project that come before `obj` where two claim the same, the oldest first.

    The default slice is in nobody's way, and nobody is in its.
    """
    name, project = obj["metadata"]["name"], names.project_of(obj["metadata"]["namespace"])
    older = [other for other in siblings if _seniority(other) < _seniority(obj)]
    rivals = [other for other in older if defaultslice.are_rivals(project, other["metadata"]["name"], name)]
    return sorted(rivals, key=_seniority)


def _seniority(obj: Mapping[str, Any]) -> tuple[str, str]:
    return str(obj["metadata"].get("creationTimestamp") or ""), str(obj["metadata"]["name"])


def _gateway_names(spec: SliceConfigSpec, name: str, others: Mapping[str, SliceConfigSpec]) -> Iterator[Problem]:
    """Find pairs whose names another slice's pair has in the same cluster: `a` + `b-c` against `a-b` + `c`."""
    for other, other_spec in others.items():
        if other.startswith(f"{name}-"):
            shared = _shared_gateway(name, spec.clusters, other, other_spec.clusters)
        elif name.startswith(f"{other}-"):
            shared = _shared_gateway(other, other_spec.clusters, name, spec.clusters)
        else:
            # The names of two slices with no such beginning differ before the clusters' names are reached.
            continue
        if shared:
            yield Problem(
                "metadata.name",
                f"gateways of {name} and of slice {other} would both be called {shared}: choose another name",
                reason="NameConflict",
            )


def _shared_gateway(short: str, of_short: Iterable[str], long: str, of_long: Iterable[str]) -> str:
    """Return the first name that gateways of two slices share; the longer slice's name begins with the shorter's."""
    listed, remotes = list(of_long), set(of_short)
    shared = [
        candidate
        for local in sorted(remotes & set(listed))
        if f"{long}-{local}-".startswith(f"{short}-{local}-")
        for remote in listed
        if remote != local
        and (candidate := slice_gateway(long, local, remote)).removeprefix(f"{short}-{local}-") in remotes - {local}
    ]
    return min(shared, default="")


def _claimed_twice(spec: SliceConfigSpec, others: Mapping[str, SliceConfigSpec]) -> Iterator[Problem]:
    own = namespaces.claims(spec)
    for other in sorted(others):
        for entry in namespaces.application(others[other]):
            if entry.namespace not in own:
                continue
            for cluster in sorted(own[entry.namespace] & namespaces.meant_clusters(entry, others[other])):
                yield Problem(
                    f"spec.namespaceIsolationProfile.applicationNamespaces[namespace={entry.namespace}]",
                    f"in cluster {cluster} it belongs to slice {other}: take it out here or there, a namespace can be "
                    "in one slice only",
                    reason="NamespaceClaimed",
                )
