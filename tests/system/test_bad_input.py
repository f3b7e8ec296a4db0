"""Bad input is refused with a sentence that says what would be right, and what worked goes on working."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import ApiError
from kubeslice.model import names
from kubeslice.model.resources import DEPLOYMENTS, SERVICEEXPORTS, SLICECONFIGS
from kubeslice.stage import scenario, slices
from kubeslice.stage.scenario import Tenant
from tests.system.world import Object, World, eventually

GREEN = Tenant("green", "green", ("worker-1", "worker-2"), "worker-2")
WEBHOOK = "kubeslice-webhook"


def green(**changes: Any) -> Object:
    """Return a SliceConfig that would be fine but for some fields of its spec."""
    config = scenario.slice_config(GREEN, slices.NAMESPACE)
    config["spec"] |= {"sliceSubnet": "10.12.0.0/16"} | changes
    return config


def claiming(namespace: str) -> Object:
    return {"applicationNamespaces": [{"namespace": namespace, "clusters": ["worker-1"]}]}


REFUSED = {
    "unknown cluster": (green(clusters=["worker-1", "worker-9"]), "there is no Cluster worker-9", "register it"),
    "malformed subnet": (green(sliceSubnet="10.12.0.0"), "sliceSubnet", "write"),
    "a subnet of another size": (green(sliceSubnet="10.12.0.0/20"), "sliceSubnet", "write"),
    "public subnet": (green(sliceSubnet="11.0.0.0/16"), "sliceSubnet", "write"),
    "overlapping subnet": (green(sliceSubnet="10.244.0.0/16"), "overlaps 10.244.", "choose another subnet"),
    "too many clusters": (green(maxClusters=1), "maxClusters", "take some out"),
    "a namespace of another slice": (
        green(namespaceIsolationProfile=claiming("shop")),
        "in cluster worker-1 it belongs to slice red",
        "take it out here or there",
    ),
    "a system namespace": (green(namespaceIsolationProfile=claiming("kube-system")), "system", "take it out"),
    "a long name": (
        green() | {"metadata": {"name": "a-name-that-is-far-too-long", "namespace": slices.NAMESPACE}},
        "more than 20 characters",
        "choose a shorter name",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_slice_that_cannot_be_is_refused(world: World, what: str) -> None:
    body, problem, remedy = REFUSED[what]
    output = await world.kubectl("hub", "apply", "-f", "-", stdin=json.dumps(body))
    said = output.stderr.decode()
    assert output.status == 1
    assert problem in said
    assert remedy in said
    assert "Traceback" not in said


async def test_what_is_immutable_stays(world: World) -> None:
    patch = json.dumps({"spec": {"sliceSubnet": "10.13.0.0/16"}})
    output = await world.kubectl(
        "hub", "-n", slices.NAMESPACE, "patch", "sliceconfig", "red", "--type=merge", "-p", patch
    )
    assert output.status == 1
    assert b"make a new slice instead" in output.stderr
    await world.settled()


@pytest.mark.parametrize("what", ["unknown cluster", "overlapping subnet", "a namespace of another slice"])
async def test_with_the_webhook_down_the_hub_says_it_in_a_condition(world: World, what: str) -> None:
    body, problem, remedy = REFUSED[what]
    async with _without_webhook(world):
        output = await world.kubectl("hub", "apply", "-f", "-", stdin=json.dumps(body))
        assert output.status == 0, "a webhook that is down must not block the cluster"
        try:
            found = await eventually(lambda: _judged(world), "Ready=False", 15)
            message = (objects.condition(found, "Ready") or {})["message"]
            assert problem in message
            assert remedy in message
        finally:
            await slices.delete(world.stage, GREEN)
    await world.settled()


async def _judged(world: World) -> Object | None:
    found = await world.hub.get(SLICECONFIGS, GREEN.slice_name, slices.NAMESPACE)
    ready = objects.condition(found, "Ready")
    return found if ready is not None and ready["status"] == "False" else None


@asynccontextmanager
async def _without_webhook(world: World) -> AsyncIterator[None]:
    await _scale(world, 0)
    try:
        yield
    finally:
        await _scale(world, 1)


async def _scale(world: World, replicas: int) -> None:
    await world.hub.patch(DEPLOYMENTS, WEBHOOK, names.HUB_NAMESPACE, {"spec": {"replicas": replicas}})

    async def is_done() -> bool:
        found = objects.status(await world.hub.get(DEPLOYMENTS, WEBHOOK, names.HUB_NAMESPACE))
        return int(found.get("readyReplicas") or 0) == replicas and int(found.get("replicas") or 0) == replicas

    await eventually(is_done, f"{replicas} webhooks")


EXPORT: Object = {
    "apiVersion": "networking.kubeslice.io/v1beta1",
    "kind": "ServiceExport",
    "metadata": {"name": "lost", "namespace": "default"},
    "spec": {"slice": "red", "selector": {"matchLabels": {"app": "web"}}, "ports": [{"containerPort": 80}]},
}


async def test_an_export_outside_every_slice_says_what_to_do(world: World) -> None:
    output = await world.kubectl("worker-1", "apply", "-f", "-", stdin=json.dumps(EXPORT))
    sentence = output.stderr.decode()
    if output.status == 0:
        try:
            sentence = await eventually(lambda: _complaint(world), "a sentence on the export", 10)
        finally:
            await world.api("worker-1").delete(SERVICEEXPORTS, "lost", "default")
    assert "default is " in sentence
    assert "add" in sentence
    assert "SliceConfig" in sentence


async def _complaint(world: World) -> str:
    found = await world.api("worker-1").get(SERVICEEXPORTS, "lost", "default")
    ready = objects.condition(found, "Ready")
    return str(ready["message"]) if ready is not None and ready["status"] == "False" else ""


async def test_an_export_without_ports_is_refused(world: World) -> None:
    body = EXPORT | {"spec": EXPORT["spec"] | {"ports": []}}
    output = await world.kubectl("worker-1", "apply", "-f", "-", stdin=json.dumps(body))
    assert output.status == 1
    assert b"ports" in output.stderr


async def test_a_cluster_with_a_long_name_is_refused(world: World) -> None:
    body = {"metadata": {"name": "a-name-that-is-far-too-long", "namespace": slices.NAMESPACE}, "spec": {}}
    kind = {"apiVersion": "controller.kubeslice.io/v1alpha1", "kind": "Cluster"}
    output = await world.kubectl("hub", "apply", "-f", "-", stdin=json.dumps(kind | body))
    assert output.status == 1
    assert b"20 characters" in output.stderr


async def test_a_cluster_in_use_is_not_torn_from_its_slices(world: World) -> None:
    output = await world.kubectl(
        "hub", "-n", slices.NAMESPACE, "delete", "clusters.controller.kubeslice.io", "worker-3", "--wait=false"
    )
    assert output.status == 1
    assert b"red" in output.stderr
    await world.settled()


async def test_nonsense_over_http_is_an_answer_not_a_crash(world: World) -> None:
    for body in ({}, {"metadata": {"name": "x", "namespace": slices.NAMESPACE}, "spec": {"clusters": 7}}):
        with pytest.raises((ApiError, KeyError)):
            await world.hub.create(SLICECONFIGS, {"metadata": {"namespace": slices.NAMESPACE}, **body})
    await world.settled()
