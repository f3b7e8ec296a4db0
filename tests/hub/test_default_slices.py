"""Slices without a network, and the default slice of a project: collects, gives way, is in nobody's way, and goes."""

from collections.abc import Mapping
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model import resources as r
from tests.hub.stage import HEARTBEAT, Stage, Worker

pytestmark = pytest.mark.api


async def want_default_slice(stage: Stage, *, wanted: bool) -> None:
    project = {
        "metadata": {"name": stage.project, "namespace": names.HUB_NAMESPACE},
        "spec": {"defaultSliceCreation": wanted},
    }
    await stage.admin.apply(r.PROJECTS, project, manager="user")


async def report(worker: Worker, **namespaces: str) -> None:
    lines = [{"name": name, "sliceName": slice_name} for name, slice_name in namespaces.items()]
    await worker.beat(HEARTBEAT, namespaces=lines)


async def collects(stage: Stage, expected: Mapping[str, list[str]]) -> None:
    async def is_so() -> bool:
        config = await stage.admin.get(r.SLICECONFIGS, names.default_slice(stage.project), stage.home)
        entries = objects.spec(config)["namespaceIsolationProfile"]["applicationNamespaces"]
        return {entry["namespace"]: entry["clusters"] for entry in entries} == expected

    await stage.until(is_so)


async def ready(worker: Worker, slice_name: str) -> None:
    word = {"type": "Ready", "status": "True", "reason": "Up", "message": "", "lastTransitionTime": HEARTBEAT}
    await worker.report(r.WORKERSLICECONFIGS, names.worker_slice_config(slice_name, worker.cluster), conditions=[word])


async def test_a_slice_without_a_network_needs_nothing_but_its_workers(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west", "east")
    profile = {"applicationNamespaces": [{"namespace": "batch", "clusters": ["*"]}]}
    spec = {"overlayNetworkDeploymentMode": "no-network", "clusters": ["west", "east"]}
    metadata = {"name": "plain", "namespace": stage.home}
    wanted = {"metadata": metadata, "spec": {**spec, "namespaceIsolationProfile": profile}}
    await stage.admin.apply(r.SLICECONFIGS, wanted, manager="user")
    config = objects.spec(await workers["west"].config("plain"))
    assert config["namespaceIsolationProfile"]["applicationNamespaces"] == ["batch"]
    assert not {"sliceSubnet", "clusterSubnetCIDR", "gatewayKeys"} & config.keys()
    for worker in workers.values():
        await worker.config("plain")
        await ready(worker, "plain")
    obj = await stage.condition(r.SLICECONFIGS, "plain", stage.home, "Ready", "True", "2 of 2 clusters ready")
    assert "tunnels" not in objects.status(obj)
    assert await stage.find(r.VPNKEYROTATIONS, "plain", stage.home) is None
    assert (await stage.admin.list(r.WORKERSLICEGATEWAYS, workers["west"].namespace)).items == []
    assert (await stage.admin.list(r.SECRETS, workers["west"].namespace)).items == []
    await stage.admin.delete(r.SLICECONFIGS, "plain", stage.home)
    await stage.gone(r.SLICECONFIGS, "plain", stage.home)


async def test_the_default_slice_of_a_project(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west", "east")
    await report(workers["west"], web="", db="")
    await report(workers["east"], web="")
    own = names.default_slice(stage.project)
    await want_default_slice(stage, wanted=True)
    await collects(stage, {"db": ["west"], "web": ["east", "west"]})
    config = objects.spec(await workers["east"].config(own))
    assert config["namespaceIsolationProfile"]["onlyExisting"] is True
    for worker in workers.values():
        await worker.config(own)
        await ready(worker, own)
    await stage.condition(r.SLICECONFIGS, own, stage.home, "Ready", "True")

    red: Any = {"namespaceIsolationProfile": {"applicationNamespaces": [{"namespace": "web", "clusters": ["*"]}]}}
    await stage.make_slice("red", "west", **red)
    await collects(stage, {"db": ["west"], "web": ["east"]})
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")
    await stage.condition(r.SLICECONFIGS, own, stage.home, "Accepted", "True")
    await report(workers["west"], web="red", db=own)
    await stage.admin.delete(r.SLICECONFIGS, "red", stage.home)
    await stage.gone(r.SLICECONFIGS, "red", stage.home)
    await report(workers["west"], web="", db=own)
    await collects(stage, {"db": ["west"], "web": ["east", "west"]})

    await stage.admin.delete(r.CLUSTERS, "east", stage.home)
    await collects(stage, {"db": ["west"], "web": ["west"]})
    await want_default_slice(stage, wanted=False)
    await stage.gone(r.SLICECONFIGS, own, stage.home)
    await stage.gone(r.WORKERSLICECONFIGS, names.worker_slice_config(own, "west"), workers["west"].namespace)
