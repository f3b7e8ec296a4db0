"""Changes in any order at any moment, with workers that play along: everything comes to what the last change meant.

A walk is random and the same for the same seed. KUBESLICE_TEST_WALKS asks for more of them than one.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import permutations

import pytest

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.errors import ApiError
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.stage.understudy import Understudy
from tests.hub.stage import Stage

pytestmark = pytest.mark.api

WALKS = range(int(os.environ.get("KUBESLICE_TEST_WALKS", "1")))
STAYING = ("a", "b")
CLUSTERS = (*STAYING, "c", "d")
SLICES = ("red", "blue")
WITNESS = "witness"
PHASES, STEPS = 2, 6
Places = dict[tuple[str, str], tuple[str, int]]


@dataclass
class Wanted:
    """What the users asked for last."""

    clusters: set[str] = field(default_factory=set)
    slices: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)

    def places(self) -> set[tuple[str, str]]:
        return {(name, cluster) for name, (members, _) in self.slices.items() for cluster in members}

    def sides(self) -> set[tuple[str, str, str]]:
        return {(name, *pair) for name, (members, _) in self.slices.items() for pair in permutations(members, 2)}


class World:
    """A project, its users, and workers that come and go."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.dice = random.Random(seed)
        self.wanted = Wanted()
        self._players: dict[str, asyncio.Task[None]] = {}

    async def join(self, cluster: str) -> None:
        metadata = {"name": cluster, "namespace": self.stage.home}
        await self.stage.admin.apply(r.CLUSTERS, {"metadata": metadata, "spec": {}}, manager="user")
        api = await self.stage.credential(names.worker_account(cluster), self.stage.home)
        player = Understudy(api, Member(self.stage.project, cluster), CLUSTERS.index(cluster) + 1)
        self._players[cluster] = asyncio.create_task(player.run())
        self.wanted.clusters.add(cluster)

    async def drop(self, cluster: str) -> None:
        """Delete a cluster whatever it is in, and only then take it out of its slices."""
        await self.stage.admin.delete(r.CLUSTERS, cluster, self.stage.home)
        self.wanted.clusters.discard(cluster)
        for name, (members, spaces) in list(self.wanted.slices.items()):
            if cluster in members:
                await self.put(name, [member for member in members if member != cluster], spaces)

    async def put(self, name: str, members: list[str], spaces: list[str]) -> None:
        """Make or change a slice, unless the last one of that name is still on its way out."""
        found = await self.stage.find(r.SLICECONFIGS, name, self.stage.home)
        if found is not None and objects.is_deleting(found):
            return
        chosen = [{"namespace": space, "clusters": ["*"]} for space in spaces]
        profile = {"applicationNamespaces": chosen, "isolationEnabled": True}
        subnet = f"10.{1 + [WITNESS, *SLICES].index(name)}.0.0/16"
        spec = {"sliceSubnet": subnet, "namespaceIsolationProfile": profile}
        await self.stage.make_slice(name, *members, **spec)
        self.wanted.slices[name] = (members, spaces)

    async def remove(self, name: str) -> None:
        with suppress(ApiError):
            await self.stage.admin.delete(r.SLICECONFIGS, name, self.stage.home)
        self.wanted.slices.pop(name, None)

    async def restart_hub(self) -> None:
        await self.stage.stop_hub()
        await self.stage.start_hub()

    async def step(self) -> None:
        """Do something that a user, or a failure, could do at this moment."""
        name, comer = self.dice.choice(SLICES), self.dice.choice(CLUSTERS[len(STAYING) :])
        members = self.dice.sample(sorted(self.wanted.clusters), self.dice.randint(2, len(self.wanted.clusters)))
        spaces = self.dice.sample(["shop", "bank", "desk"], self.dice.randint(0, 2))
        match self.dice.choice(["put", "put", "put", "remove", "cluster", "hub"]):
            case "put":
                await self.put(name, members, [f"{name}-{space}" for space in spaces])
            case "remove":
                await self.remove(name)
            case "cluster" if comer in self.wanted.clusters:
                await self.drop(comer)
            case "cluster" if await self.stage.find(r.CLUSTERS, comer, self.stage.home) is None:
                await self.leave(comer)
                await self.join(comer)
            case "hub":
                await self.restart_hub()

    async def leave(self, cluster: str) -> None:
        task = self._players.pop(cluster, None)
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        for cluster in list(self._players):
            await self.leave(cluster)

    async def items(self, kind: r.Resource) -> list[Object]:
        """Return the objects of a kind in the project's namespaces."""
        found = (await self.stage.admin.list(kind)).items
        return [obj for obj in found if f"{objects.namespace(obj)}-".startswith(f"{self.stage.home}-")]

    async def places(self) -> Places:
        """Return uid and octet of every member's place."""
        return {
            (objects.spec(obj)["sliceName"], objects.labels(obj)[names.CLUSTER_LABEL]): (
                objects.uid(obj),
                objects.spec(obj)["octet"],
            )
            for obj in await self.items(r.WORKERSLICECONFIGS)
        }

    async def differences(self) -> list[str]:
        """Return what is not as the users want it."""
        wanted = self.wanted
        places = set(await self.places())
        sides = {
            (objects.spec(obj)["sliceName"], *_ends(obj))
            for obj in await self.items(r.WORKERSLICEGATEWAYS)
            if objects.spec(obj)["remoteGatewayConfig"].get("planes")
        }
        secrets = await self.items(r.SECRETS)
        shared = {
            (objects.labels(obj)[names.ORIGINAL_SLICE_LABEL], *_ends(obj))
            for obj in secrets
            if names.REMOTE_CLUSTER_LABEL in objects.labels(obj)
        }
        rotations = {objects.name(obj) for obj in await self.items(r.VPNKEYROTATIONS)}
        clusters = {objects.name(obj) for obj in await self.items(r.CLUSTERS)}
        slices = {objects.name(obj): obj for obj in await self.items(r.SLICECONFIGS)}
        pairs = (
            ("clusters", clusters, wanted.clusters),
            ("slices", set(slices), set(wanted.slices)),
            ("places", places, wanted.places()),
            ("gateways", sides, wanted.sides()),
            ("pre-shared keys", shared, wanted.sides()),
            ("rotations", rotations, set(wanted.slices)),
        )
        found = [f"{what}: {sorted(map(str, seen ^ meant))}" for what, seen, meant in pairs if seen != meant]
        unready = [name for name, obj in slices.items() if not objects.is_true(obj, "Ready")]
        return found + ([f"not ready: {unready}"] if unready else [])

    async def settled(self) -> None:
        """Wait until everything is as the users want it."""
        last: list[str] = []

        async def holds() -> bool:
            nonlocal last
            last = await self.differences()
            return not last

        try:
            await self.stage.until(holds, seconds=60)
        except AssertionError as error:
            raise AssertionError("\n".join(last)) from error


def _ends(obj: Object) -> tuple[str, str]:
    labels = objects.labels(obj)
    return labels[names.CLUSTER_LABEL], labels[names.REMOTE_CLUSTER_LABEL]


@pytest.fixture
async def world(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = World(stage, request.param)
    yield world
    await world.close()


@pytest.mark.parametrize("world", WALKS, indirect=True)
async def test_any_walk_ends_where_it_was_meant_to(world: World) -> None:
    stage = world.stage
    await stage.make_project()
    await asyncio.gather(*(world.join(cluster) for cluster in CLUSTERS))
    await world.put(WITNESS, list(STAYING), ["till"])
    await world.settled()
    kept = await world.places()
    for _ in range(PHASES):
        for _ in range(STEPS):
            untouched = world.wanted.places()
            await world.step()
            kept = {place: told for place, told in kept.items() if place in untouched & world.wanted.places()}
            await asyncio.sleep(world.dice.choice([0, 0, 0.05, 0.3]))
        await world.settled()
        now = await world.places()
        assert {place: now[place] for place in kept} == kept, "a place that was wanted all the time is the same"
        octets = [(name, octet) for (name, _), (_, octet) in now.items()]
        assert len(set(octets)) == len(octets), "no part of a subnet is given twice"
        kept = now
    await stage.admin.delete(r.PROJECTS, stage.project, names.HUB_NAMESPACE)
    await stage.gone(r.PROJECTS, stage.project, names.HUB_NAMESPACE, seconds=60)
    left = [objects.name(obj) for obj in (await stage.admin.list(r.NAMESPACES)).items]
    assert not [name for name in left if f"{name}-".startswith(f"{stage.home}-")]
    secrets = [objects.name(obj) for obj in (await stage.admin.list(r.SECRETS, names.HUB_NAMESPACE)).items]
    assert not [name for name in secrets if stage.project in name]
