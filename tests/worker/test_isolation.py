"""Isolation in a cluster: NetworkPolicies that come, are put back and go, and those of others that are told."""

from collections.abc import Sequence
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names, resources
from tests.worker.clusters import CLUSTER, OWN_ON_HUB, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

POLICY = names.network_policy("red")
POLICIES = resources.NETWORKPOLICIES
ON_HUB = f"red-{CLUSTER}"
WIDER = "it lets in more namespaces than slice red allows: delete it, or add them to allowedNamespaces"


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


async def events(stage: Stage, of: str, namespace: str = names.WORKER_NAMESPACE) -> dict[tuple[str, str], int]:
    """Return how often what was said about an object, by reason and message."""
    found = (await stage.own.list(resources.EVENTS, namespace)).items
    about = [event for event in found if "NetPol" in event["reason"] and event["involvedObject"]["name"] == of]
    return {(event["reason"], event["message"]): event["count"] for event in about}


def told(stage: Stage, expected: dict[tuple[str, str], int], of: str = "red", **where: str) -> Any:
    async def holds() -> bool:
        return await events(stage, of, **where) == expected

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

    async def violations() -> bool:
        said = str(await events(stage, "red"))
        return "was put back in shop (changed by " in said and "was put back in shop (deleted)" in said

    await eventually(violations)
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
    await reason(stage, "PoliciesInstalled")
    came = {("NetPolAdded", "NetworkPolicy kubeslice-red is in shop"): 1}
    await told(stage, came)
    await stage.stop()
    await stage.own.delete(POLICIES, POLICY, "shop")
    await stage.start()
    await are_isolated(stage, "shop")
    await told(stage, came | {("NetPolViolation", "NetworkPolicy kubeslice-red was put back in shop (deleted)"): 1})
    await reason(stage, "PoliciesInstalled")
    said = (await stage.own.list(resources.EVENTS, names.WORKER_NAMESPACE)).items
    assert {event["reason"] for event in said if event["type"] == "Warning"} == {"NetPolViolation"}
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
    seen = await reason(stage, "NetPolScopeWidenedNamespace")
    assert "shop/web" in seen["message"]
    await told(stage, {("NetPolScopeWidenedNamespace", WIDER): 1}, "web", namespace="shop")

    blocks = [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]
    await stage.own.patch(POLICIES, "web", "shop", {"spec": {"ingress": blocks}})
    await reason(stage, "NetPolScopeWidenedIPBlock")
    copied = await stage.own_object(POLICIES, POLICY, "shop")
    copy = {"metadata": {"name": "copy", "namespace": "shop", "labels": objects.labels(copied)}}
    await stage.own.create(POLICIES, copy | {"spec": theirs["spec"]})
    await told(stage, {("NetPolScopeWidenedNamespace", WIDER): 1}, "copy", namespace="shop")
    assert list((await events(stage, "web", "shop")).values()) == [1, 1]
    await stage.own.delete(POLICIES, "copy", "shop")
    await stage.own.delete(POLICIES, "web", "shop")
    await reason(stage, "PoliciesInstalled")


async def test_a_namespace_that_comes_later_and_without_a_label_is_isolated(stage: Stage) -> None:
    bare: Any = {"metadata": {"name": "shop"}}
    await stage.start()
    await profile(stage, "shop", onlyExisting=True)
    await eventually(lambda: stage.own_object(resources.SLICES, "red"))
    await stage.own.create(resources.NAMESPACES, bare)
    await are_isolated(stage, "shop")


async def test_a_namespace_is_kept_for_a_policy_of_somebody_else_and_not_for_ours(stage: Stage) -> None:
    await stage.start()
    await profile(stage, "shop", "bank")
    await are_isolated(stage, "shop", "bank")
    await stage.own.create(POLICIES, {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"podSelector": {}}})
    await profile(stage)

    async def left() -> bool:
        gone = await stage.own_object(resources.NAMESPACES, "bank", None)
        kept = await stage.own_object(resources.NAMESPACES, "shop", None)
        return (gone is None or objects.is_deleting(gone)) and names.SLICE_LABEL not in objects.labels(kept)

    await eventually(left)
    assert not objects.is_deleting(await stage.own_object(resources.NAMESPACES, "shop", None))
    assert await stage.own_object(POLICIES, "web", "shop")
