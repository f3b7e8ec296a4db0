"""Slices: places, gateways, state, refusals, leaving and deletion, with workers that have their own credentials."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.runtime.metrics import render
from tests import keys as made_up
from tests.hub.stage import Stage, Worker

pytestmark = pytest.mark.api


async def running(stage: Stage, *clusters: str) -> dict[str, Worker]:
    """Return the workers of a slice `red` that works in all these clusters."""
    await stage.make_project()
    workers = await stage.register(*clusters)
    await stage.make_slice("red", *clusters)
    await come_up(stage, workers)
    await stage.until(lambda: all_keys_known(stage, clusters))
    return workers


async def come_up(stage: Stage, workers: dict[str, Worker]) -> None:
    """Let the workers report that `red` works."""
    for worker in workers.values():
        await worker.publish("red", f"key-{worker.cluster}")
    for worker in workers.values():
        for remote in workers:
            if remote != worker.cluster:
                await worker.tunnel("red", remote, "UP")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True")


async def all_keys_known(stage: Stage, clusters: tuple[str, ...]) -> bool:
    """Tell whether every member was told the key of every other."""
    found = {pair: spec["remoteGatewayConfig"].get("planes") for pair, spec in (await views(stage, *clusters)).items()}
    wanted = {(x, y) for x in clusters for y in clusters if x != y}
    keys = {cluster: made_up.key(f"key-{cluster}") for cluster in clusters}
    return found.keys() == wanted and all(p and p[0]["publicKey"] == keys[b] for (_, b), p in found.items())


async def views(stage: Stage, *clusters: str) -> dict[tuple[str, str], Any]:
    """Return the spec of every WorkerSliceGateway by (local, remote)."""
    listings = [await stage.admin.list(r.WORKERSLICEGATEWAYS, stage.namespace_of(cluster)) for cluster in clusters]
    specs = [obj["spec"] for listing in listings for obj in listing.items]
    return {(s["localGatewayConfig"]["clusterName"], s["remoteGatewayConfig"]["clusterName"]): s for s in specs}


async def test_a_slice_comes_up_and_says_so(stage: Stage) -> None:
    clusters = ("a", "b", "c")
    workers = await running(stage, *clusters)
    slice_ = await stage.admin.get(r.SLICECONFIGS, "red", stage.home)
    ready = objects.condition(slice_, "Ready")
    assert ready
    assert ready["message"] == "3 of 3 clusters ready, 12 of 12 tunnels up"
    assert objects.status(slice_)["tunnels"] == "12/12"
    up = f'kubeslice_hub_slice_tunnels{{slice="red",slice_project="{stage.project}",state="up"}} 12.0'
    assert up in render(stage.registry).decode()
    assert [(m["cluster"], m["octet"], m["tunnelsUp"]) for m in objects.status(slice_)["members"]] == [
        ("a", 0, 4),
        ("b", 1, 4),
        ("c", 2, 4),
    ]
    subnets = [(await workers[c].config("red"))["spec"]["clusterSubnetCIDR"] for c in clusters]
    assert subnets == ["10.1.0.0/18", "10.1.64.0/18", "10.1.128.0/18"]


async def test_a_new_key_reaches_the_peers_and_a_lost_tunnel_the_status(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    await workers["b"].publish("red", "another", port=30009)

    async def told() -> bool:
        remote = (await views(stage, "a"))["a", "b"]["remoteGatewayConfig"]
        known = [(p["plane"], p["generation"], p["publicKey"], p["endpoints"]) for p in remote["planes"]]
        ends = [(made_up.key("another"), "198.51.100.7:30009"), (made_up.key("another+1"), "198.51.100.7:30010")]
        wanted = [(plane, 1, key, [endpoint]) for plane, (key, endpoint) in enumerate(ends)]
        return bool(known == wanted and remote["nodePorts"] == [30009, 30010])

    await stage.until(told)
    for local, remote in (("a", "b"), ("b", "a")):
        await workers[local].tunnel("red", remote, "UP", "DOWN")
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Degraded", "True", "a to b, plane 1")
    assert objects.is_true(slice_, "Ready")
    for local, remote in (("a", "b"), ("b", "a")):
        await workers[local].tunnel("red", remote, "DOWN")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "0 of 4 tunnels up; not connected: a")


async def test_a_slice_that_comes_up_is_waited_for_and_one_that_falls_is_warned_of(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b")
    await stage.register("c")
    await stage.make_slice("red", "a", "b")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "WaitingForClusters: 0 of 2 clusters")
    for worker in workers.values():
        await worker.complain("red", "RouterNotReady", "router 0 has no pod yet")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "router 0 has no pod yet")
    await come_up(stage, workers)
    await stage.make_slice("red", "a", "b", "c")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "WaitingForClusters: 2 of 3 clusters")
    await stage.make_slice("red", "a", "b")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True")
    assert await stage.warnings("red") == []
    await workers["a"].complain("red", "RouterNotReady", "router 0 is not ready")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "ClustersNotReady: 1 of 2 clusters")

    async def is_warned_of() -> bool:
        return await stage.warnings("red") == ["ClustersNotReady"]

    await stage.until(is_warned_of)


async def test_an_invalid_change_is_reported_and_changes_nothing(stage: Stage) -> None:
    await running(stage, "a", "b")
    before = await views(stage, "a", "b")
    await stage.make_slice("red", "a", "b", "nowhere")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "False", "nowhere")
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True", "see Accepted")
    assert objects.status(slice_)["tunnels"] == "4/4"
    assert await views(stage, "a", "b") == before
    await stage.make_slice("red", "a", "b")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")


async def test_a_slice_that_waits_for_a_cluster_starts_when_it_is_registered(stage: Stage) -> None:
    await stage.make_project()
    await stage.make_slice("red", "late")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "there is no Cluster late")
    await stage.register("late")
    await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "red-late", stage.namespace_of("late")))


async def test_of_two_slices_that_claim_a_namespace_the_older_goes_on(stage: Stage) -> None:
    await running(stage, "a", "b")
    profile = {"applicationNamespaces": [{"namespace": "shop", "clusters": ["*"]}]}
    await stage.make_slice("red", "a", "b", namespaceIsolationProfile=profile)
    await stage.make_slice("younger", "a", "b", namespaceIsolationProfile=profile)
    await stage.condition(r.SLICECONFIGS, "younger", stage.home, "Ready", "False", "belongs to slice red")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")
    await stage.make_slice("red", "a", "b")
    await stage.condition(r.SLICECONFIGS, "younger", stage.home, "Accepted", "True")


async def test_members_come_and_go_and_addresses_stay(stage: Stage) -> None:
    workers = await running(stage, "a", "b", "c")
    held = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await workers["a"].api.patch(r.WORKERSLICECONFIGS, "red-a", stage.namespace_of("a"), held)
    workers |= await stage.register("d")
    await stage.make_slice("red", "b", "c", "d")
    octets = {c: (await workers[c].config("red"))["spec"]["octet"] for c in "bcd"}
    assert octets == {"b": 1, "c": 2, "d": 3}, "the place of a cluster that still cleans up is not given away"

    async def the_new_one_knows_the_others() -> bool:
        return {("d", "b"), ("d", "c")} <= set(await views(stage, *"bcd"))

    await stage.until(the_new_one_knows_the_others)
    assert not {("b", "d"), ("c", "d")} & set(await views(stage, *"bcd")), "there is nothing to tell about d yet"
    await workers["d"].publish("red", "key-d")

    async def only_new_pairs() -> bool:
        return set(await views(stage, *"abcd")) == {(x, y) for x in "bcd" for y in "bcd" if x != y}

    await stage.until(only_new_pairs)
    freed: dict[str, Any] = {"metadata": {"finalizers": None}}
    await workers["a"].api.patch(r.WORKERSLICECONFIGS, "red-a", stage.namespace_of("a"), freed)
    await stage.gone(r.WORKERSLICECONFIGS, "red-a", stage.namespace_of("a"))


async def test_a_deleted_slice_waits_for_its_workers_and_leaves_nothing(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    held = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await workers["b"].api.patch(r.WORKERSLICECONFIGS, "red-b", stage.namespace_of("b"), held)
    await stage.admin.delete(r.SLICECONFIGS, "red", stage.home)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "the workers of b to clean up")
    freed: dict[str, Any] = {"metadata": {"finalizers": None}}
    await workers["b"].api.patch(r.WORKERSLICECONFIGS, "red-b", stage.namespace_of("b"), freed)
    await stage.gone(r.SLICECONFIGS, "red", stage.home)
    await stage.until(lambda: is_forgotten(stage))
    for cluster in "ab":
        for kind in (r.WORKERSLICECONFIGS, r.WORKERSLICEGATEWAYS, r.WORKERSERVICEIMPORTS):
            assert (await stage.admin.list(kind, stage.namespace_of(cluster))).items == []


async def is_forgotten(stage: Stage) -> bool:
    return f'slice_project="{stage.project}",state="up"' not in render(stage.registry).decode()


async def test_what_is_deleted_or_bent_behind_the_hubs_back_is_put_right(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    home = stage.namespace_of("a")
    before = (await stage.admin.get(r.WORKERSLICEGATEWAYS, "red-a-b", home))["spec"]
    before_at_b = (await views(stage, "b"))["b", "a"]
    await stage.admin.delete(r.WORKERSLICEGATEWAYS, "red-a-b", home)

    async def view_is_back() -> bool:
        found = await stage.find(r.WORKERSLICEGATEWAYS, "red-a-b", home)
        return found is not None and found["spec"] == before

    await stage.until(view_is_back)
    bent = {
        "metadata": {"labels": {names.ORIGINAL_SLICE_LABEL: "other", names.PROJECT_LABEL: "foreign"}},
        "spec": {"clusterSubnetCIDR": "10.1.0.0/16"},
    }
    good = await workers["a"].config("red")
    await stage.admin.patch(r.WORKERSLICECONFIGS, "red-a", home, bent)

    async def config_is_back() -> bool:
        found = await stage.admin.get(r.WORKERSLICECONFIGS, "red-a", home)
        return bool(found["spec"] == good["spec"] and objects.labels(found) == objects.labels(good))

    async def peer_sees_what_it_saw() -> bool:
        return bool((await views(stage, "b")).get(("b", "a")) == before_at_b)

    await stage.until(config_is_back)
    await stage.until(peer_sees_what_it_saw)


async def test_a_worker_cannot_report_for_another_cluster(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    status = {"status": {"gateways": [{"plane": 0, "publicKey": "mine"}]}}
    with pytest.raises(Forbidden):
        await workers["a"].api.patch(
            r.WORKERSLICECONFIGS, "red-b", stage.namespace_of("b"), status, subresource="status"
        )


async def test_a_hub_that_starts_again_writes_nothing(stage: Stage) -> None:
    await running(stage, "a", "b")
    kinds = (r.PROJECTS, r.CLUSTERS, r.SLICECONFIGS, r.WORKERSLICECONFIGS, r.WORKERSLICEGATEWAYS, r.SECRETS, r.ROLES)

    async def versions() -> dict[str, str]:
        listed = [obj for kind in kinds for obj in (await stage.admin.list(kind)).items]
        return {objects.uid(obj): obj["metadata"]["resourceVersion"] for obj in listed}

    async def is_quiet() -> dict[str, str] | None:
        first = await versions()
        await stage.until(lambda: stage.admin.list(r.NAMESPACES))
        return first if first == await versions() else None

    before = await stage.until(is_quiet)
    await stage.stop_hub()
    await stage.start_hub()
    await stage.make_slice("blue", "a", sliceSubnet="10.2.0.0/16")
    await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "blue-a", stage.namespace_of("a")))
    after = await versions()
    assert {uid: version for uid, version in after.items() if uid in before} == before


async def test_the_profile_that_a_slice_names_travels_with_it(stage: Stage) -> None:
    workers = await running(stage, "a")
    qos = {
        "queueType": "HTB",
        "tcType": "BANDWIDTH_CONTROL",
        "priority": 1,
        "bandwidthCeilingKbps": 5000,
        "bandwidthGuaranteedKbps": 1000,
        "dscpClass": "EF",
    }
    gold = {"metadata": {"name": "gold", "namespace": stage.home}, "spec": qos}
    await stage.admin.apply(r.SLICEQOSCONFIGS, gold, manager="user")
    await stage.make_slice("red", "a", standardQosProfileName="gold")

    async def has(ceiling: int) -> bool:
        spec = (await workers["a"].config("red"))["spec"]
        return bool(spec["qosProfileDetails"]["bandwidthCeilingKbps"] == ceiling)

    await stage.until(lambda: has(5000))
    gold["spec"] = {**qos, "bandwidthCeilingKbps": 6000}
    await stage.admin.apply(r.SLICEQOSCONFIGS, gold, manager="user")
    await stage.until(lambda: has(6000))
