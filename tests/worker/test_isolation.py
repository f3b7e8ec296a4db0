"""Isolation in a cluster: NetworkPolicies that come, are put back and go, and those of others that are told."""

from collections.abc import Sequence
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.conftest import CLUSTER, OWN_ON_HUB, Stage, eventually

pytestmark = pytest.mark.api

POLICY = names.network_policy("red")
POLICIES = resources.NETWORKPOLICIES
ON_HUB = f"red-{CLUSTER}"


async def profile(stage: Stage, *namespaces: str, allowed: Sequence[str] = (), on: bool = True, **spec: Any) -> None:
    wanted: Any = {"applicationNamespaces": list(namespaces), "allowedNamespaces": list(allowed)}
    wanted |= {"isolationEnabled": on, "onlyExisting": spec.pop("onlyExisting", False)}
    await stage.slice(namespaceIsolationProfile=wanted, **spec)


async def isolated(stage: Stage) -> set[str]:
    """Return the namespaces that have a policy of ours."""
    labels = f"{names.MANAGED_BY_LABEL}={names.WORKER_MANAGER}"
    return {objects.namespace(obj) for obj in (await stage.own.list(POLICIES, labels=labels)).items}


def are_isolated(stage: Stage, *expected: str) -> Any:
    async def holds() -> bool:
        return await isolated(stage) == set(expected)

    return eventually(holds)


def reason(stage: Stage, expected: str | None) -> Any:
    """Wait until both the Slice and the hub are told this of isolation."""

    async def holds() -> Any:
        seen = await stage.own_object(resources.SLICES, "red")
        here = objects.condition(seen or {}, "Isolated") or {}
        there = objects.condition(await stage.hub_object(resources.WORKERSLICECONFIGS, ON_HUB), "Isolated") or {}
        return seen and here.get("reason") == there.get("reason") == expected and (here or True)

    return eventually(holds)


async def test_policies_follow_the_slice_and_are_put_back(stage: Stage) -> None:
    await stage.start()
    await profile(stage, "shop", "bank", allowed=["ops"])
    await are_isolated(stage, "shop", "bank")
    await reason(stage, "PoliciesInstalled")
    assert objects.status(await stage.own_object(resources.SLICES, "red"))["networkPoliciesInstalled"] is True
    made = objects.spec(await stage.own_object(POLICIES, POLICY, "shop"))

    async def whole() -> bool:
        seen = await stage.own_object(POLICIES, POLICY, "shop")
        has_label = seen is not None and objects.labels(seen).get(names.SLICE_LABEL) == "red"
        return has_label and objects.spec(seen) == made

    for narrower in (
        {"podSelector": {"matchLabels": {"app": "web"}}},
        {"ingress": [{**made["ingress"][0], "ports": [{"port": 80, "protocol": "TCP"}]}]},
        {"policyTypes": ["Ingress"]},
    ):
        await stage.own.patch(POLICIES, POLICY, "shop", {"spec": narrower})
        await eventually(whole)
    await stage.own.patch(POLICIES, POLICY, "shop", {"metadata": {"labels": {names.SLICE_LABEL: None}}})
    await eventually(whole)
    await stage.own.delete(POLICIES, POLICY, "shop")
    await eventually(whole)
    await profile(stage, "shop", allowed=["ops", "audit"])
    await are_isolated(stage, "shop")

    async def lets_audit_in() -> bool:
        return "audit" in str(objects.spec(await stage.own_object(POLICIES, POLICY, "shop"))["egress"])

    await eventually(lets_audit_in)
    await profile(stage, "shop", on=False)
    await are_isolated(stage)
    await reason(stage, None)
    assert objects.status(await stage.own_object(resources.SLICES, "red"))["networkPoliciesInstalled"] is False


async def test_isolation_outlives_a_restart_and_goes_with_a_slice_without_a_network(stage: Stage) -> None:
    bare: Any = {"overlayNetworkDeploymentMode": "no-network", "sliceSubnet": "", "clusterSubnetCIDR": ""}
    await stage.start()
    await profile(stage, "shop", **bare)
    await are_isolated(stage, "shop")
    await stage.stop()
    await stage.own.delete(POLICIES, POLICY, "shop")
    await stage.start()
    await are_isolated(stage, "shop")
    await stage.hub.delete(resources.WORKERSLICECONFIGS, ON_HUB, OWN_ON_HUB)
    await are_isolated(stage)

    async def gone() -> bool:
        return await stage.own_object(resources.SLICES, "red") is None

    await eventually(gone)


async def test_a_policy_of_somebody_else_that_opens_a_namespace_is_told_and_left_alone(stage: Stage) -> None:
    await stage.start()
    await profile(stage, "shop")
    await reason(stage, "PoliciesInstalled")
    rules = [{"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}]
    theirs = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"podSelector": {}, "ingress": rules}}
    await stage.own.create(POLICIES, theirs)
    told = await reason(stage, "NetPolScopeWidenedNamespace")
    assert "shop/web" in told["message"]

    async def event() -> bool:
        events = (await stage.own.list(resources.EVENTS, names.WORKER_NAMESPACE)).items
        return any((found["reason"], found["type"]) == (told["reason"], "Warning") for found in events)

    await eventually(event)
    blocks = [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]
    await stage.own.patch(POLICIES, "web", "shop", {"spec": {"ingress": blocks}})
    await reason(stage, "NetPolScopeWidenedIPBlock")
    await stage.own.delete(POLICIES, "web", "shop")
    await reason(stage, "PoliciesInstalled")


async def test_a_namespace_that_comes_later_and_without_a_label_is_isolated(stage: Stage) -> None:
    bare: Any = {"metadata": {"name": "shop"}}
    await stage.start()
    await profile(stage, "shop", onlyExisting=True)
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    await stage.own.create(resources.NAMESPACES, bare)
    await are_isolated(stage, "shop")
