"""What the hub will make of a project's objects, before it does: by the same functions that it runs. Pure.

Called by `kubeslice plan` with the objects as they are and as they would be.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any, TypeVar

from kubeslice.model import names
from kubeslice.model.base import Kind
from kubeslice.model.cluster import Cluster
from kubeslice.model.errors import Terminal
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.sliceqosconfig import SliceQoSConfig
from kubeslice.plan.address import parts, pools
from kubeslice.plan.changes.footprint import SHUT_OUT, Made
from kubeslice.plan.checks import claimchecks, effective, limits, validation
from kubeslice.plan.hub import gateways, slices
from kubeslice.plan.hub.clusters import is_shut_out
from kubeslice.plan.hub.gateways import Published
from kubeslice.plan.hub.slices import Seat
from kubeslice.plan.problems import Problem
from kubeslice.plan.services import exports
from kubeslice.plan.services.exports import Export, SliceMembers
from kubeslice.plan.tenants.tenancy import Member

Object = dict[str, Any]
ByName = Mapping[str, Object]
K = TypeVar("K", bound=Kind)


@dataclass(frozen=True)
class World:
    """A project: what its users and workers wrote, by name, and what the hub has made of it in its clusters.

    `exports` are ServiceExportConfigs with the cluster that each comes from.
    """

    project: str
    clusters: ByName = field(default_factory=dict)
    slices: ByName = field(default_factory=dict)
    profiles: ByName = field(default_factory=dict)
    pools: ByName = field(default_factory=dict)
    quotas: ByName = field(default_factory=dict)
    configs: Iterable[Object] = ()
    views: Iterable[Object] = ()
    imports: Iterable[Object] = ()
    exports: Iterable[tuple[str, Object]] = ()

    @property
    def made(self) -> Made:
        """Return what the hub has made of it."""
        known = {name: _provided(obj) for name, obj in self.clusters.items()}
        return Made(self.configs, self.views, self.imports, {name: words for name, words in known.items() if words})


@dataclass(frozen=True)
class Preview:
    """What the hub would make of a world, and why it would not make some of it: problems by kind and name."""

    made: Made
    refusals: Mapping[tuple[str, str], list[Problem]]


def affected(before: World, after: World) -> list[str]:
    """Return the slices that may not be the same in both worlds: only these have to be looked at in their clusters."""
    clusters = _differing(before.clusters, after.clusters)
    profiles = _differing(before.profiles, after.profiles)
    quotas = _differing(before.quotas, after.quotas)
    slices_ = _differing(before.slices, after.slices)
    verdicts = [_verdicts(world) if slices_ | clusters else {} for world in (before, after)]
    gone = before.slices.keys() - after.slices.keys()
    return sorted(gone) + sorted(
        name
        for name, obj in after.slices.items()
        if name in slices_ | quotas
        or clusters & set((obj.get("spec") or {}).get("clusters") or ())
        or ((obj.get("spec") or {}).get("standardQosProfileName") or names.DEFAULT_QOS_PROFILE) in profiles
        or verdicts[0].get(name) != verdicts[1].get(name)
    )


def preview(world: World, now: datetime, only: Collection[str] | None = None) -> Preview:
    """Return what the hub makes of a world at the end, when every worker has done its part; of `only` these slices."""
    refusals = {what: problems for what, problems in _refused(world) if problems}
    configs: list[Object] = []
    views: list[Object] = []
    imports: list[Object] = []
    for name, obj in world.slices.items():
        if obj["metadata"].get("deletionTimestamp") or (only is not None and name not in only):
            continue
        result = _slice(world, obj, now)
        if isinstance(result, Made):
            limited, problems = _limited(world, obj, result.configs)
            if problems:
                refusals["SliceResourceQuota", name] = list(problems)
            configs += limited
            views += result.views
            imports += result.imports
        else:
            refusals["SliceConfig", name] = result
            # Nothing that works is torn down because something new is wrong.
            configs += [config for config in world.configs if _slice_of(config) == name]
            views += [view for view in world.views if _slice_of(view) == name]
            imports += [imported for imported in world.imports if _slice_of(imported) == name]
    known = {name: _registration(world.project, obj) for name, obj in world.clusters.items()}
    return Preview(Made(configs, views, imports, known), refusals)


def _slice(world: World, obj: Object, now: datetime) -> Made | list[Problem]:
    try:
        config = SliceConfig.parse(obj)
        problems = _problems(world, obj, config, _Known(world))
        seats = [] if problems else _seats(world, obj, config, now)
    except Terminal as refusal:
        problems, seats = [Problem.of("spec", refusal)], []
    if problems:
        return problems
    roster = {seat.cluster: seat for seat in seats}
    profile = slices.profile(config, world.profiles.get)
    detours = gateways.detours(obj.get("status") or {})
    return Made(
        [slices.worker_config(world.project, config, seat, profile, {}) for seat in seats],
        [
            view
            for cluster in roster
            for view in gateways.views(world.project, config, roster, cluster, Published(), detours)
        ],
        _imports(world, config.metadata.name, seats),
    )


def _limited(world: World, obj: Object, configs: Iterable[Object]) -> tuple[list[Object], Sequence[Problem]]:
    config = SliceConfig.parse(obj)
    name, profile = config.metadata.name, slices.profile(config, world.profiles.get)
    seen = [found for found in world.configs if _slice_of(found) == name]
    return limits.shared_out(world.quotas.get(name), name, list(configs), seen, profile)


def _differing(before: ByName, after: ByName) -> set[str]:
    return {
        name
        for name in {*before, *after}
        if (before.get(name) or {}).get("spec") != (after.get(name) or {}).get("spec")
    }


def _verdicts(world: World) -> dict[str, list[str]]:
    """Return what is wrong with each slice."""
    known = _Known(world)
    found = {}
    for name, obj in world.slices.items():
        config = known.slices.get(name)
        found[name] = [str(problem) for problem in _problems(world, obj, config, known)] if config else ["unreadable"]
    return found


class _Known:
    """The objects of a world as models, those that can be read."""

    def __init__(self, world: World) -> None:
        self.slices = _readable(SliceConfig, world.slices)
        self.clusters = _readable(Cluster, world.clusters)


def _readable(kind: type[K], found: ByName) -> dict[str, K]:
    models = {}
    for name, obj in found.items():
        with suppress(Terminal):
            models[name] = kind.parse(obj)
    return models


def _problems(world: World, obj: Object, config: SliceConfig, known: _Known) -> list[Problem]:
    elders = [other["metadata"]["name"] for other in claimchecks.elders(obj, world.slices.values())]
    others = {name: known.slices[name].spec for name in elders if name in known.slices}
    name = config.metadata.name
    found = validation.slice_config(config.spec, name, others, known.clusters, list(world.profiles))
    built = slices.exposures((_cluster_of(made), made) for made in world.configs if _slice_of(made) == name)
    return [*found, *validation.exposure(config.spec, built), *effective.impossible(config.spec)]


def _seats(world: World, obj: Object, config: SliceConfig, now: datetime) -> list[Seat]:
    name = config.metadata.name
    present = [(_cluster_of(found), found) for found in world.configs if _slice_of(found) == name]
    taken = slices.remembered_octets(present, obj.get("status") or {})
    if pools.is_pooled(config):
        status = (world.pools.get(name) or {}).get("status") or {}
        octets = pools.octets(pools.pool(parts.cut(config.spec), status, taken, now), config.spec.clusters)
    else:
        octets = slices.octets(config, taken)
    return [slices.seat(config, *place) for place in octets.items() if not _is_evicted(world, place[0])]


def _imports(world: World, slice_name: str, seats: Iterable[Seat]) -> list[Object]:
    subnets = {seat.cluster: IPv4Network(seat.subnet) if seat.subnet else None for seat in seats}
    members = SliceMembers(slice_name, exists=True, clusters=subnets)
    services: dict[tuple[str, str], list[Export]] = {}
    for cluster, obj in world.exports:
        spec = obj.get("spec") or {}
        if spec.get("sliceName") == slice_name and not obj["metadata"].get("deletionTimestamp"):
            key = str(spec.get("serviceNamespace")), str(spec.get("serviceName"))
            services.setdefault(key, []).append(Export(cluster, obj["metadata"]["name"], spec))
    found = [exports.service_imports(world.project, members, offered) for offered in services.values()]
    return [imported for several in found for imported in several]


def _refused(world: World) -> Iterator[tuple[tuple[str, str], list[Problem]]]:
    """Yield what is wrong with clusters and profiles."""
    for name, obj in world.clusters.items():
        try:
            yield ("Cluster", name), validation.cluster(Cluster.parse(obj).spec, name, world.project, {})
        except Terminal as refusal:
            yield ("Cluster", name), [Problem.of("spec", refusal)]
    for name, obj in world.profiles.items():
        try:
            yield ("SliceQoSConfig", name), validation.qos_profile(SliceQoSConfig.parse(obj).spec)
        except Terminal as refusal:
            yield ("SliceQoSConfig", name), [Problem.of("spec", refusal)]


def _registration(project: str, obj: Object) -> str:
    if (obj.get("spec") or {}).get("evicted"):
        return SHUT_OUT
    return f"namespace {Member(project, obj['metadata']['name']).namespace}"


def _provided(obj: Object) -> str:
    """Return what the hub says that it did for a Cluster."""
    status = obj.get("status") or {}
    if is_shut_out(status):
        return SHUT_OUT
    return f"namespace {status['clusterNamespace']}" if status.get("clusterNamespace") else ""


def _is_evicted(world: World, cluster: str) -> bool:
    return bool(((world.clusters.get(cluster) or {}).get("spec") or {}).get("evicted"))


def _slice_of(made: Object) -> str:
    return str((made["metadata"].get("labels") or {}).get(names.ORIGINAL_SLICE_LABEL, ""))


def _cluster_of(made: Object) -> str:
    return str((made["metadata"].get("labels") or {}).get(names.CLUSTER_LABEL, ""))
