"""A project without some of its objects, and what is in the way of deleting them. Pure.

Called by `kubeslice plan --delete`. The sentences are those with which the hub's webhook refuses.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.plan.changes.preview import World
from kubeslice.plan.checks import obstacles
from kubeslice.plan.hub import clusters, defaultslice
from kubeslice.plan.problems import Problem

Object = dict[str, Any]
ByName = Mapping[str, Object]


class Doomed(NamedTuple):
    """Names of objects that are to be deleted, by kind."""

    clusters: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    quotas: frozenset[str] = frozenset()


def removed(world: World, doomed: Doomed) -> tuple[World, list[str]]:
    """Return the world in which these objects are gone, and what is in the way of it.

    They go in the order in which that works: what slices need goes after them, and stays while another one needs it.
    A slice is shown as gone whatever it holds, because `kubeslice slice delete` takes that away first.
    """
    slices = {name: obj for name, obj in world.slices.items() if name not in doomed.slices}
    held = {name: users for name in doomed.clusters if (users := _members_of(world, slices, name))}
    used = {name: users for name in doomed.profiles if (users := _users(slices, name))}
    gone = doomed.clusters - held.keys()
    after = replace(
        world,
        slices=_without_members(world.project, slices, gone),
        clusters=_but(world.clusters, gone),
        profiles=_but(world.profiles, doomed.profiles - used.keys()),
        quotas=_but(world.quotas, doomed.quotas),
    )
    return after, [
        *_told("SliceConfig", ((name, _of_slice(world, name)) for name in doomed.slices if name in world.slices)),
        *_told("SliceQoSConfig", ((name, obstacles.qos_profile(name, users)) for name, users in used.items())),
        *_told("Cluster", ((name, obstacles.cluster(name, users)) for name, users in held.items())),
    ]


def _of_slice(world: World, name: str) -> Iterator[Problem]:
    if defaultslice.is_default(world.project, name):
        return
    silent = {found for found, obj in world.clusters.items() if not clusters.is_heard(Cluster.parse(obj))}
    exported = obstacles.exported(world.exports, name, silent)
    yield from obstacles.slice_config(name, SliceConfig.parse(world.slices[name]).spec, exported)


def _told(kind: str, found: Iterable[tuple[str, Iterable[Problem]]]) -> list[str]:
    return [f"{kind} {name}: {problem}" for name, problems in sorted(found, key=_name) for problem in problems]


def _name(found: tuple[str, Iterable[Problem]]) -> str:
    return found[0]


def _members_of(world: World, slices: ByName, cluster: str) -> list[str]:
    found = (name for name, obj in slices.items() if cluster in (_spec(obj).get("clusters") or ()))
    return sorted(name for name in found if not defaultslice.is_default(world.project, name))


def _users(slices: ByName, profile: str) -> list[str]:
    return sorted(name for name, obj in slices.items() if _spec(obj).get("standardQosProfileName") == profile)


def _without_members(project: str, slices: ByName, gone: Collection[str]) -> ByName:
    """Take clusters out of the default slice, as the hub does when they leave."""
    return {
        name: _without(obj, gone) if gone and defaultslice.is_default(project, name) else obj
        for name, obj in slices.items()
    }


def _without(obj: Object, gone: Collection[str]) -> Object:
    left = [cluster for cluster in _spec(obj).get("clusters") or [] if cluster not in gone]
    return {**obj, "spec": {**_spec(obj), "clusters": left}}


def _but(found: ByName, gone: Collection[str]) -> ByName:
    return {name: obj for name, obj in found.items() if name not in gone}


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}
