"""A project as it is on the hub, read once: what `kubeslice plan` starts from and `kubeslice apply` looks at again."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import replace

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
    WORKERSERVICEIMPORTS,
    WORKERSLICECONFIGS,
    WORKERSLICEGATEWAYS,
    Resource,
)
from kubeslice.plan.interruptions import Pods
from kubeslice.plan.preview import World

OF_WORKERS = (WORKERSLICECONFIGS, WORKERSLICEGATEWAYS, WORKERSERVICEIMPORTS, SERVICEEXPORTCONFIGS)


async def gather(api: Api, project: str) -> World:
    """Read what users wrote in a project; what the caller may not see makes it fail."""
    home = names.project_namespace(project)
    kinds = (CLUSTERS, SLICECONFIGS, SLICEQOSCONFIGS, SLICEIPAMS)
    clusters, slices, profiles, pools = await asyncio.gather(*(_by_name(api, kind, home) for kind in kinds))
    return World(project, clusters, slices, profiles, pools)


async def furnish(api: Api, world: World, slices: Collection[str]) -> World:
    """Read what the hub has made of these slices in the clusters of the project, and what is exported on them."""
    if not slices:
        return world
    labels = f"{names.ORIGINAL_SLICE_LABEL} in ({','.join(slices)})"
    configs, views, imports, exports = await asyncio.gather(*(_of_all(api, world, kind, labels) for kind in OF_WORKERS))
    return replace(world, configs=_bare(configs), views=_bare(views), imports=_bare(imports), exports=exports)


def seen(world: World, wish: Wish) -> Object | None:
    """Return the object that a wish is about, as it is."""
    places = {CLUSTERS: world.clusters, SLICECONFIGS: world.slices, SLICEQOSCONFIGS: world.profiles}
    return places[wish.resource].get(wish.name)


def with_wishes(world: World, wishes: Iterable[tuple[Wish, Object]]) -> World:
    """Return the world with objects replaced by what they will be."""
    clusters, slices, profiles = dict(world.clusters), dict(world.slices), dict(world.profiles)
    places = {CLUSTERS: clusters, SLICECONFIGS: slices, SLICEQOSCONFIGS: profiles}
    for wish, obj in wishes:
        places[wish.resource][wish.name] = obj
    return replace(world, clusters=clusters, slices=slices, profiles=profiles)


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
