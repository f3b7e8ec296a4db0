"""One cluster that joins a slice of all the others and leaves it again: how long the hub takes to tell everybody."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kubeslice.bench.scale.figures import Joined
from kubeslice.bench.scale.load import HOME, PROJECT, slice_name
from kubeslice.bench.scale.scene import Scene, following
from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.kube.informer import Informer
from kubeslice.model import names
from kubeslice.model.resources import SECRETS, SLICECONFIGS, WORKERSLICEGATEWAYS

TOLD_WITHIN = 120.0


@dataclass(frozen=True)
class Newcomer:
    """The spare cluster; `views` and `secrets` are those of both sides of its pairs."""

    scene: Scene
    views: list[Informer]
    secrets: list[Informer]

    @classmethod
    @asynccontextmanager
    async def watched(cls, scene: Scene) -> "AsyncIterator[Newcomer]":
        """Follow what the spare cluster and all others are told of each other."""
        admin, spare = scene.admin, scene.load.spare
        home, label = names.cluster_namespace(PROJECT, spare), f"{names.REMOTE_CLUSTER_LABEL}={spare}"
        views = [Informer(admin, WORKERSLICEGATEWAYS, labels=label), Informer(admin, WORKERSLICEGATEWAYS, home)]
        secrets = [
            Informer(admin, SECRETS, labels=label),
            Informer(admin, SECRETS, home, labels=names.REMOTE_CLUSTER_LABEL),
        ]
        async with following(*views, *secrets):
            yield cls(scene, views, secrets)

    async def join(self) -> Joined:
        """Put the cluster on the slice, wait until everybody knows what they need for a tunnel and until all are up."""
        load, before = self.scene.load, await self.scene.written()
        started = time.monotonic()
        await self._write([*load.members_of(0), load.spare])
        await self.scene.until(self._is_known, TOLD_WITHIN, f"everybody told of {load.spare}")
        joined = Joined(time.monotonic() - started, await self.scene.written() - before)
        await self.scene.until(self._is_up, TOLD_WITHIN, f"every tunnel of {load.spare} up")
        return joined

    async def leave(self) -> float:
        """Take the cluster off the slice; return after how many seconds nothing was left of it."""
        started = time.monotonic()
        await self._write(self.scene.load.members_of(0))
        await self.scene.until(self._is_gone, TOLD_WITHIN, f"nothing left of {self.scene.load.spare}")
        left = time.monotonic() - started
        await self.scene.until(self.scene.is_settled, TOLD_WITHIN, "every slice ready again")
        return left

    async def _write(self, clusters: list[str]) -> None:
        await self.scene.admin.patch(SLICECONFIGS, slice_name(0), HOME, {"spec": {"clusters": clusters}})

    def _is_known(self) -> bool:
        count = len(self.scene.load.members_of(0))
        return all(len(informer.items()) == count for informer in (*self.views, *self.secrets)) and all(
            _names_keys(view) for informer in self.views for view in informer.items()
        )

    def _is_up(self) -> bool:
        ups = [_is_up(view) for informer in self.views for view in informer.items()]
        return all(ups) and self.scene.is_settled()

    def _is_gone(self) -> bool:
        return not any(informer.items() for informer in (*self.views, *self.secrets))


def _names_keys(view: Object) -> bool:
    planes = (objects.spec(view).get("remoteGatewayConfig") or {}).get("planes") or []
    return bool(planes) and all(plane.get("publicKey") for plane in planes)


def _is_up(view: Object) -> bool:
    planes = objects.status(view).get("planes") or []
    return bool(planes) and all(plane.get("state") == "UP" for plane in planes)
