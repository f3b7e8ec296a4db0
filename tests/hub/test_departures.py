"""Clusters that leave the hub: with their worker, without it, and the states of a registration on the way."""

from typing import Any

import pytest

from kubeslice.cli.eviction import forget
from kubeslice.install import slices
from kubeslice.kube import objects, waiting
from kubeslice.model import names
from kubeslice.model import resources as r
from tests.hub.stage import HEARTBEAT, Stage, Worker

pytestmark = pytest.mark.api


async def holding(stage: Stage) -> Worker:
    """Return the worker of a cluster that is in no slice any more and never lets go of what it had."""
    await stage.make_project()
    workers = await stage.register("west", "east")
    await stage.make_slice("red", "west", "east")
    config = await workers["west"].config("red")
    patch = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await workers["west"].api.patch(r.WORKERSLICECONFIGS, objects.name(config), workers["west"].namespace, patch)
    await stage.make_slice("red", "east")
    return workers["west"]


async def told(stage: Stage, *reasons: str) -> None:
    async def are_there() -> bool:
        events = (await stage.admin.list(r.EVENTS, stage.home)).items
        return set(reasons) <= {event["reason"] for event in events if event["involvedObject"]["name"] == "west"}

    await stage.until(are_there)


async def test_a_registration_says_how_far_it_is(stage: Stage) -> None:
    await stage.make_project()
    metadata = {"name": "west", "namespace": stage.home}
    wrong = {"nodeIPs": ["ten"]}
    bad = {"metadata": metadata, "spec": wrong}
    await stage.admin.apply(r.CLUSTERS, bad, manager="user")
    await registration(stage, "Failed", "'ten' is not an IP address")
    await stage.admin.apply(r.CLUSTERS, {"metadata": metadata, "spec": {}}, manager="user")
    await registration(stage, "Pending", "kubeslice cluster join-token west")
    assert reachable(stage, "west") is None
    worker = Worker(stage, "west", await stage.credential(names.worker_account("west"), stage.home))
    lacks = {"type": "Registered", "status": "False", "reason": "RegistrationInProgress", "message": "it lacks a node"}
    lacks["lastTransitionTime"] = HEARTBEAT
    await worker.beat(HEARTBEAT, registrationStatus="InProgress", conditions=[lacks])
    await registration(stage, "InProgress", "west joins: it lacks a node")
    await worker.beat(HEARTBEAT)
    await registration(stage, "Registered", "its worker reports")
    assert reachable(stage, "west") == 1
    warned = set(await stage.warnings("west")) - {"ClusterInstallationFailed", "InvalidAddress"}
    assert not warned, "to join is nothing to be woken for"
    provided = objects.status(await stage.admin.get(r.CLUSTERS, "west", stage.home))["clusterNamespace"]
    await stage.admin.apply(r.CLUSTERS, bad, manager="user")
    found = await registration(stage, "Registered", "'ten' is not an IP address")
    assert (provided, True) == (objects.status(found).get("clusterNamespace"), objects.is_true(found, "Reachable"))
    evicted = {"metadata": metadata, "spec": {**wrong, "evicted": True}}
    await stage.admin.apply(r.CLUSTERS, evicted, manager="user")
    await registration(stage, "Failed", "evict west --undo")
    await stage.gone(r.SECRETS, names.worker_account("west"), stage.home)
    assert reachable(stage, "west") is None
    await stage.admin.apply(r.CLUSTERS, {"metadata": metadata, "spec": {"evicted": False}}, manager="user")
    await registration(stage, "Pending", "kubeslice cluster join-token west")
    steps = ("Failed", "Pending", "InProgress")
    await told(stage, *(f"ClusterInstallation{step}" for step in steps))


def reachable(stage: Stage, cluster: str) -> float | None:
    """Return what the metric says of a cluster, which people are woken by."""
    labels = {"slice_project": stage.project, "slice_cluster": cluster}
    return stage.registry.get_sample_value("kubeslice_hub_cluster_reachable", labels)


async def registration(stage: Stage, wanted: str, words: str) -> Any:
    """Wait until the registration of west is `wanted`, and its Ready condition says some words; return the Cluster."""

    async def is_said() -> Any:
        found = await stage.admin.get(r.CLUSTERS, "west", stage.home)
        ready = objects.condition(found, "Ready") or {}
        is_so = objects.status(found).get("registrationStatus") == wanted and words in ready.get("message", "")
        return is_so and found

    return await stage.until(is_said)


async def test_a_cluster_goes_when_its_worker_says_that_it_is_done(stage: Stage) -> None:
    worker = await holding(stage)
    assert await stage.warnings("west") == [], "to be new is nothing to be woken for"
    await stage.admin.delete(r.CLUSTERS, "west", stage.home)
    await stage.condition(r.CLUSTERS, "west", stage.home, "Deregistered", "False", "clean up red-west")
    assert await worker.api.get(r.CLUSTERS, "west", stage.home), "it has to be able to say so"
    freed: dict[str, Any] = {"metadata": {"finalizers": None}}
    await worker.api.patch(r.WORKERSLICECONFIGS, "red-west", worker.namespace, freed)
    await stage.condition(r.CLUSTERS, "west", stage.home, "Deregistered", "False", "what is in its cluster")
    await worker.beat(HEARTBEAT, registrationStatus="Deregistered")
    await stage.gone(r.CLUSTERS, "west", stage.home)
    await stage.gone(r.NAMESPACES, worker.namespace)
    await told(stage, "ClusterDeregistrationInProgress", "ClusterDeregistered")


async def test_a_worker_that_never_answers_is_given_up_after_ten_minutes_and_not_before(stage: Stage) -> None:
    worker = await holding(stage)
    await stage.admin.delete(r.CLUSTERS, "west", stage.home)
    await stage.condition(r.CLUSTERS, "west", stage.home, "Deregistered", "False", "kubeslice cluster forget west")
    stage.clock.leap(590)
    await stage.admin.patch(r.CLUSTERS, "west", stage.home, {"spec": {"nodeIPs": ["198.51.100.8"]}})
    await stage.stop_hub()
    await stage.start_hub()
    await stage.condition(r.CLUSTERS, "west", stage.home, "Deregistered", "False", "WaitingForWorker")
    assert await stage.find(r.WORKERSLICECONFIGS, "red-west", worker.namespace)
    stage.clock.leap(15)
    await stage.admin.patch(r.CLUSTERS, "west", stage.home, {"spec": {"nodeIPs": ["198.51.100.9"]}})
    await stage.gone(r.CLUSTERS, "west", stage.home)
    await stage.gone(r.NAMESPACES, worker.namespace)
    await told(stage, "ClusterDeregisterTimeout", "ClusterDeregistered")


async def test_a_cluster_that_is_gone_for_good_is_forgotten_at_once(stage: Stage) -> None:
    worker = await holding(stage)
    await stage.make_slice("red", "east", "west")
    await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "red-west", worker.namespace))
    cluster = await stage.admin.get(r.CLUSTERS, "west", stage.home)
    assert "out there" in await forget(stage.admin, cluster)
    await stage.gone(r.WORKERSLICECONFIGS, "red-west", worker.namespace)
    await stage.make_slice("red", "east")
    assert "forgotten" in await forget(stage.admin, cluster)
    await stage.gone(r.CLUSTERS, "west", stage.home)
    await stage.gone(r.NAMESPACES, worker.namespace)
    assert await stage.find(r.WORKERSLICECONFIGS, "red-east", stage.namespace_of("east"))


async def test_whether_a_worker_is_heard_of_is_told_while_its_cluster_leaves(stage: Stage) -> None:
    await stage.stop_hub()
    stage.silence = 1.0
    await stage.start_hub()
    worker = await holding(stage)
    await stage.make_slice("red", "east", "west")
    await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "red-west", worker.namespace))
    held = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await stage.until(lambda: worker.api.patch(r.WORKERSLICECONFIGS, "red-west", worker.namespace, held))
    await stage.admin.delete(r.CLUSTERS, "west", stage.home)
    await stage.condition(r.CLUSTERS, "west", stage.home, "Ready", "False", "out of spec.clusters of red")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Reachable", "False", "Silent")
    await worker.beat("2026-01-01T00:01:00Z")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Reachable", "True")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Reachable", "False", "Silent")
    with pytest.raises(waiting.NotReached, match="cluster forget west"):
        await slices.delete(stage.admin, "red", stage.home, patience=0.5)
