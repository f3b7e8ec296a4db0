"""What can be wrong with the topology of a slice. Called by `plan.checks.slicechecks`.

The CRD's rules refuse all of it but pairs that are there twice, which cost too much to compare there.
"""

from collections.abc import Iterator

from kubeslice.model.sliceconfig import SliceConfigSpec, Topology
from kubeslice.plan.problems import Problem, duplicates
from kubeslice.plan.tunnels.topology import FULL_MESH, HUB_AND_SPOKE, RESTRICTED, pair

WHERE = "spec.topology"


def topology(spec: SliceConfigSpec) -> Iterator[Problem]:
    """Check the topology of a slice, if it has one."""
    if spec.topology is not None:
        yield from _foreign_fields(spec.topology)
        yield from _hubs(spec.topology, spec)
        yield from _pairs(spec.topology, spec)


def _foreign_fields(found: Topology) -> Iterator[Problem]:
    for field, wish, mode in (
        ("hubs", found.hubs, HUB_AND_SPOKE),
        ("spokeToSpoke", not found.spoke_to_spoke, HUB_AND_SPOKE),
        ("pairs", found.pairs, RESTRICTED),
    ):
        if wish and found.mode != mode:
            other = f"it belongs to mode {mode}, and the mode is {found.mode or FULL_MESH}"
            yield Problem(f"{WHERE}.{field}", f"{other}: take it out, or change the mode", reason="InvalidTopology")


def _hubs(found: Topology, spec: SliceConfigSpec) -> Iterator[Problem]:
    field = f"{WHERE}.hubs"
    if found.mode == HUB_AND_SPOKE and not found.hubs:
        sentence = "no hub is named: name at least one member cluster that all others connect to"
        yield Problem(field, sentence, reason="NoHub")
    for hub in duplicates(found.hubs):
        yield Problem(field, f"{hub} is there twice: name it once", reason="DuplicateCluster")
    yield from _not_members(field, found.hubs, spec)


def _pairs(found: Topology, spec: SliceConfigSpec) -> Iterator[Problem]:
    field = f"{WHERE}.pairs"
    ends = [pair(*entry.clusters) for entry in found.pairs]
    for one, other in dict.fromkeys(ends):
        if one == other:
            yield Problem(field, f"{one} is paired with itself: name two clusters", reason="InvalidTopology")
    for twice in duplicates(" and ".join(both) for both in ends):
        yield Problem(field, f"{twice} are there twice: name each pair once", reason="DuplicatePair")
    yield from _not_members(field, [cluster for both in ends for cluster in both], spec)


def _not_members(field: str, named: list[str], spec: SliceConfigSpec) -> Iterator[Problem]:
    for cluster in dict.fromkeys(named):
        if cluster not in spec.clusters:
            sentence = f"{cluster} is not in spec.clusters: add it there, or take it out here"
            yield Problem(field, sentence, reason="NotAMember")
