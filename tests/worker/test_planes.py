"""Planes of a slice: their keys by generation, how they are reached, and how one after the other is replaced."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from kubeslice.kube import objects
from kubeslice.model import names, resources
from kubeslice.plan.cluster import rollouts
from kubeslice.plan.cluster.workloads import Build
from kubeslice.runtime import certificates
from kubeslice.worker.workloads import ASK_AGAIN
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, SYSTEM, eventually
from tests.worker.stage import Stage
from tests.worker.test_registration import with_token

pytestmark = pytest.mark.api

CONFIG = f"red-{CLUSTER}"
PAIR = f"red-{CLUSTER}-worker-1"
PLANE_0 = "slice-gateway-red-0"
PLANE_1 = "slice-gateway-red-1"


async def secret(stage: Stage, name: str = PLANE_0) -> dict[str, str]:
    found = await stage.own_object(resources.SECRETS, name) or {}
    return {key: base64.b64decode(text).decode() for key, text in (found.get("data") or {}).items()}


async def holds(stage: Stage, *keys: str, name: str = PLANE_0) -> dict[str, str]:
    async def exactly() -> Any:
        content = await secret(stage, name)
        return set(content) == set(keys) and content

    found: dict[str, str] = await eventually(exactly)
    return found


async def told(stage: Stage) -> list[Any]:
    config = await stage.hub_object(resources.WORKERSLICECONFIGS, CONFIG)
    return objects.status(config).get("gateways") or []


def keys_of(*generations: int, plane: int = 0) -> list[Any]:
    return [{"plane": plane, "generations": list(generations)}]


async def test_keys_rotate_without_the_old_one_changing_and_the_hub_hears_of_both(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    first = await holds(stage, "privateKey-1", "publicKey-1")
    await stage.slice(gatewayKeys=keys_of(1, 2))
    both = await holds(stage, "privateKey-1", "publicKey-1", "privateKey-2", "publicKey-2")
    assert first.items() <= both.items()
    service = await stage.own_object(resources.SERVICES, PLANE_0)
    ports = {port["name"]: port["nodePort"] for port in objects.spec(service)["ports"]}

    async def lines() -> Any:
        return [(line["generation"], line["publicKey"], line["endpoints"]) for line in await told(stage)] == [
            (1, both["publicKey-1"], [f"172.31.2.11:{ports['tunnel-1']}"]),
            (2, both["publicKey-2"], [f"172.31.2.11:{ports['tunnel-0']}"]),
        ]

    await eventually(lines)
    await stage.slice(gatewayKeys=keys_of(2))
    assert (await holds(stage, "privateKey-2", "publicKey-2")).items() <= both.items()


async def test_a_secret_of_an_earlier_version_is_taken_over(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    first = await holds(stage, "privateKey-1", "publicKey-1")
    await stage.stop()
    old = {"privateKey": first["privateKey-1"], "publicKey": first["publicKey-1"]}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in old.items()}
    gone = dict.fromkeys(first)
    await stage.own.patch(resources.SECRETS, PLANE_0, SYSTEM, {"data": data | gone})
    await stage.start()
    assert await holds(stage, "privateKey-1", "publicKey-1") == first


async def share(stage: Stage, **entries: str) -> None:
    data = {key.replace("_", "-"): base64.b64encode(text.encode()).decode() for key, text in entries.items()}
    metadata = {"name": PAIR, "namespace": OWN_ON_HUB}
    await stage.hub.apply(
        resources.SECRETS, {"metadata": metadata, "type": names.TUNNEL_SECRET_TYPE, "data": data}, manager="hub"
    )


async def test_pre_shared_keys_come_from_the_hub_and_stay_while_it_says_nothing(stage: Stage) -> None:
    own = ("privateKey-1", "publicKey-1")
    await stage.start()
    await stage.slice()
    await stage.gateway()
    await holds(stage, *own)
    named = {"spec": {"gatewayCredentials": {"secretName": PAIR}}}
    await stage.hub.patch(resources.WORKERSLICEGATEWAYS, PAIR, OWN_ON_HUB, named)

    async def peers() -> Any:
        found = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
        return [peer["publicKey"] for peer in objects.spec(found).get("planes") or []]

    async def is_held_back() -> Any:
        return await peers() == []

    await eventually(is_held_back)
    await share(stage, psk_0_1="one", psk_0_2="two", psk_1_1="other plane")
    assert (await holds(stage, *own, "psk-worker-1-1"))["psk-worker-1-1"] == "one"
    assert await eventually(peers) == ["remote-key"]
    await stage.hub.delete(resources.SECRETS, PAIR, OWN_ON_HUB)
    await stage.slice(gatewayKeys=keys_of(1, 2))
    await holds(stage, *own, "privateKey-2", "publicKey-2", "psk-worker-1-1")
    await stage.hub.patch(resources.WORKERSLICEGATEWAYS, PAIR, OWN_ON_HUB, {"spec": {"gatewayCredentials": None}})
    await holds(stage, *own, "privateKey-2", "publicKey-2")


async def test_while_the_hub_is_silent_keys_and_exposure_stay(stage: Stage) -> None:
    everything = ("privateKey-1", "publicKey-1", "psk-worker-1-1")
    await stage.start()
    await stage.slice(sliceGatewayProvider={"sliceGatewayServiceType": "LoadBalancer"})
    await stage.gateway()
    await stage.hub.patch(
        resources.WORKERSLICEGATEWAYS, PAIR, OWN_ON_HUB, {"spec": {"gatewayCredentials": {"secretName": PAIR}}}
    )
    await share(stage, psk_0_1="one")
    before = await holds(stage, *everything)

    async def is_noted() -> Any:
        config = objects.status(await stage.own_object(resources.SLICES, "red")).get("sliceConfig") or {}
        pair = await stage.own_object(resources.SLICEGATEWAYS, PAIR)
        return config.get("sliceGatewayServiceType") == "LoadBalancer" and objects.spec(pair).get("planes")

    await eventually(is_noted)
    await stage.stop()
    async with with_token(stage.hub, "revoked") as silent:
        await stage.start(silent)
        await stage.own.delete(resources.SERVICES, PLANE_0, SYSTEM)
        service = await eventually(lambda: stage.own_object(resources.SERVICES, PLANE_0))
        assert objects.spec(service)["type"] == "LoadBalancer"
        assert await secret(stage) == before
        assert (objects.spec(await stage.own_object(resources.SLICEGATEWAYS, PAIR)))["planes"]
        await stage.stop()


async def test_openvpn_gateways_ask_for_certificates_and_get_those_for_their_keys(stage: Stage) -> None:
    openvpn = {"sliceGatewayType": "OpenVPN"}
    await stage.start()
    await stage.slice(sliceGatewayProvider=openvpn)

    async def requested() -> Any:
        return [line.get("certificateRequest") for line in await told(stage)]

    request = (await eventually(requested))[0]
    kept = await secret(stage)
    assert kept["tls-1.csr"] == request
    assert f"{names.project_of('kubeslice-acme')}/red/{CLUSTER}/0" in _uri(request)
    now = datetime.now(UTC)
    authority = certificates.authority("slice red", now, timedelta(days=1))
    foreign = certificates.issue(authority, "red", now, timedelta(days=1)).certificate.decode()
    entry = {"plane": 0, "generation": 1, "certificate": foreign}
    await stage.slice(
        sliceGatewayProvider=openvpn, gatewayCertificates=[entry], certificateAuthority=authority.certificate.decode()
    )

    async def trusts() -> Any:
        return (await secret(stage)).get("ca.crt") == authority.certificate.decode()

    await eventually(trusts)
    after = await secret(stage)
    assert "tls-1.crt" not in after
    assert kept.items() <= after.items()


def _uri(request: str) -> str:
    asked = x509.load_pem_x509_csr(request.encode())
    extension = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return extension.get_values_for_type(x509.UniformResourceIdentifier)[0]


async def balance(stage: Stage, name: str) -> None:
    """Give a Service the address of a load balancer."""
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    await stage.own.patch(resources.SERVICES, name, SYSTEM, {"status": status}, subresource="status")


async def test_exposure_changes_while_the_slice_lives_and_a_load_balancer_may_be_late(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: told(stage))
    await stage.slice(sliceGatewayProvider={"sliceGatewayServiceType": "LoadBalancer"})

    async def is_pending() -> Any:
        service = await stage.own_object(resources.SERVICES, PLANE_0)
        return service and objects.spec(service)["type"] == "LoadBalancer"

    await eventually(is_pending)
    assert [line["endpoints"][0].split(":")[0] for line in await told(stage)] == ["172.31.2.11"]
    await balance(stage, PLANE_0)

    async def balanced() -> Any:
        return [line["endpoints"] for line in await told(stage)] == [["203.0.113.7:51821"]]

    await eventually(balanced)
    await stage.slice(sliceGatewayProvider={"sliceGatewayServiceType": "NodePort"})

    async def on_nodes() -> Any:
        return [line["endpoints"][0].split(":")[0] for line in await told(stage)] == ["172.31.2.11"]

    await eventually(on_nodes)


async def test_planes_are_exposed_anew_one_at_a_time_and_the_next_waits_for_the_tunnels_of_the_one_before(
    stage: Stage,
) -> None:
    async def types() -> list[str]:
        services = [await stage.own_object(resources.SERVICES, name) for name in (PLANE_0, PLANE_1)]
        return [objects.spec(service)["type"] for service in services if service]

    async def are(*wanted: str) -> None:
        async def so() -> Any:
            return await types() == list(wanted)

        await eventually(so)

    await stage.start()
    await stage.slice(gatewayReplicas=2)
    await stage.gateway()
    await eventually(lambda: stage.own_object(resources.SLICEGATEWAYS, PAIR))
    for plane in (0, 1):
        await gateway_pod(stage, plane)
        await stage.tunnel(podName=f"gateway-{plane}", plane=plane)
    for name in ("slice-router-red-0", "slice-router-red-1", PLANE_0, PLANE_1):
        await eventually(lambda name=name: stage.own_object(resources.DEPLOYMENTS, name))  # type: ignore[misc]
        await finish(stage, name)
    await are("NodePort", "NodePort")
    await stage.slice(gatewayReplicas=2, sliceGatewayProvider={"sliceGatewayServiceType": "LoadBalancer"})
    await are("LoadBalancer", "NodePort")
    await asyncio.sleep(rollouts.SETTLE + ASK_AGAIN / 2)
    assert await types() == ["LoadBalancer", "NodePort"], "its load balancer has not come"
    assert all("172.31.2.11" in line["endpoints"][0] for line in await told(stage)), "both are called as before"
    await balance(stage, PLANE_0)
    await stage.tunnel("DOWN", podName="gateway-0")
    await asyncio.sleep(rollouts.SETTLE + ASK_AGAIN / 2)
    assert await types() == ["LoadBalancer", "NodePort"]
    await stage.tunnel("UP", podName="gateway-0")
    await are("LoadBalancer", "LoadBalancer")


async def test_the_protocol_of_the_tunnels_changes_while_the_slice_lives(stage: Stage) -> None:
    async def protocols() -> Any:
        service = await stage.own_object(resources.SERVICES, PLANE_0)
        return service and {port["protocol"] for port in objects.spec(service)["ports"]}

    await stage.start()
    for protocol in ("UDP", "TCP", "UDP"):
        await stage.slice(sliceGatewayProvider={"sliceGatewayType": "OpenVPN", "sliceGatewayProtocol": protocol})

        async def is_so(wanted: str = protocol) -> Any:
            return await protocols() == {wanted}

        await eventually(is_so)
    assert len(objects.spec(await stage.own_object(resources.SERVICES, PLANE_0))["ports"]) == 2


async def test_a_nodes_new_address_reaches_the_hub_and_an_administrators_wins(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: told(stage))
    status = {"addresses": [{"type": "InternalIP", "address": "172.31.2.99"}]}
    await stage.own.patch(resources.NODES, "node-1", None, {"status": status}, subresource="status")

    async def moved() -> Any:
        return [line["endpoints"][0].split(":")[0] for line in await told(stage)] == ["172.31.2.99"]

    await eventually(moved)
    given = {"spec": {"nodeIPs": ["198.51.100.4"]}}
    await stage.hub.patch(resources.CLUSTERS, CLUSTER, names.project_namespace("acme"), given)

    async def as_given() -> Any:
        return [line["endpoints"][0].split(":")[0] for line in await told(stage)] == ["198.51.100.4"]

    await eventually(as_given)


async def gateway_pod(stage: Stage, plane: int, name: str = "") -> None:
    labels = {names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: str(plane)}
    await stage.pod(name or f"gateway-{plane}", SYSTEM, labels, address=f"10.1.64.{8 + plane}")


async def test_planes_come_and_go_and_one_that_goes_keeps_what_it_needs_until_its_pod_has_ended(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await holds(stage, "privateKey-1", "publicKey-1")
    await stage.slice(gatewayReplicas=2)
    await holds(stage, "privateKey-1", "publicKey-1", name=PLANE_1)
    budget = await eventually(lambda: stage.own_object(resources.PODDISRUPTIONBUDGETS, "slice-gateway-red"))
    assert objects.spec(budget)["minAvailable"] == 1
    await gateway_pod(stage, 1)
    await eventually(lambda: stage.own_object(resources.DEPLOYMENTS, PLANE_1))
    await stage.slice(gatewayReplicas=1)

    async def is_leaving() -> Any:
        return not await stage.own_object(resources.DEPLOYMENTS, PLANE_1)

    await eventually(is_leaving)
    assert await stage.own_object(resources.SERVICES, PLANE_1)
    assert await secret(stage, PLANE_1)
    role = await stage.own_object(resources.ROLES, "slice-gateway-red")
    assert role["rules"][0]["resourceNames"] == [PLANE_0, PLANE_1]
    await stage.kill("gateway-1")

    async def is_gone() -> Any:
        return not await stage.own_object(resources.SERVICES, PLANE_1) and not await secret(stage, PLANE_1)

    await eventually(is_gone)
    assert not await stage.own_object(resources.PODDISRUPTIONBUDGETS, "slice-gateway-red")
    assert await secret(stage)


async def finish(stage: Stage, name: str) -> None:
    """Play the Deployment's controller: its one pod runs the latest template."""
    found = await stage.own_object(resources.DEPLOYMENTS, name)
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
    status = counts | {"observedGeneration": found["metadata"]["generation"]}
    await stage.own.patch(resources.DEPLOYMENTS, name, SYSTEM, {"status": status}, subresource="status")


async def test_an_upgrade_replaces_one_at_a_time_and_waits_for_its_tunnels(stage: Stage) -> None:
    everything = ["slice-router-red-0", "slice-router-red-1", PLANE_0, PLANE_1]
    await stage.start()
    await stage.slice(gatewayReplicas=2)
    await stage.gateway()
    for name in everything:
        await eventually(lambda name=name: stage.own_object(resources.DEPLOYMENTS, name))  # type: ignore[misc]
        await finish(stage, name)
    await stage.stop()
    upgraded = replace(stage, settings=replace(stage.settings, build=Build("kubeslice/kubeslice:2")))
    await upgraded.start()

    async def new() -> list[str]:
        found = [await stage.own_object(resources.DEPLOYMENTS, name) for name in everything]
        images = [obj["spec"]["template"]["spec"]["containers"][0]["image"] for obj in found]
        return [name for name, image in zip(everything, images, strict=True) if image.endswith(":2")]

    async def is_new(*expected: str) -> None:
        async def so() -> Any:
            return await new() == list(expected)

        await eventually(so)

    try:
        for count in (1, 2):
            await is_new(*everything[:count])
            await finish(stage, everything[count - 1])
        await is_new(*everything[:3])
        await gateway_pod(stage, 0)
        await stage.tunnel("DOWN", podName="gateway-0")
        await finish(stage, PLANE_0)
        await asyncio.sleep(2 * ASK_AGAIN)
        assert PLANE_1 not in await new()
        await stage.tunnel("UP", podName="gateway-0")
        await is_new(*everything)
    finally:
        await upgraded.stop()
