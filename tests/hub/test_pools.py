"""Slices with dynamic addresses on the hub: parts are written down first, rest when released, and never move."""

from typing import Any

import pytest

from kubeslice.kube import finalizers, objects
from kubeslice.kube.errors import Invalid
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.runtime.metrics import render
from tests.hub.stage import Stage

pytestmark = pytest.mark.api


async def make(stage: Stage, *clusters: str, subnet: str = "10.8.0.0/23", **spec: Any) -> None:
    await stage.make_slice("red", *clusters, sliceSubnet=subnet, sliceIpamType="Dynamic", **spec)


async def parts(stage: Stage, **wanted: str) -> Any:
    """Wait until the SliceIpam says this of clusters, as "<subnet> <state>"; return it."""
    seen: Any = None

    async def holds() -> Any:
        nonlocal seen
        pool = await stage.admin.get(r.SLICEIPAMS, "red", stage.home)
        entries = objects.status(pool).get("allocatedSubnets") or []
        seen = {entry["clusterName"]: f"{entry['subnet']} {entry['status']}" for entry in entries}
        return pool if seen == wanted else None

    try:
        return await stage.until(holds)
    except AssertionError as error:
        raise AssertionError(f"{seen}, not {wanted}") from error


async def subnet_of(stage: Stage, cluster: str, subnet: str) -> None:
    async def has() -> bool:
        found = await stage.find(r.WORKERSLICECONFIGS, f"red-{cluster}", stage.namespace_of(cluster))
        return found is not None and found["spec"].get("clusterSubnetCIDR") == subnet

    await stage.until(has)


async def test_the_life_of_a_pool(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b", "c")
    await make(stage, "a", "b")
    await subnet_of(stage, "b", "10.8.1.0/24")
    await parts(stage, a="10.8.0.0/24 Allocated", b="10.8.1.0/24 Allocated")
    for cluster in "ab":
        await workers[cluster].publish("red", f"key-{cluster}")
    pool = await parts(stage, a="10.8.0.0/24 InUse", b="10.8.1.0/24 InUse")
    assert pool["spec"] == {"sliceName": "red", "sliceSubnet": "10.8.0.0/23", "subnetSize": 24}
    await stage.condition(r.SLICEIPAMS, "red", stage.home, "Ready", "False", "let sliceSubnet 10.8.0.0/23 grow")

    # The worker of b still cleans up: its part is not free, and rests when it is.
    config = await workers["b"].config("red")
    await finalizers.add(workers["b"].api, r.WORKERSLICECONFIGS, config, names.WORKER_SLICE_CONFIG_FINALIZER)
    await make(stage, "a")
    config = await stage.until(lambda: _leaving(stage, "b"))
    await parts(stage, a="10.8.0.0/24 InUse", b="10.8.1.0/24 InUse")
    await finalizers.remove(workers["b"].api, r.WORKERSLICECONFIGS, config, names.WORKER_SLICE_CONFIG_FINALIZER)
    await parts(stage, a="10.8.0.0/24 InUse", b="10.8.1.0/24 Released")
    await make(stage, "a", "c")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "False", "for one that a cluster left")
    text = render(stage.registry).decode()
    labels = f'{{slice="red",slice_project="{stage.project}"}}'
    for figure in ("total_subnets{} 2.0", "allocated_subnets{} 1.0", "available_subnets{} 0.0", "releases_total{} 1.0"):
        assert f"kubeslice_ipam_{figure.format(labels)}" in text

    # It grows at its end, without a restart of anything: c gets a new part, and b its own again when it comes back.
    with pytest.raises(Invalid, match="sliceSubnet cannot change"):
        await make(stage, "a", "c", subnet="10.8.2.0/23")
    await make(stage, "a", "c", subnet="10.8.0.0/22")
    await subnet_of(stage, "c", "10.8.2.0/24")
    await make(stage, "a", "b", "c", subnet="10.8.0.0/22")
    await subnet_of(stage, "b", "10.8.1.0/24")
    await parts(stage, a="10.8.0.0/24 InUse", b="10.8.1.0/24 Allocated", c="10.8.2.0/24 Allocated")
    config = await workers["a"].config("red")
    assert (config["spec"]["sliceSubnet"], config["spec"]["clusterSubnetCIDR"]) == ("10.8.0.0/22", "10.8.0.0/24")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Accepted", "True")

    # Who deletes the pool gets it again, as the clusters have their parts.
    await stage.admin.delete(r.SLICEIPAMS, "red", stage.home)
    await parts(stage, a="10.8.0.0/24 InUse", b="10.8.1.0/24 Allocated", c="10.8.2.0/24 Allocated")
    await stage.admin.delete(r.SLICECONFIGS, "red", stage.home)
    await stage.gone(r.SLICECONFIGS, "red", stage.home)
    await stage.gone(r.SLICEIPAMS, "red", stage.home)


async def _leaving(stage: Stage, cluster: str) -> Any:
    found = await stage.find(r.WORKERSLICECONFIGS, f"red-{cluster}", stage.namespace_of(cluster))
    return found if found and objects.is_deleting(found) else None


async def test_both_families_of_addresses_are_given_out(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b")
    await make(stage, "a", "b", sliceSubnetV6="fd12:3456:789a::/48", ipam={"clusterSubnetSize": 26})
    await subnet_of(stage, "b", "10.8.0.64/26")
    spec = (await workers["b"].config("red"))["spec"]
    assert (spec["sliceSubnetV6"], spec["clusterSubnetCIDRV6"]) == ("fd12:3456:789a::/48", "fd12:3456:789a:1::/64")
    slice_ = await stage.condition(r.SLICECONFIGS, "red", stage.home, "FullyEffective", "False", "sliceSubnetV6")
    assert [member["clusterSubnetV6"] for member in objects.status(slice_)["members"]] == [
        "fd12:3456:789a::/64",
        "fd12:3456:789a:1::/64",
    ]
