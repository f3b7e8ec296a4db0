"""What the hub's API server keeps workers from by itself: no webhook runs here, and the hub is not asked either."""

import json
from typing import Any

import pytest

from kubeslice.kube.errors import Invalid
from kubeslice.kube.requests import JSON, Request, path
from kubeslice.kube.tokens import request_token
from kubeslice.manifests.hubbounds import HUBS_CONDITIONS
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.model.resources import Resource
from kubeslice.plan.tenants import joining
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS
from tests.hub.stage import HEARTBEAT, Object, Stage

pytestmark = pytest.mark.api

LONGEST = joining.longest_seconds(DEFAULT_SECONDS)
TEN_YEARS = 315_360_000


async def refusal(stage: Stage, attempt: Any) -> str:
    """Return the words in which the server refuses it; given servers heed policies a moment after they were made."""

    async def refused() -> str:
        try:
            await attempt()
        except Invalid as error:
            return error.message
        return ""

    return str(await stage.until(refused))


async def test_a_worker_changes_of_the_hubs_objects_finalizers_and_status(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("a", "b")
    worker = workers["a"]
    await stage.make_slice("red", "a", "b")
    config = await worker.config("red")
    place = (r.WORKERSLICECONFIGS, config["metadata"]["name"], worker.namespace)

    async def change(wanted: Object) -> Object:
        return await worker.api.patch(*place, wanted)

    owner = {"apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "1"}
    for field, wanted in (
        ("spec", {"spec": {"gatewayReplicas": 4}}),
        ("metadata.labels", {"metadata": {"labels": {names.PROJECT_LABEL: "other"}}}),
        ("metadata.annotations", {"metadata": {"annotations": {"mine": "yes"}}}),
        ("metadata.ownerReferences", {"metadata": {"ownerReferences": [owner]}}),
    ):
        words = await refusal(stage, lambda wanted=wanted: change(wanted))
        assert f"{field}: a worker changes nothing of this object but its finalizers and its status" in words
    kept: list[str] = config["metadata"].get("finalizers") or []
    held = await change({"metadata": {"finalizers": [*kept, names.WORKER_SLICE_CONFIG_FINALIZER]}})
    assert names.WORKER_SLICE_CONFIG_FINALIZER in held["metadata"]["finalizers"]
    await change({"metadata": {"finalizers": kept}})
    for name, each in workers.items():
        await each.publish("red", name)
    pair = (r.WORKERSLICEGATEWAYS, names.slice_gateway("red", "a", "b"), worker.namespace)
    await stage.until(lambda: stage.find(*pair[:2], worker.namespace))
    labelled: Object = {"metadata": {"labels": {"mine": "yes"}}}
    assert "metadata.labels: a worker" in await refusal(stage, lambda: worker.api.patch(*pair, labelled))
    await stage.admin.patch(*place, {"metadata": {"labels": {"an-administrator": "may"}}})


async def test_a_worker_reports_on_its_cluster_and_does_not_speak_for_the_hub(stage: Stage) -> None:
    await stage.make_project()
    worker = (await stage.register("a"))["a"]

    async def claim(**status: Any) -> None:
        obj = {"metadata": {"name": "a", "namespace": stage.home}, "status": status}
        await worker.api.apply(r.CLUSTERS, obj, manager="thief", subresource="status")

    for field, value in (
        ("secretName", names.read_write_account("ann")),
        ("clusterNamespace", "kube-system"),
        ("credentialSeconds", TEN_YEARS),
        ("credentialRevision", "2026-01-01"),
    ):
        words = await refusal(stage, lambda field=field, value=value: claim(**{field: value}))
        assert f"status.{field}: only the hub says this" in words
    entry = {"status": "True", "reason": "Mine", "message": "", "lastTransitionTime": HEARTBEAT}
    for kind in HUBS_CONDITIONS:
        words = await refusal(stage, lambda kind=kind: claim(conditions=[{"type": kind, **entry}]))
        assert "status.conditions: only the hub says this" in words
    await worker.beat("2026-01-02T00:00:00Z", conditions=[{"type": "ComponentsHealthy", **entry}])
    said = (await stage.admin.get(r.CLUSTERS, "a", stage.home))["status"]
    assert (said["heartbeatTime"], said["clusterNamespace"]) == ("2026-01-02T00:00:00Z", worker.namespace)


async def test_a_worker_exports_from_its_own_cluster(stage: Stage) -> None:
    await stage.make_project()
    worker = (await stage.register("a", "b"))["a"]

    async def export(of: str, name: str) -> Object:
        spec = {"serviceName": "web", "serviceNamespace": "shop", "sourceCluster": of, "sliceName": "red"}
        return await worker.api.create(
            r.SERVICEEXPORTCONFIGS, {"metadata": {"name": name, "namespace": worker.namespace}, "spec": spec}
        )

    words = await refusal(stage, lambda: export("b", "foreign"))
    assert "spec.sourceCluster: b is not the cluster of this worker" in words
    await export("a", "own")
    place = (r.SERVICEEXPORTCONFIGS, "own", worker.namespace)
    words = await refusal(stage, lambda: worker.api.patch(*place, {"spec": {"sourceCluster": "b"}}))
    assert "spec.sourceCluster: b is not" in words
    await worker.api.patch(*place, {"spec": {"aliases": ["web.example"]}})
    await worker.api.delete(*place)


async def test_nobody_gets_a_token_for_a_worker_that_lives_for_years(stage: Stage) -> None:
    await stage.make_project(readWrite=["ann"])
    worker = (await stage.register("a"))["a"]
    ann = await stage.credential(names.read_write_account("ann"), stage.home)
    account = names.worker_account("a")
    for asker in (worker.api, ann, stage.admin):
        words = await refusal(stage, lambda asker=asker: request_token(asker, account, stage.home, TEN_YEARS))
        assert f"spec.expirationSeconds: {TEN_YEARS} is longer than the {LONGEST} s" in words
        assert await request_token(asker, account, stage.home, LONGEST)
    bare = Resource("", "v1", "TokenRequest", f"serviceaccounts/{account}/token")  # as kubectl asks: without metadata
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": bare.kind, "spec": {"expirationSeconds": TEN_YEARS}}
    request = Request("POST", path(bare, stage.home), json.dumps(asked).encode(), {"content-type": JSON})
    with pytest.raises(Invalid, match="is longer than"):
        await stage.admin.send(request)
    assert await request_token(stage.admin, names.read_write_account("ann"), stage.home, TEN_YEARS)
