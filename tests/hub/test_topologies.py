"""Topologies on a running hub: who is told of whom, what a live change touches, and detours."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import resources as r
from tests import keys as made_up
from tests.hub.stage import Stage, Worker
from tests.hub.test_slices import all_keys_known, running, views

pytestmark = pytest.mark.api

HUB_A = {"mode": "HubAndSpoke", "hubs": ["a"]}
SUBNETS = {"a": "10.1.0.0/18", "b": "10.1.64.0/18", "c": "10.1.128.0/18"}


def restricted(*pairs: str) -> Any:
    return {"mode": "Restricted", "pairs": [{"clusters": list(ends)} for ends in pairs]}


async def versions(stage: Stage, *clusters: str) -> dict[str, str]:
    listings = [await stage.admin.list(r.WORKERSLICEGATEWAYS, stage.namespace_of(cluster)) for cluster in clusters]
    return {objects.name(obj): str(obj["metadata"]["generation"]) for found in listings for obj in found.items}


async def report(workers: dict[str, Worker], **states: str) -> None:
    """Report both ends of pairs: ab="DOWN"."""
    for ends, state in states.items():
        one, other = list(ends)
        for local, remote in ((one, other), (other, one)):
            await workers[local].tunnel("red", remote, state)


async def topology(stage: Stage) -> Any:
    return objects.status(await stage.admin.get(r.SLICECONFIGS, "red", stage.home)).get("topology")


async def test_spokes_are_told_to_go_through_the_hub_and_the_hub_to_let_them(stage: Stage) -> None:
    await running(stage, "a", "b", "c")
    await stage.make_slice("red", "a", "b", "c", topology=HUB_A)

    async def only_with_the_hub() -> Any:
        found = await views(stage, *"abc")
        return found if found.keys() == {("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")} else None

    await stage.until(only_with_the_hub)

    async def passing() -> Any:
        found = {ends: spec["remoteGatewayConfig"] for ends, spec in (await views(stage, *"abc")).items()}
        return {
            f"{local}{remote}": (spec.get("transitSubnets"), spec.get("carriedSubnets"))
            for (local, remote), spec in found.items()
        } == {
            "ba": ([SUBNETS["c"]], None),
            "ca": ([SUBNETS["b"]], None),
            "ab": (None, [SUBNETS["c"]]),
            "ac": (None, [SUBNETS["b"]]),
        }

    await stage.until(passing)
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True", "8 of 8 tunnels up")
    assert objects.status(slice_)["topology"] == {"mode": "HubAndSpoke", "edgesWanted": 2, "edgesReady": 2}
    await stage.make_slice("red", "a", "b", "c", topology={**HUB_A, "spokeToSpoke": False})

    async def nothing_passes() -> bool:
        return not any("transitSubnets" in s["remoteGatewayConfig"] for s in (await views(stage, *"abc")).values())

    await stage.until(nothing_passes)


async def test_a_live_change_touches_only_the_pairs_that_change(stage: Stage) -> None:
    clusters = ("a", "b", "c", "d")
    await running(stage, *clusters)
    before = await versions(stage, *clusters)
    await stage.make_slice("red", *clusters, topology=restricted("ab", "bc", "cd", "ad", "ac"))
    await stage.gone(r.WORKERSLICEGATEWAYS, "red-b-d", stage.namespace_of("b"))
    await stage.gone(r.WORKERSLICEGATEWAYS, "red-d-b", stage.namespace_of("d"))
    others = {name: version for name, version in before.items() if name not in {"red-b-d", "red-d-b"}}
    assert await versions(stage, *clusters) == others
    await stage.make_slice("red", *clusters)
    await stage.until(lambda: all_keys_known(stage, clusters))
    after = await versions(stage, *clusters)
    assert {name: after[name] for name in others} == others


async def test_a_cluster_that_is_cut_off_is_a_warning_and_not_an_error(stage: Stage) -> None:
    await running(stage, "a", "b", "c")
    await stage.make_slice("red", "a", "b", "c", topology=restricted("ab"))
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Degraded", "True", "ClusterCutOff")
    assert objects.is_true(slice_, "Ready")
    await stage.make_slice("red", "a", "b", "c", topology=restricted("ab", "bc"))
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "WaitingForTunnels")


async def test_a_refused_topology_disconnects_nobody_and_keys_still_travel(stage: Stage) -> None:
    workers = await running(stage, "a", "b")
    await stage.make_slice("red", "a", "b", "new", topology={"mode": "HubAndSpoke", "hubs": ["new"]})
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "False", "there is no Cluster new")
    await workers["b"].publish("red", "another")

    async def told() -> bool:
        planes = (await views(stage, "a"))["a", "b"]["remoteGatewayConfig"]["planes"]
        return bool(planes[0]["publicKey"] == made_up.key("another"))

    await stage.until(told)
    assert (await views(stage, "a", "b")).keys() == {("a", "b"), ("b", "a")}
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True", "4 of 4 tunnels up")
    assert objects.status(slice_)["topology"]["mode"] == "FullMesh"


async def test_a_pair_that_stays_down_gets_a_relay_and_goes_back(stage: Stage) -> None:
    workers = await running(stage, "a", "b", "c")
    await report(workers, ab="DOWN")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "not connected: a and b")
    assert not (await topology(stage)).get("relays"), "not at once"
    stage.clock.leap(11)
    await workers["a"].publish("red", "key-a", port=30100)
    await workers["a"].tunnel("red", "c", "UP", "DOWN")
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "Degraded", "True", "a and b through c")
    assert objects.is_true(slice_, "Ready")
    assert (await topology(stage))["relays"] == [{"clusters": ["a", "b"], "via": "c"}]

    async def is_relayed() -> bool:
        found = await views(stage, *"abc")
        ends = {f"{x}{y}": (s.get("relay"), s["remoteGatewayConfig"]) for (x, y), s in found.items()}
        return (
            (ends["ab"][0], ends["ba"][0]) == ("c", "c")
            and ends["ac"][1].get("transitSubnets") == [SUBNETS["b"]]
            and ends["cb"][1].get("carriedSubnets") == [SUBNETS["a"]]
        )

    await stage.until(is_relayed)
    await report(workers, ab="UP", ac="UP")

    async def is_heard_of() -> bool:
        found = await stage.admin.get(r.SLICECONFIGS, "red", stage.home)
        return bool(objects.status(found)["tunnels"] == "12/12")

    await stage.until(is_heard_of)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Degraded", "True", "Relayed")
    stage.clock.leap(31)
    await workers["a"].tunnel("red", "c", "UP", "DOWN")

    async def is_direct() -> bool:
        return "relays" not in await topology(stage) and not any(
            "relay" in spec or "transitSubnets" in spec["remoteGatewayConfig"]
            for spec in (await views(stage, *"abc")).values()
        )

    await stage.until(is_direct)


async def test_a_silent_worker_is_not_a_cut_tunnel(stage: Stage) -> None:
    workers = await running(stage, "a", "b", "c")
    await workers["a"].tunnel("red", "b", "DOWN")
    stage.clock.leap(30)
    looked_at = {"metadata": {"labels": {"looked": "at"}}, "spec": {"nodeIPs": ["198.51.100.8"]}}
    await stage.admin.patch(r.CLUSTERS, "a", stage.home, looked_at)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "a has not been heard of")
    slice_ = await stage.admin.get(r.SLICECONFIGS, "red", stage.home)
    assert objects.status(slice_)["tunnels"] == "12/12", "what the others say counts"
    assert "relays" not in objects.status(slice_)["topology"]


async def test_openvpn_ends_change_places_when_the_server_cannot_be_called(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b")
    await stage.make_slice("red", "a", "b", sliceGatewayProvider={"sliceGatewayType": "OpenVPN"})
    for worker in workers.values():
        await worker.publish("red", f"key-{worker.cluster}")
    await report(workers, ab="DOWN")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "TunnelsDown")

    async def roles() -> dict[str, str]:
        return {x + y: spec["gatewayHostType"] for (x, y), spec in (await views(stage, *"ab")).items()}

    assert await roles() == {"ab": "Server", "ba": "Client"}
    stage.clock.leap(16)
    await stage.admin.patch(r.SLICECONFIGS, "red", stage.home, {"spec": {"rotationInterval": 31}})

    async def are_swapped() -> bool:
        return await roles() == {"ab": "Client", "ba": "Server"}

    await stage.until(are_swapped)
    await report(workers, ab="UP")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True")
    assert await are_swapped(), "what works stays"
    found = await stage.find(r.SLICECONFIGS, "red", stage.home)
    assert objects.status(found or {})["topology"]["swapped"] == [{"clusters": ["a", "b"]}]
