import base64
import json
import time
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.config import Connection
from kubeslice.kube.http import HttpApi
from kubeslice.model import names, resources
from kubeslice.worker.registration import HEARTBEAT
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, PROJECT, SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api


def cluster(stage: Stage, **wanted: Any) -> Any:
    async def status() -> Any:
        found = objects.status(await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT))
        return all(found.get(key) == value for key, value in wanted.items()) and found

    return eventually(status)


async def test_the_cluster_registers_and_says_what_it_is(stage: Stage) -> None:
    await stage.own.create(resources.NAMESPACES, {"metadata": {"name": "bank"}})
    await stage.agents()
    await stage.start()
    status = await cluster(stage, registrationStatus="Registered", nodeIPs=["172.31.2.11"])
    assert {"name": "bank"} in status["namespaces"]
    assert status["heartbeatTime"]
    assert status["networkPresent"] is False
    assert status["clusterHealth"]["clusterHealthStatus"] == "Warning"
    found = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
    assert "agent" in (objects.condition(found, "ComponentsHealthy") or {})["message"]


async def test_the_registration_is_complete_with_the_first_agent_at_once_and_stays_so(stage: Stage) -> None:
    await stage.start()
    await cluster(stage, registrationStatus="InProgress", nodeIPs=["172.31.2.11"])
    found = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
    assert "an agent that runs" in (objects.condition(found, "Registered") or {})["message"]
    began = time.monotonic()
    await stage.agents(1)
    await cluster(stage, registrationStatus="Registered")
    assert time.monotonic() - began < HEARTBEAT / 2
    await stage.agents(0)
    await cluster(stage, registrationStatus="Registered", networkPresent=False)
    found = await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT)
    assert objects.is_true(found, "Registered")


async def test_addresses_of_the_administrator_win_and_arrive_at_once(stage: Stage) -> None:
    await stage.start()
    await cluster(stage, nodeIPs=["172.31.2.11"])
    await stage.hub.patch(resources.CLUSTERS, CLUSTER, PROJECT, {"spec": {"nodeIPs": ["203.0.113.9"]}})
    await cluster(stage, nodeIPs=["203.0.113.9"])


async def test_a_new_namespace_arrives_with_its_slice(stage: Stage) -> None:
    await stage.start()
    await stage.slice()

    async def listed() -> Any:
        found = objects.status(await stage.hub_object(resources.CLUSTERS, CLUSTER, PROJECT))
        return {"name": "shop", "sliceName": "red"} in (found.get("namespaces") or [])

    await eventually(listed)


def with_token(api: HttpApi, token: str) -> HttpApi:
    """Return a client of the same server with another credential."""
    to = api._to
    return HttpApi(Connection(to.host, to.port, to.tls, lambda: token, to.server_name))


async def hub_condition(stage: Stage) -> Any:
    found = await stage.own_object(resources.SLICES, "red")
    return (objects.condition(found, "HubReachable") if found else None) or {}


async def test_a_refused_credential_is_said_and_tears_nothing_down(stage: Stage) -> None:
    operator = {
        "metadata": {"name": "kubeslice-worker", "namespace": SYSTEM},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {"containers": [{"name": "x", "image": "busybox"}]},
            },
        },
    }
    await stage.own.create(resources.DEPLOYMENTS, operator)
    await stage.start()
    await stage.slice()

    async def reachable() -> Any:
        return (await hub_condition(stage)).get("status") == "True"

    await eventually(reachable)
    await stage.stop()
    async with with_token(stage.hub, "revoked") as refused:
        await stage.start(refused)

        async def says_why() -> Any:
            condition = await hub_condition(stage)
            return condition.get("reason") == "CredentialRefused" and condition["message"]

        message = await eventually(says_why)
        assert f"copy the Secret {names.worker_account(CLUSTER)}" in message

        async def event() -> Any:
            events = (await stage.own.list(resources.EVENTS, SYSTEM)).items
            return "CredentialRefused" in json.dumps(events)

        await eventually(event)
        await stage.own.delete(resources.DEPLOYMENTS, "slice-router-red-0", SYSTEM)

        async def healed() -> Any:
            return await stage.own_object(resources.DEPLOYMENTS, "slice-router-red-0")

        await eventually(healed)
        namespace = await stage.own_object(resources.NAMESPACES, "shop", None)
        assert objects.labels(namespace)[names.SLICE_LABEL] == "red"
        await stage.stop()
    await stage.start()
    await eventually(reachable)


async def test_the_credential_of_another_cluster_is_named_as_such(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    await stage.stop()
    account = {"metadata": {"name": "stranger", "namespace": PROJECT}}
    await stage.hub.create(resources.SERVICEACCOUNTS, account)
    secret = {
        "metadata": {
            "name": "stranger",
            "namespace": PROJECT,
            "annotations": {"kubernetes.io/service-account.name": "stranger"},
        },
        "type": "kubernetes.io/service-account-token",
    }
    await stage.hub.create(resources.SECRETS, secret)

    async def token() -> Any:
        found = await stage.hub_object(resources.SECRETS, "stranger", PROJECT)
        return (found.get("data") or {}).get("token")

    async with with_token(stage.hub, base64.b64decode(await eventually(token)).decode()) as foreign:
        await stage.start(foreign)

        async def says_so() -> Any:
            return (await hub_condition(stage)).get("reason") == "CredentialOfAnother"

        await eventually(says_so)
        await eventually(lambda: stage.own_object(resources.DEPLOYMENTS, "slice-router-red-0"))
        await stage.stop()


async def test_an_export_while_the_hub_refuses_says_that_others_do_not_hear(stage: Stage) -> None:
    await stage.start()
    await stage.slice()
    await eventually(lambda: stage.own_object(resources.NAMESPACES, "shop", None))
    await stage.stop()
    async with with_token(stage.hub, "revoked") as refused:
        await stage.start(refused)
        await stage.export()

        async def says_so() -> Any:
            status, message = await stage.ready(resources.SERVICEEXPORTS, "web", "shop")
            return status == "False" and "the hub cannot be told" in message

        await eventually(says_so)
        await stage.stop()
    await stage.start()
    await eventually(lambda: stage.hub_object(resources.SERVICEEXPORTCONFIGS, f"web-shop-{CLUSTER}", OWN_ON_HUB))
