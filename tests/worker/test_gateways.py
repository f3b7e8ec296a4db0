from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

PAIR = f"red-{CLUSTER}-worker-1"


async def sentence(stage: Stage) -> str:
    pair = await stage.hub_object(resources.WORKERSLICEGATEWAYS, PAIR)
    condition = objects.condition(pair, "Ready")
    return condition["message"] if condition else ""


async def with_pair(stage: Stage, *, key: str = "remote-key") -> None:
    await stage.start()
    await stage.slice()
    await stage.gateway(key=key)
    await eventually(lambda: stage.own_object(resources.SLICEGATEWAYS, PAIR))


async def says(stage: Stage, words: str) -> None:
    async def holds() -> bool:
        return words in await sentence(stage)

    await eventually(holds)


async def test_a_pair_of_the_hub_becomes_a_slice_gateway_with_the_peers_keys(stage: Stage) -> None:
    await with_pair(stage)
    seen = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
    spec = objects.spec(seen)
    assert (spec["remoteCluster"], spec["remoteSubnet"]) == ("worker-1", "10.1.0.0/18")
    assert spec["planes"] == [
        {"plane": 0, "generation": 1, "publicKey": "remote-key", "endpoints": ["172.31.1.11:30001"]}
    ]


async def test_a_peers_new_address_arrives_here(stage: Stage) -> None:
    await with_pair(stage, key="")
    await says(stage, "waiting for key and address of the gateway of worker-1")
    await stage.gateway(key="late-key")

    async def keys() -> Any:
        seen = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
        return [peer["publicKey"] for peer in objects.spec(seen)["planes"]] == ["late-key"]

    await eventually(keys)


async def test_a_change_of_state_is_told_at_once_and_figures_later(stage: Stage) -> None:
    await with_pair(stage)
    await stage.workers()
    await stage.tunnel("UP", rxBytes=1, latencyMicroseconds=400)
    await says(stage, "tunnel to worker-1 up, 0.4 ms")
    await stage.tunnel("UP", rxBytes=2, latencyMicroseconds=900)

    async def here() -> Any:
        return "0.9 ms" in (await stage.ready(resources.SLICEGATEWAYS, PAIR))[1]

    await eventually(here)
    assert "0.4 ms" in await sentence(stage)
    await stage.tunnel("DOWN", rxBytes=3)
    await says(stage, "no tunnel to worker-1 is up")
    pair = await stage.hub_object(resources.WORKERSLICEGATEWAYS, PAIR)
    assert objects.status(pair)["planes"][0]["rxBytes"] == 3


async def test_the_status_reads_as_users_of_the_go_implementation_know_it(stage: Stage) -> None:
    await with_pair(stage)
    await stage.workers()
    await stage.tunnel("UP", latencyMicroseconds=2400, endpoint="172.31.1.11:30001")

    async def line() -> Any:
        seen = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
        lines = objects.status(seen).get("gatewayPodStatus") or []
        return lines and lines[0].get("tunnelStatus") and objects.status(seen)

    status = await eventually(line)
    assert status["gatewayPodStatus"][0]["tunnelStatus"] == {
        "IntfName": "wg1",
        "Latency": 2,
        "Status": 0,
        "TunnelState": "UP",
    }
    assert status["gatewayPodStatus"][0]["remotePort"] == 30001
    assert status["config"]["sliceGatewayRemoteClusterId"] == "worker-1"
    assert status["podIps"] == ["10.1.64.8"]


async def test_a_pair_the_hub_deletes_goes_here_first(stage: Stage) -> None:
    await with_pair(stage)

    async def held() -> Any:
        return objects.finalizers(await stage.hub_object(resources.WORKERSLICEGATEWAYS, PAIR))

    await eventually(held)
    await stage.hub.delete(resources.WORKERSLICEGATEWAYS, PAIR, OWN_ON_HUB)

    async def gone() -> Any:
        return not await stage.hub_object(resources.WORKERSLICEGATEWAYS, PAIR)

    await eventually(gone)
    assert not await stage.own_object(resources.SLICEGATEWAYS, PAIR)
    assert await stage.own_object(resources.SLICES, "red")


async def test_what_somebody_changes_here_is_put_back(stage: Stage) -> None:
    await with_pair(stage)
    await stage.own.patch(resources.SLICEGATEWAYS, PAIR, SYSTEM, {"spec": {"remoteSubnet": "10.9.0.0/18"}})

    async def restored() -> Any:
        seen = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
        return objects.spec(seen)["remoteSubnet"] == "10.1.0.0/18"

    await eventually(restored)
