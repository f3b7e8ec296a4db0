"""A slice without a network in a cluster: its namespaces are marked, and nothing else is made."""

from functools import partial
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api


async def without_network(stage: Stage, name: str, *namespaces: str, **profile: Any) -> None:
    """Write a slice of the hub that has no network."""
    metadata = {"name": names.worker_slice_config(name, CLUSTER), "namespace": OWN_ON_HUB}
    spec = {
        "sliceName": name,
        "overlayNetworkDeploymentMode": "no-network",
        "octet": 0,
        "gatewayReplicas": 2,
        "namespaceIsolationProfile": {"applicationNamespaces": list(namespaces), **profile},
    }
    wanted = {"metadata": metadata, "spec": spec}
    await stage.hub.apply(resources.WORKERSLICECONFIGS, wanted, manager=names.HUB_MANAGER)


async def test_only_the_namespaces_are_touched_and_those_that_were_found_are_not_made_again(stage: Stage) -> None:
    await stage.start()
    await stage.own.create(resources.NAMESPACES, {"metadata": {"name": "here"}})
    await without_network(stage, "plain", "batch")
    await without_network(stage, "rest", "here", "elsewhere", onlyExisting=True)
    for namespace, slice_name in (("batch", "plain"), ("here", "rest")):
        await eventually(partial(on_slice, stage, namespace, slice_name))
        labels = objects.labels(await stage.own_object(resources.NAMESPACES, namespace, None))
        assert names.INJECT_LABEL not in labels
    for name, sentence in (("plain", "1 namespace onboarded"), ("rest", "2 namespaces onboarded")):
        await eventually(partial(is_ready, stage, name, sentence))
        told = await stage.hub_object(resources.WORKERSLICECONFIGS, f"{name}-{CLUSTER}")
        assert not objects.status(told).get("gateways")
    assert await stage.own_object(resources.NAMESPACES, "elsewhere", None) is None
    for resource in (resources.DEPLOYMENTS, resources.SERVICES, resources.SECRETS, resources.PODDISRUPTIONBUDGETS):
        made = (await stage.own.list(resource, SYSTEM, labels=names.SLICE_LABEL)).items
        assert [objects.name(obj) for obj in made] == []
    spec = objects.spec(await stage.own_object(resources.SLICES, "rest"))
    assert not {"vni", "mtu", "clusterSubnet"} & spec.keys()
    assert spec["nodeBlocks"] == []
    before = objects.uid(await stage.own_object(resources.NAMESPACES, "here", None))
    await stage.own.delete(resources.NAMESPACES, "here")
    await stage.own.patch(resources.NAMESPACES, "here", None, {"spec": {"finalizers": None}})
    await without_network(stage, "later", "night")
    await eventually(partial(on_slice, stage, "night", "later"))
    seen = await stage.own_object(resources.NAMESPACES, "here", None)
    assert seen is None or objects.uid(seen) == before


async def on_slice(stage: Stage, namespace: str, slice_name: str) -> bool:
    found = await stage.own_object(resources.NAMESPACES, namespace, None)
    return found is not None and objects.labels(found).get(names.SLICE_LABEL) == slice_name


async def is_ready(stage: Stage, name: str, sentence: str) -> bool:
    return await stage.ready(resources.SLICES, name) == ("True", sentence)
