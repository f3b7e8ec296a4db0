"""Projects and clusters: what users and workers get, and what they do not."""

import pytest
import typer

from kubeslice.cli import auth, finding, joining, views
from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden
from kubeslice.model import names
from kubeslice.model import resources as r
from tests.hub.stage import HEARTBEAT, Stage

pytestmark = pytest.mark.api


async def test_users_of_a_project_work_in_its_namespace_and_nowhere_else(stage: Stage) -> None:
    await stage.make_project(readOnly=["ann"], readWrite=["bob"])
    writer = await stage.credential("kubeslice-rbac-rw-bob", stage.home)
    reader = await stage.credential("kubeslice-rbac-ro-ann", stage.home)
    profile = await reader.get(r.SLICEQOSCONFIGS, "default", stage.home)
    assert profile["spec"]["bandwidthCeilingKbps"] == 10_000_000
    cluster = {"metadata": {"name": "west", "namespace": stage.home}, "spec": {}}
    with pytest.raises(Forbidden):
        await reader.create(r.CLUSTERS, cluster)
    with pytest.raises(Forbidden):
        await reader.list(r.SECRETS, stage.home)
    await writer.create(r.CLUSTERS, cluster)
    await stage.until(lambda: writer.get(r.SECRETS, names.worker_account("west"), stage.home))
    with pytest.raises(Forbidden):
        await writer.list(r.PROJECTS, names.HUB_NAMESPACE)
    await stage.until(lambda: reader.list(r.WORKERSLICECONFIGS, stage.namespace_of("west")))


async def test_users_that_leave_lose_their_account_and_labels_of_users_stay(stage: Stage) -> None:
    await stage.make_project(readOnly=["ann", "eve"])
    await stage.admin.patch(r.NAMESPACES, stage.home, None, {"metadata": {"labels": {"cost-centre": "7"}}})
    await stage.make_project(readOnly=["ann"])
    await stage.gone(r.SERVICEACCOUNTS, "kubeslice-rbac-ro-eve", stage.home)
    await stage.gone(r.ROLEBINDINGS, "kubeslice-rbac-ro-eve", stage.home)
    assert await stage.find(r.SERVICEACCOUNTS, "kubeslice-rbac-ro-ann", stage.home)
    labels = objects.labels(await stage.admin.get(r.NAMESPACES, stage.home))
    assert (labels["cost-centre"], labels[names.PROJECT_LABEL]) == ("7", stage.project)
    events = (await stage.admin.list(r.EVENTS, names.HUB_NAMESPACE)).items
    told = {event["reason"] for event in events if event["involvedObject"]["name"] == stage.project}
    made = {"NamespaceCreated", "DefaultSliceQoSConfigCreated", "ServiceAccountCreated"}
    assert told >= made | {"InactiveServiceAccountDeleted"}


async def test_a_worker_sees_its_own_cluster_and_no_secret_of_others(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west", "east")
    worker = workers["west"].api
    assert objects.name(await worker.get(r.CLUSTERS, "west", stage.home)) == "west"
    listed = await worker.list(r.CLUSTERS, stage.home, fields="metadata.name=west")
    assert [objects.name(obj) for obj in listed.items] == ["west"]
    own, other = stage.namespace_of("west"), stage.namespace_of("east")
    assert (await worker.list(r.WORKERSLICECONFIGS, own)).items == []
    assert (await worker.list(r.SECRETS, own)).items == []
    for forbidden in (
        worker.get(r.CLUSTERS, "east", stage.home),
        worker.list(r.CLUSTERS, stage.home),
        worker.patch(r.CLUSTERS, "west", stage.home, {"spec": {"nodeIP": "192.0.2.1"}}),
        worker.list(r.WORKERSLICECONFIGS, other),
        worker.list(r.SERVICEEXPORTCONFIGS, other),
        worker.list(r.SECRETS, other),
        worker.list(r.SECRETS, stage.home),
        worker.list(r.SECRETS, names.HUB_NAMESPACE),
        worker.get(r.SECRETS, names.worker_account("west"), stage.home),
        worker.list(r.SLICECONFIGS, stage.home),
        worker.create(r.WORKERSLICECONFIGS, {"metadata": {"name": "red-west", "namespace": own}, "spec": {}}),
    ):
        with pytest.raises(Forbidden):
            await forbidden


async def test_a_namespace_of_somebody_else_is_neither_opened_nor_deleted_for_a_cluster(stage: Stage) -> None:
    await stage.make_project(readWrite=["bob"])
    vault = stage.namespace_of("vault")
    await stage.admin.create(r.NAMESPACES, {"metadata": {"name": vault}})
    bob = await stage.credential("kubeslice-rbac-rw-bob", stage.home)
    await bob.create(r.CLUSTERS, {"metadata": {"name": "vault", "namespace": stage.home}, "spec": {}})
    await stage.condition(r.CLUSTERS, "vault", stage.home, "Ready", "False", f"{vault}, which belongs to somebody else")
    assert (await stage.admin.list(r.ROLEBINDINGS, vault)).items == []
    assert await stage.find(r.SERVICEACCOUNTS, names.worker_account("vault"), stage.home) is None
    await bob.delete(r.CLUSTERS, "vault", stage.home)
    await stage.gone(r.CLUSTERS, "vault", stage.home)
    assert not objects.is_deleting(await stage.admin.get(r.NAMESPACES, vault))

    await stage.register("west")
    west = stage.namespace_of("west")
    await stage.admin.patch(r.NAMESPACES, west, None, {"metadata": {"labels": {names.CLUSTER_LABEL: None}}})
    await stage.admin.patch(r.NAMESPACES, west, None, {"metadata": {"labels": {names.PROJECT_LABEL: None}}})

    async def is_marked_again() -> bool:
        return names.PROJECT_LABEL in objects.labels(await stage.admin.get(r.NAMESPACES, west))

    await stage.until(is_marked_again)


async def test_the_credential_says_where_to_go_with_it(stage: Stage) -> None:
    await stage.make_project()
    await stage.register("west")
    secret = await stage.admin.get(r.SECRETS, names.worker_account("west"), stage.home)
    assert secret["data"].keys() >= {"token", "ca.crt", "controllerEndpoint", "clusterName", "clusterNamespace"}
    cluster = await stage.admin.get(r.CLUSTERS, "west", stage.home)
    assert objects.status(cluster)["secretName"] == objects.name(secret)
    assert objects.status(cluster)["nodeIPs"] == ["198.51.100.7"], "the worker's part of the status must stay"


async def test_a_credential_that_was_deleted_is_made_anew(stage: Stage) -> None:
    await stage.make_project()
    await stage.register("west")
    account = names.worker_account("west")
    before = objects.uid(await stage.admin.get(r.SECRETS, account, stage.home))
    await stage.admin.delete(r.SECRETS, account, stage.home)

    async def renewed() -> bool:
        found = await stage.find(r.SECRETS, account, stage.home)
        return found is not None and objects.uid(found) != before and "token" in found["data"]

    await stage.until(renewed)


async def test_a_namespace_of_another_tenant_is_not_taken(stage: Stage) -> None:
    await stage.make_project()
    await stage.register("west")
    intruder = {"metadata": {"name": f"{stage.project}-west", "namespace": names.HUB_NAMESPACE}, "spec": {}}
    await stage.admin.apply(r.PROJECTS, intruder, manager="user")
    name = f"{stage.project}-west"
    obj = await stage.condition(r.PROJECTS, name, names.HUB_NAMESPACE, "Ready", "False", "which belongs to cluster")
    assert not objects.finalizers(obj)
    labels = objects.labels(await stage.admin.get(r.NAMESPACES, stage.namespace_of("west")))
    assert labels[names.PROJECT_LABEL] == stage.project
    await stage.admin.delete(r.PROJECTS, name, names.HUB_NAMESPACE)


async def test_what_got_in_past_the_checks_says_what_is_wrong_with_it(stage: Stage) -> None:
    await stage.make_project()
    spec = {"nodeIPs": ["not-an-address"], "enableAutoEviction": True}
    cluster = {"metadata": {"name": "west", "namespace": stage.home}, "spec": spec}
    await stage.admin.apply(r.CLUSTERS, cluster, manager="user")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Ready", "False", "not-an-address")
    await stage.admin.apply(r.CLUSTERS, {**cluster, "spec": {"enableAutoEviction": True}}, manager="user")
    await stage.condition(r.CLUSTERS, "west", stage.home, "FullyEffective", "False", "enableAutoEviction")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Ready", "False", "west has to join with")


async def test_a_worker_that_falls_silent_is_told_of_and_nothing_is_torn_down(stage: Stage) -> None:
    await stage.stop_hub()
    stage.silence = 1.0
    await stage.start_hub()
    await stage.make_project()
    workers = await stage.register("west")
    await stage.make_slice("red", "west")
    await workers["west"].publish("red", "k")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Reachable", "False", "Silent")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "not been heard of")
    config = await stage.admin.get(r.WORKERSLICECONFIGS, "red-west", stage.namespace_of("west"))
    assert not objects.is_deleting(config)
    await workers["west"].beat("2026-01-01T00:01:00Z")
    await stage.condition(r.CLUSTERS, "west", stage.home, "Reachable", "True")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "True")


async def test_a_cluster_in_a_slice_waits_and_then_goes_with_everything(stage: Stage) -> None:
    await stage.make_project()
    workers = await stage.register("west", "east")
    await stage.make_slice("red", "west", "east")
    await stage.until(lambda: stage.find(r.WORKERSLICECONFIGS, "red-west", stage.namespace_of("west")))
    await stage.admin.delete(r.CLUSTERS, "west", stage.home)
    await stage.condition(r.CLUSTERS, "west", stage.home, "Ready", "False", "out of spec.clusters of red")
    assert await stage.find(r.SECRETS, names.worker_account("west"), stage.home)
    await stage.make_slice("red", "east")
    await workers["west"].beat(HEARTBEAT, registrationStatus="Deregistered")
    await stage.gone(r.CLUSTERS, "west", stage.home)
    await stage.gone(r.NAMESPACES, stage.namespace_of("west"))
    await stage.gone(r.SECRETS, names.worker_account("west"), stage.home)
    assert await stage.find(r.NAMESPACES, stage.namespace_of("east"))


async def test_a_project_whose_namespace_somebody_deletes_begins_anew(stage: Stage) -> None:
    await stage.make_project(readWrite=["ann"])
    workers = await stage.register("west", "east")
    await stage.make_slice("red", "west", "east")
    config = await workers["west"].config("red")
    held = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await workers["west"].api.patch(r.WORKERSLICECONFIGS, "red-west", objects.namespace(config), held)
    before = await stage.admin.get(r.NAMESPACES, stage.home)
    await stage.admin.delete(r.NAMESPACES, stage.home)
    await stage.condition(r.PROJECTS, stage.project, names.HUB_NAMESPACE, "Ready", "False", "is being deleted with all")
    await stage.gone(r.NAMESPACES, stage.namespace_of("west"), seconds=20)

    async def is_new() -> bool:
        return bool(objects.uid(await stage.admin.get(r.NAMESPACES, stage.home)) != objects.uid(before))

    await stage.until(is_new, 20)
    await stage.condition(r.PROJECTS, stage.project, names.HUB_NAMESPACE, "Ready", "True")
    assert await stage.find(r.SLICECONFIGS, "red", stage.home) is None
    await stage.register("west")


async def test_a_project_goes_with_all_it_holds(stage: Stage) -> None:
    await stage.make_project(readOnly=["ann"])
    workers = await stage.register("west", "east")
    await stage.make_slice("red", "west", "east")
    held = await workers["west"].config("red")
    finalizers = {"metadata": {"finalizers": [names.WORKER_SLICE_CONFIG_FINALIZER]}}
    await workers["west"].api.patch(r.WORKERSLICECONFIGS, "red-west", objects.namespace(held), finalizers)
    await stage.admin.delete(r.PROJECTS, stage.project, names.HUB_NAMESPACE)
    await stage.condition(r.PROJECTS, stage.project, names.HUB_NAMESPACE, "Ready", "False", "SliceConfig red")
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "Ready", "False", "workers of west to clean up")
    assert await stage.find(r.CLUSTERS, "east", stage.home)
    freed: dict[str, object] = {"metadata": {"finalizers": None}}
    await workers["west"].api.patch(r.WORKERSLICECONFIGS, "red-west", objects.namespace(held), freed)
    for worker in workers.values():
        await worker.beat(HEARTBEAT, registrationStatus="Deregistered")
    await stage.gone(r.PROJECTS, stage.project, names.HUB_NAMESPACE, seconds=20)
    for namespace in (stage.home, stage.namespace_of("west"), stage.namespace_of("east")):
        await stage.gone(r.NAMESPACES, namespace)


async def test_commands_say_what_to_ask_instead(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    await stage.make_project(readWrite=["bob"])
    bob = await stage.credential("kubeslice-rbac-rw-bob", stage.home)
    for asked, words in (
        (lambda: finding.find(bob, views.CLUSTERS, None, None), "name the project that you may look at with --project"),
        (lambda: finding.project_of(bob, "west"), "name the project that you may look at with --project"),
        (lambda: finding.find(stage.admin, views.CLUSTERS, None, "nope"), "there is no project 'nope'"),
        (lambda: joining.invite(stage.admin, "west", "nope", "30m"), "there is no project 'nope'"),
        (lambda: auth.namespaces(stage.admin, "nope"), "there is no project 'nope'"),
        (lambda: auth.resolve(bob, "ann", None, stage.project, []), "to ask about yourself leave ann out"),
    ):
        with pytest.raises(typer.Exit):
            await asked()
        assert words in capsys.readouterr().err
    assert await finding.find(bob, views.CLUSTERS, None, stage.project) == []
