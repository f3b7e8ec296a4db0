"""A slice's limits, checked and shared out among its WorkerSliceConfigs. Pure.

Called by `hub.quotas`, and by `plan.changes.preview`, which foretells what the hub does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.model.sliceresourcequota import SliceResourceQuota
from kubeslice.plan.checks import validation
from kubeslice.plan.hub import quotas
from kubeslice.plan.hub.quotas import BANDWIDTH, Division
from kubeslice.plan.problems import Problem

Object = dict[str, Any]
Profile = Mapping[str, Any] | None


def shared_out(
    quota: Object | None, slice_name: str, wanted: Sequence[Object], seen: Iterable[Object], profile: Profile
) -> tuple[list[Object], Sequence[Problem]]:
    """Return the WorkerSliceConfigs that are wanted with each one's part, and what is wrong with the limits.

    A broken quota changes nothing: everybody keeps the part that is in `seen`. `profile` is the slice's QoS profile.
    """
    if quota is None or quota["metadata"].get("deletionTimestamp"):
        return list(wanted), []
    division, problems = divided(quota, slice_name, wanted, profile)
    if division is None:
        known = {_cluster(found): (found.get("spec") or {}).get("resourceQuota") for found in seen}
        return [quotas.limited(one, known.get(_cluster(one))) for one in wanted], problems
    return [quotas.limited(one, division.part(_cluster(one)).wire()) for one in wanted], []


def divided(
    quota: Object, slice_name: str, configs: Iterable[Object], profile: Profile
) -> tuple[Division | None, Sequence[Problem]]:
    """Return what everybody's part is, or what is wrong with the limits."""
    try:
        spec = SliceResourceQuota.parse(quota).spec
    except Terminal as refusal:
        return None, [Problem.of("spec", refusal)]
    members = quotas.members(configs)
    problems = validation.slice_resource_quota(spec, slice_name, members, (profile or {}).get(BANDWIDTH))
    return (None, problems) if problems else (quotas.divide(spec, members), [])


def _cluster(config: Object) -> str:
    return str((config["metadata"].get("labels") or {}).get(names.CLUSTER_LABEL, ""))
