"""A project as it is on the hub, read once: what `kubeslice plan` starts from and `kubeslice apply` looks at again."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from kubeslice.cli.objectfile import Wish
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names
from kubeslice.model.resources import (
    CLUSTERS,
    SERVICEEXPORTCONFIGS,
    SLICECONFIGS,
    SLICEIPAMS,
    SLICEQOSCONFIGS,
    SLICERESOURCEQUOTAS,
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)
from kubeslice.plan.changes.interruptions import Pods
from kubeslice.plan.changes.preview import World
from kubeslice.plan.changes.removal import Doomed

# Where a world has the objects that users write.
PLACES = {CLUSTERS: "clusters", SLICECONFIGS: "slices", SLICEQOSCONFIGS: "profiles", SLICERESOURCEQUOTAS: "quotas"}
OF_WORKERS = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS, SERVICEEXPORTCONFIGS)


async def gather(api: Api, project: str) -> World:
    """Read what users wrote in a project; what the caller may not see makes it fail."""
    home = names.project_namespace(project)
    kinds = (CLUSTERS, SLICECONFIGS, SLICEQOSCONFIGS, SLICEIPAMS, SLICERESOURCEQUOTAS)
    clusters, slices, profiles, pools, quotas = await asyncio.gather(*(_by_name(api, kind, home) for kind in kinds))
    return World(project, clusters, slices, profiles, pools, quotas)


async def furnish(api: Api, world: World, slices: Collection[str]) -> World:
    """Read what the hub has made of these slices in the clusters of the project, and what is exported on them."""
    if not slices:
        return world
    labels = f"{names.ORIGINAL_SLICE_LABEL} in ({','.join(slices)})"
    configs, views, imports, exports = await asyncio.gather(*(_of_all(api, world, kind, labels) for kind in OF_WORKERS))
    return replace(world, configs=_bare(configs), views=_bare(views), imports=_bare(imports), exports=exports)


def seen(world: World, wish: Wish) -> Object | None:
    """Return the object that a wish is about, as it is."""
    found: Mapping[str, Object] = getattr(world, PLACES[wish.resource])
    return found.get(wish.name)


def with_wishes(world: World, wishes: Iterable[tuple[Wish, Object]]) -> World:
    """Return the world with objects replaced by what they will be."""
    places: dict[str, dict[str, Object]] = {place: dict(getattr(world, place)) for place in PLACES.values()}
    for wish, obj in wishes:
        places[PLACES[wish.resource]][wish.name] = obj
    return replace(world, **cast("dict[str, Any]", places))


def doomed(wishes: Iterable[Wish]) -> Doomed:
    """Return what is to be deleted."""
    found = list(wishes)
    return Doomed(
        **{
            place: frozenset(wish.name for wish in found if wish.resource == resource)
            for resource, place in PLACES.items()
        }
    )


def pods(world: World) -> Pods:
    """Return how many pods are on each slice in each cluster, as the workers report it."""
    return {
        (objects.spec(config).get("sliceName") or "", objects.labels(config).get(names.CLUSTER_LABEL, "")): len(
            objects.status(config).get("connectedAppPods") or []
        )
        for config in world.configs
    }


def _bare(found: Iterable[tuple[str, Object]]) -> list[Object]:
    return [obj for _, obj in found]


async def _by_name(api: Api, resource: Resource, namespace: str) -> dict[str, Object]:
    return {objects.name(obj): obj for obj in (await api.list(resource, namespace)).items}


async def _of_all(api: Api, world: World, resource: Resource, labels: str) -> list[tuple[str, Object]]:
    """Return the objects of one kind in the namespaces of all clusters, each with its cluster."""
    homes = [names.cluster_namespace(world.project, cluster) for cluster in world.clusters]
    listings = await asyncio.gather(*(api.list(resource, home, labels=labels) for home in homes))
    return [(cluster, obj) for cluster, listing in zip(world.clusters, listings, strict=True) for obj in listing.items]
