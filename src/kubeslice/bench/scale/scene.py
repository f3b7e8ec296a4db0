"""An API server, the hub and its workers, each in a process of its own, and what a bench wants to know of them."""

import asyncio
import base64
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeslice.bench.scale import load as loads
from kubeslice.bench.scale import processes
from kubeslice.bench.scale.load import HOME, PROJECT, Load
from kubeslice.bench.scale.processes import Process
from kubeslice.install.applying import apply_all
from kubeslice.kube import objects, waiting
from kubeslice.kube.api import Object
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.kube.informer import Informer
from kubeslice.manifests import HubValues, Image, hub
from kubeslice.model import names
from kubeslice.model.resources import (
    CLUSTERS,
    PROJECTS,
    SECRETS,
    SLICECONFIGS,
    WORKERSERVICEIMPORTS,
)
from kubeslice.stage.probes import NotMeasured

MANAGER = "kubeslice-bench"
HUB_ACCOUNT = "kubeslice-hub"
TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - the type of a Secret, not its content
SERVED_WITHIN = 60.0
LOOK_EVERY = 0.01
Kubeconfig = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Everything that runs; `slices`, `clusters` and `imports` follow the server."""

    load: Load
    admin: HttpApi
    hub: Process
    crowd: Process
    clusters: Informer
    slices: Informer
    imports: Informer

    async def until(self, holds: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait until `holds`; return for how many seconds. Raises `NotMeasured`, also when a process has ended."""
        started = time.monotonic()
        while not holds():
            await asyncio.sleep(LOOK_EVERY)
            self.hub.check()
            self.crowd.check()
            if time.monotonic() - started > seconds:
                raise NotMeasured(f"{what}: not within {seconds:g} s; {self.progress()}")
        return time.monotonic() - started

    def is_settled(self) -> bool:
        """Tell whether every slice is written and reported on, with every tunnel up and every service imported."""
        found = self.slices.items()
        if len(found) < self.load.slices or not all(map(_is_up, found)):
            return False
        imported = sum(objects.is_true(obj, "Ready") for obj in self.imports.items())
        return imported >= sum(len(self.load.members_of(number)) for number in range(self.load.slices))

    def progress(self) -> str:
        """Return what is missing, in words."""
        unready = [obj for obj in self.slices.items() if not _is_up(obj)]
        told = [
            f"{objects.name(obj)} has {objects.status(obj).get('tunnels')} tunnels, "
            f"{(objects.condition(obj, 'Ready') or {}).get('message')}"
            for obj in unready[:3]
        ]
        imported = sum(objects.is_true(obj, "Ready") for obj in self.imports.items())
        return f"{len(unready)} slices not ready: {'; '.join(told)}; {imported} services imported"

    async def written(self) -> int:
        """Return how many writes the server has taken, by the version of the last one."""
        return int((await self.admin.list(PROJECTS)).resource_version)

    async def traffic(self) -> dict[str, Counter[str]]:
        """Return the bytes that each worker has sent and received, by the kind of objects they were about."""
        told: dict[str, dict[str, int]] = await self.crowd.ask({"traffic": True})
        return {cluster: Counter(by_kind) for cluster, by_kind in told.items()}


@asynccontextmanager
async def server(kubeconfig: Path | None) -> AsyncIterator[Kubeconfig]:
    """Return the kubeconfig of an API server: the given one, or of an embedded one while the context lasts."""
    if kubeconfig is not None:
        yield _read(kubeconfig)
        return
    with tempfile.TemporaryDirectory(prefix="kubeslice-scale-") as folder:
        async with processes.api_server(Path(folder)) as (own, _):
            yield _read(own)


def _read(kubeconfig: Path) -> Kubeconfig:
    config: Kubeconfig = yaml.safe_load(kubeconfig.read_text())
    return config


@asynccontextmanager
async def playing(config: Kubeconfig, load: Load) -> AsyncIterator[Scene]:
    """Install the hub, and let it and its workers run while the context lasts."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubeslice-scale-")))
        admin = await stack.enter_async_context(HttpApi(from_kubeconfig(config)))
        await _install(admin)
        hub_config = folder / "hub.kubeconfig"
        hub_config.write_text(yaml.safe_dump(await _as_hub(admin, config)))
        hub_process = await stack.enter_async_context(
            processes.running(
                "kubeslice.bench.scale.hubprocess",
                folder / "hub.log",
                KUBECONFIG=str(hub_config),
                HEALTH_PORT=str(processes.free_port()),
            )
        )
        crowd = await stack.enter_async_context(processes.running("kubeslice.bench.scale.crowd", folder / "crowd.log"))
        clusters, slices = Informer(admin, CLUSTERS, HOME), Informer(admin, SLICECONFIGS, HOME)
        imports = Informer(admin, WORKERSERVICEIMPORTS)
        await stack.enter_async_context(following(clusters, slices, imports))
        yield Scene(load, admin, hub_process, crowd, clusters, slices, imports)


@asynccontextmanager
async def following(*informers: Informer) -> AsyncIterator[None]:
    """Let informers follow the server while the context lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(informer.run()) for informer in informers]
        yield
        for task in tasks:
            task.cancel()


async def register(scene: Scene, config: Kubeconfig) -> float:
    """Create the project and its clusters and let a worker of each register; return after how many seconds."""
    started = time.monotonic()
    await _register(scene, config)
    await scene.until(lambda: _all_ready(scene), 300 + scene.load.clusters, "every cluster registered")
    return time.monotonic() - started


async def _install(admin: HttpApi) -> None:
    manifests = hub(HubValues("https://hub.invalid:6443", Image(names.IMAGE_REPOSITORY)))
    # No pods and no webhook run here; whatever else belongs to the hub is there.
    skipped = {"Deployment", "Service", "PodDisruptionBudget", "ValidatingWebhookConfiguration"}
    await apply_all(admin, [obj for obj in manifests if obj["kind"] not in skipped])
    await waiting.until(
        admin, PROJECTS, "-", names.HUB_NAMESPACE, lambda _: True, timeout=SERVED_WITHIN, what="being served"
    )


async def _as_hub(admin: HttpApi, config: Kubeconfig) -> Kubeconfig:
    """Return a kubeconfig with the hub's own credential."""
    name = f"{HUB_ACCOUNT}-bench"
    secret = {
        "metadata": {
            "name": name,
            "namespace": names.HUB_NAMESPACE,
            "annotations": {"kubernetes.io/service-account.name": HUB_ACCOUNT},
        },
        "type": TOKEN_SECRET,
    }
    await admin.apply(SECRETS, secret, manager=MANAGER)
    found = await _token(admin, name, names.HUB_NAMESPACE)
    context = next(one for one in config["contexts"] if one["name"] == config["current-context"])["context"]
    cluster = next(one for one in config["clusters"] if one["name"] == context["cluster"])
    return {
        "clusters": [cluster],
        "users": [{"name": "hub", "user": {"token": found}}],
        "contexts": [{"name": "hub", "context": {"cluster": cluster["name"], "user": "hub"}}],
        "current-context": "hub",
    }


async def _register(scene: Scene, config: Kubeconfig) -> None:
    admin, clusters = scene.admin, [*scene.load.cluster_names, scene.load.spare]
    await admin.apply(PROJECTS, loads.project(), manager=MANAGER)
    await waiting.until(admin, PROJECTS, PROJECT, names.HUB_NAMESPACE, _is_ready, timeout=SERVED_WITHIN, what="Ready")
    for name in clusters:
        await admin.apply(CLUSTERS, loads.cluster(name), manager=MANAGER)
    tokens = {name: await _token(admin, names.worker_account(name), HOME) for name in clusters}
    await scene.crowd.tell({"kubeconfig": config, "project": PROJECT, "tokens": tokens})


async def _token(admin: HttpApi, secret: str, namespace: str) -> str:
    found = await waiting.until(
        admin,
        SECRETS,
        secret,
        namespace,
        lambda obj: bool(obj and (obj.get("data") or {}).get("token")),
        timeout=60,
        what="a token",
    )
    return base64.b64decode((found or {})["data"]["token"]).decode()


def _all_ready(scene: Scene) -> bool:
    found = scene.clusters.items()
    return len(found) > scene.load.clusters and all(map(_is_ready, found))


def _is_ready(obj: Object | None) -> bool:
    return obj is not None and objects.is_true(obj, "Ready")


def _is_up(obj: Object) -> bool:
    up, _, wanted = str(objects.status(obj).get("tunnels") or "").partition("/")
    return _is_ready(obj) and bool(up) and up == wanted
