"""What the webhook refuses the hub reports in the same words, when the object got in because no webhook was there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from kubeslice.plan.admission import Review
from kubeslice.webhook.hubcheck import HubCheck
from tests.hub.stage import Stage

pytestmark = pytest.mark.api


def joined(*entries: Any, kind: str = "applicationNamespaces") -> Any:
    return {
        "namespaceIsolationProfile": {kind: [{"namespace": name, "clusters": list(where)} for name, *where in entries]}
    }


# What neither schema nor CEL can see, with a word of the sentence.
BAD_SLICES: dict[str, tuple[Any, str]] = {
    "unknown-member": ({"clusters": ["a", "nowhere"]}, "there is no Cluster nowhere"),
    "overlap": ({"sliceSubnet": "10.77.0.0/16"}, "overlaps 10.77.4.0/24, a network of cluster b"),
    "claimed": (joined(("till", "a")), "it belongs to slice 1st"),
    "not-a-member": (joined(("x", "c")), "c is not in spec.clusters"),
    "nowhere": (joined(("x",)), "no cluster is named"),
    "star-and-more": (joined(("x", "*", "a")), '"*" stands beside other clusters'),
    "system": (joined(("kube-system", "*")), "pods of the system cannot join"),
    "no-namespace": (joined(("Ex", "*"), kind="allowedNamespaces"), "'Ex' cannot be the name of a namespace"),
    "1st-a": ({"clusters": ["a", "b"], "sliceSubnet": "10.9.0.0/16"}, "would both be called 1st-a-a-b"),
    "profile": ({"standardQosProfileName": "gold"}, "there is no SliceQoSConfig gold"),
    "exposed": ({"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "c"}]}}, "c is not in spec.clusters"),
    "outward": ({"externalGatewayConfig": [{"clusters": ["a"]}, {"clusters": ["a"]}]}, "a is in two entries"),
    "pairs": (
        {"topology": {"mode": "Restricted", "pairs": [{"clusters": ["a", "b"]}, {"clusters": ["b", "a"]}]}},
        "a and b are there twice",
    ),
    "hasty": ({"rotationPeriod": "10s"}, "10s is too short"),
}
BAD_CLUSTERS: dict[str, tuple[Any, str]] = {
    "address": ({"nodeIPs": ["ten"]}, "'ten' is not an IP address"),
    "place": ({"clusterProperty": {"geoLocation": {"latitude": "91"}}}, "'91' is not a number from -90 to 90"),
}


@asynccontextmanager
async def checking(stage: Stage) -> AsyncIterator[HubCheck]:
    """The webhook's check, which the server does not know of."""
    check = HubCheck(stage.admin)
    running = asyncio.create_task(check.run())

    async def is_synced() -> bool:
        return check.is_synced

    await stage.until(is_synced)
    yield check
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def told(check: HubCheck, resource: Resource, obj: Object) -> str:
    """Return what the webhook says about the creation of an object."""
    namespace, name = objects.namespace(obj), objects.name(obj)
    review = Review("uid", resource.group, resource.plural, "CREATE", namespace, name, obj)
    return "; ".join((await check.validate(review)).problems)


async def reported(stage: Stage, resource: Resource, obj: Object) -> str:
    """Return what the hub says about an object that is there."""

    async def sentence() -> str:
        found = await stage.admin.get(resource, objects.name(obj), objects.namespace(obj))
        refusal = objects.condition(found, "Accepted") or objects.condition(found, "Ready") or {}
        return str(refusal.get("message", "")) if refusal.get("status") == "False" else ""

    try:
        return str(await stage.until(sentence, 5))
    except AssertionError:
        return "nothing"


def bad_objects(stage: Stage) -> list[tuple[Resource, Object, str]]:
    """Return all of them, with a word of the sentence."""
    plain = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": ["a", "b"]}
    found = [(r.SLICECONFIGS, name, {**plain, **spec}, words) for name, (spec, words) in BAD_SLICES.items()]
    found += [(r.CLUSTERS, name, spec, words) for name, (spec, words) in BAD_CLUSTERS.items()]
    placed = [(kind, stage.home, name, spec, words) for kind, name, spec, words in found]
    placed.append((r.CLUSTERS, stage.home, "vault", {}, "belongs to somebody else, who made it"))
    placed.append((r.CLUSTERS, stage.namespace_of("a"), "lost", {}, "belongs to cluster a alone"))
    owner = f"which belongs to cluster a of project {stage.project}"
    placed.append((r.PROJECTS, names.HUB_NAMESPACE, f"{stage.project}-a", {}, owner))
    return [
        (kind, {"metadata": {"name": name, "namespace": namespace}, "spec": spec}, words)
        for kind, namespace, name, spec, words in placed
    ]


async def test_both_say_of_a_change_the_same(stage: Stage) -> None:
    await stage.make_project()
    await stage.register("a", "b")
    balanced = {"sliceGatewayServiceType": [{"cluster": "a", "type": "LoadBalancer"}]}
    old = await stage.make_slice("red", "a", "b", sliceGatewayProvider=balanced)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")
    back: Any = {"spec": {"sliceGatewayProvider": {"sliceGatewayServiceType": []}}}
    new = await stage.admin.patch(r.SLICECONFIGS, "red", stage.home, back)
    async with checking(stage) as check:
        review = Review("uid", "controller.kubeslice.io", "sliceconfigs", "UPDATE", stage.home, "red", new, old)
        refusal = "; ".join((await check.validate(review)).problems)
    assert "a cannot go back from LoadBalancer to NodePort" in refusal
    assert await reported(stage, r.SLICECONFIGS, new) == refusal
    config = await stage.admin.get(r.WORKERSLICECONFIGS, "red-a", stage.namespace_of("a"))
    assert objects.spec(config)["sliceGatewayProvider"]["sliceGatewayServiceType"] == "LoadBalancer"


async def test_both_say_the_same(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b", "c")
    await workers["b"].beat("2026-01-01T00:00:01Z", cniSubnet=["10.77.4.0/24"])
    await stage.admin.create(r.NAMESPACES, {"metadata": {"name": stage.namespace_of("vault")}})
    clusters = ["a-b", "a"]
    await stage.admin.create(r.CLUSTERS, {"metadata": {"name": "a-b", "namespace": stage.home}, "spec": {}})
    await stage.make_slice("1st", *clusters, sliceSubnet="10.8.0.0/16", **joined(("till", "a")))
    bad = bad_objects(stage)
    async with checking(stage) as check:
        refusals = [await told(check, kind, obj) for kind, obj, _ in bad]
    reports: list[str] = []
    # Clusters come later: what is said about a slice names those that are registered.
    slices = [one for one in bad if one[0] == r.SLICECONFIGS]
    for group in (slices, bad[len(slices) :]):
        for kind, obj, _ in group:
            await stage.admin.create(kind, obj)
        reports += [await reported(stage, kind, obj) for kind, obj, _ in group]
    differing = [
        (objects.name(obj), refusal, report)
        for (_, obj, words), refusal, report in zip(bad, refusals, reports, strict=True)
        if report != refusal or words not in refusal
    ]
    for kind, obj, _ in bad[-2:]:
        await stage.admin.delete(kind, objects.name(obj), objects.namespace(obj))
    assert differing == []
