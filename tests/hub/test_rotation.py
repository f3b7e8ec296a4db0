"""Keys of a slice over a real API server: pre-shared keys, rotation, keys that are refused."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.errors import Conflict
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.plan import moments
from kubeslice.plan.keys import rotation
from kubeslice.runtime.clock import SystemClock
from kubeslice.runtime.reporting import Reporter
from tests import keys as made_up
from tests.hub.stage import Stage, Worker

pytestmark = pytest.mark.api

Object = dict[str, Any]


async def shared(stage: Stage, local: str, remote: str, slice_name: str = "red") -> dict[str, bytes]:
    """Return the pre-shared keys that one end of a pair finds on the hub."""
    name = names.slice_gateway(slice_name, local, remote)
    found = await stage.find(r.SECRETS, name, stage.namespace_of(local))
    return {entry: base64.b64decode(base64.b64decode(value)) for entry, value in (found or {}).get("data", {}).items()}


async def test_both_ends_of_a_pair_find_the_same_pre_shared_keys(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b", "c")
    await stage.make_slice("red", "a", "b", "c")

    async def complete() -> dict[tuple[str, str], dict[str, bytes]] | None:
        found = {(x, y): await shared(stage, x, y) for x in workers for y in workers if x != y}
        return found if all(len(keys) == 2 for keys in found.values()) else None

    found = await stage.until(complete)
    assert all(found[x, y] == found[y, x] for x, y in found)
    assert found["a", "b"].keys() == {"psk-0-1", "psk-1-1"}
    every = [key for pair in (("a", "b"), ("a", "c"), ("b", "c")) for key in found[pair].values()]
    assert len(set(every)) == 6
    assert {len(key) for key in every} == {32}
    listed = await workers["a"].api.list(r.SECRETS, stage.namespace_of("a"))
    assert sorted(map(objects.name, listed.items)) == ["red-a-b", "red-a-c"]


async def test_a_pre_shared_key_that_one_end_lost_comes_back_from_the_other(stage: Stage) -> None:
    await stage.make_project()
    await stage.register("a", "b")
    await stage.make_slice("red", "a", "b")
    before = await stage.until(lambda: shared(stage, "b", "a"))
    await stage.admin.delete(r.SECRETS, "red-a-b", stage.namespace_of("a"))

    async def is_back() -> bool:
        return bool(await shared(stage, "a", "b") == before)

    await stage.until(is_back)
    assert await shared(stage, "b", "a") == before
    await stage.make_slice("red", "a")
    await stage.gone(r.SECRETS, "red-a-b", stage.namespace_of("a"))
    await stage.gone(r.SECRETS, "red-b-a", stage.namespace_of("b"))


class Follower:
    """A worker that makes each generation of keys it is told of, and whose tunnels move to the newest."""

    def __init__(self, worker: Worker, *remotes: str) -> None:
        self.worker = worker
        self.remotes = remotes
        self.keys: dict[tuple[int, int], str] = {}

    async def told(self) -> dict[int, list[int]]:
        config = await self.worker.config("red")
        return {entry["plane"]: entry["generations"] for entry in config["spec"]["gatewayKeys"]}

    async def follow(self) -> None:
        """Do once what a worker does: make keys, report them, move the tunnels."""
        told = await self.make()
        for remote in self.remotes:
            planes = [{"plane": plane, "state": "UP", "generation": max(some)} for plane, some in told.items()]
            name = names.slice_gateway("red", self.worker.cluster, remote)
            await self.worker.report(r.WORKERSLICEGATEWAYS, name, planes=planes)

    async def make(self) -> dict[int, list[int]]:
        """Make and report the keys that are asked for; return the generations in force."""
        told = await self.told()
        for plane, generations in told.items():
            for generation in generations:
                self.keys.setdefault((plane, generation), made_up.key(secrets.token_hex(8)))
        await self.publish(told)
        return told

    async def publish(self, told: dict[int, list[int]]) -> None:
        gateways = [
            {
                "plane": plane,
                "generation": some,
                "publicKey": self.keys[plane, some],
                "endpoints": ["198.51.100.7:30001"],
            }
            for plane, generations in told.items()
            for some in generations
        ]
        name = names.worker_slice_config("red", self.worker.cluster)
        await self.worker.report(r.WORKERSLICECONFIGS, name, gateways=gateways)


async def followers(stage: Stage, **spec: Any) -> dict[str, Follower]:
    """Return two members of a slice that follow by turns."""
    await stage.make_project()
    workers = await stage.register("a", "b")
    await stage.make_slice("red", "a", "b", **spec)
    found = {"a": Follower(workers["a"], "b"), "b": Follower(workers["b"], "a")}
    for follower in found.values():
        await follower.make()
    for follower in found.values():
        await follower.follow()
    await stage.condition(r.VPNKEYROTATIONS, "red", stage.home, "Ready", "True", "newest keys")
    return found


async def renew(stage: Stage) -> None:
    """Ask for new keys a second after the present ones were made."""
    record = await stage.admin.get(r.VPNKEYROTATIONS, "red", stage.home)
    since = max(datetime.fromisoformat(plane["since"]) for plane in objects.status(record)["planes"])
    wanted = (since + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await stage.make_slice("red", "a", "b", renewBefore=wanted)


async def overlap(stage: Stage, found: dict[str, Follower]) -> None:
    """Let both generations of a plane be in force for as long as they have to be at the least."""
    stage.clock.leap(rotation.OVERLAP.total_seconds())
    for follower in found.values():
        await follower.worker.beat(moments.stamp(stage.clock.now()))


async def test_planes_rotate_one_after_the_other_and_nothing_is_dropped_before_both_ends_have_moved(
    stage: Stage,
) -> None:
    found = await followers(stage)
    first = await shared(stage, "a", "b")
    await renew(stage)

    async def told(cluster: str, wanted: dict[int, list[int]]) -> None:
        async def is_told() -> bool:
            return await found[cluster].told() == wanted

        await stage.until(is_told)

    await told("a", {0: [1, 2], 1: [1]})
    await told("b", {0: [1, 2], 1: [1]})
    during = await shared(stage, "a", "b")
    assert during.keys() == {"psk-0-1", "psk-0-2", "psk-1-1"}
    assert during.items() >= first.items()
    await found["a"].follow()
    await stage.condition(r.VPNKEYROTATIONS, "red", stage.home, "Ready", "True", "plane 0 to generation 2")
    await overlap(stage, found)
    assert await found["b"].told() == {0: [1, 2], 1: [1]}
    await found["b"].follow()
    for follower in found.values():
        await told(follower.worker.cluster, {0: [2], 1: [1, 2]})
    await overlap(stage, found)
    for follower in found.values():
        await follower.follow()
    await told("a", {0: [2], 1: [2]})
    await told("b", {0: [2], 1: [2]})

    async def retired() -> bool:
        return (await shared(stage, "a", "b")).keys() == {"psk-0-2", "psk-1-2"}

    await stage.until(retired)
    record = await stage.condition(r.VPNKEYROTATIONS, "red", stage.home, "Ready", "True", "newest keys")
    assert objects.spec(record)["rotationCount"] == 1
    assert objects.status(record)["currentRotationState"]["red-a-b"]["status"] == "COMPLETE"
    history = [entry["status"] for entry in objects.status(record)["statusHistory"]["red-a-b"]]
    assert (len(history), history[0]) == (5, "COMPLETE")


async def generations(stage: Stage) -> list[list[int]]:
    record = await stage.find(r.VPNKEYROTATIONS, "red", stage.home)
    return [plane["generations"] for plane in objects.status(record or {}).get("planes") or []]


async def test_a_rotation_goes_on_after_a_restart_and_after_its_record_was_deleted(stage: Stage) -> None:
    found = await followers(stage)
    await renew(stage)

    async def is_on() -> bool:
        return await generations(stage) == [[1, 2], [1]] and (await found["a"].told())[0] == [1, 2]

    await stage.until(is_on)
    before = await shared(stage, "a", "b")
    await stage.stop_hub()
    await stage.start_hub()
    await stage.make_slice("red", "a", "b")
    await stage.admin.delete(r.VPNKEYROTATIONS, "red", stage.home)

    async def is_told() -> bool:
        events = (await stage.admin.list(r.EVENTS, stage.home)).items
        return "IllegalVPNKeyRotationConfigDelete" in {event["reason"] for event in events}

    await stage.until(is_told)
    await stage.until(is_on)
    assert await shared(stage, "a", "b") == before
    await overlap(stage, found)
    for follower in found.values():
        await follower.follow()

    async def is_through() -> bool:
        return (await generations(stage))[0] == [2]

    await stage.until(is_through)


async def test_an_old_key_that_is_put_back_is_named_and_told_to_nobody(stage: Stage) -> None:
    found = await followers(stage)
    await renew(stage)

    async def is_on() -> bool:
        return (await found["a"].told())[0] == [1, 2]

    await stage.until(is_on)
    found["a"].keys[0, 2] = found["a"].keys[0, 1]
    await found["a"].make()
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "False", "a reports for plane 0")
    await found["b"].follow()
    view = await stage.admin.get(r.WORKERSLICEGATEWAYS, "red-b-a", stage.namespace_of("b"))
    told = [(plane["plane"], plane["generation"]) for plane in view["spec"]["remoteGatewayConfig"]["planes"]]
    assert told == [(0, 1), (1, 1)]
    record = await stage.admin.get(r.VPNKEYROTATIONS, "red", stage.home)
    assert objects.status(record)["currentRotationState"]["red-a-b"]["status"] == "ERROR"
    assert await generations(stage) == [[1, 2], [1]]
    found["a"].keys[0, 2] = "no key at all"
    await found["a"].make()
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "False", "not 32 bytes in base64")
    del found["a"].keys[0, 2]
    await found["a"].make()
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "True")


async def test_a_hub_that_looks_at_an_old_state_does_not_bring_it_back(stage: Stage) -> None:
    await followers(stage)
    await stage.stop_hub()  # which may have more to write
    old = await stage.admin.get(r.VPNKEYROTATIONS, "red", stage.home)
    reporter = Reporter(stage.admin, "test", None, SystemClock())
    await reporter.report(r.VPNKEYROTATIONS, old, [], {"keys": []}, unchanged=True)
    with pytest.raises(Conflict):
        await reporter.report(r.VPNKEYROTATIONS, old, [], {"keys": [], "planes": []}, unchanged=True)
