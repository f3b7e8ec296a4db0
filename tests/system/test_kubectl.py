"""An unmodified kubectl on the clusters: what a user types, and what is shown."""

import json

import pytest

from tests.system.world import World


async def said(world: World, cluster: str, *words: str) -> str:
    output = await world.kubectl(cluster, *words)
    assert output.status == 0, output.stderr.decode()
    return output.stdout.decode()


@pytest.mark.parametrize(
    ("cluster", "kind", "columns"),
    [
        ("hub", "projects", "NAME READY"),
        ("hub", "clusters.controller.kubeslice.io", "NAME READY REASON AGE"),
        ("hub", "sliceconfigs", "NAME CLUSTERS SUBNET TUNNELS READY REASON AGE"),
        ("hub", "workersliceconfigs", "NAME READY REASON AGE"),
        ("hub", "workerslicegateways", "NAME READY REASON AGE"),
        ("hub", "serviceexportconfigs", "NAME SERVICE SLICE CLUSTER READY AGE"),
        ("worker-1", "slices", "NAME SUBNET NAMESPACES READY REASON AGE"),
        ("worker-1", "slicegateways", "NAME SUBNET TUNNELS READY REASON AGE"),
        ("worker-1", "serviceimports", "NAME AGE"),
        ("worker-2", "serviceexports", "NAME AGE"),
    ],
)
async def test_get_names_the_state_and_the_reason(world: World, cluster: str, kind: str, columns: str) -> None:
    head, *rows = (await said(world, cluster, "get", kind, "-A")).splitlines()
    for column in columns.split():
        assert column in head.split(), head
    assert rows


async def test_explain_knows_our_kinds(world: World) -> None:
    text = await said(world, "hub", "explain", "sliceconfig.spec.sliceSubnet")
    assert "FIELD: sliceSubnet" in text
    assert "DESCRIPTION" in text


async def test_describe_shows_conditions_and_events(world: World) -> None:
    text = await said(world, "hub", "-n", "kubeslice-demo", "describe", "sliceconfig", "red")
    for part in ("Conditions:", "12 of 12 tunnels up", "Events:", "WorkerSliceConfigCreated"):
        assert part in text


async def test_wait_exec_and_logs(world: World) -> None:
    await said(world, "hub", "-n", "kubeslice-demo", "wait", "sliceconfig/red", "--for=condition=Ready")
    inside = ("-n", "shop", "exec", "deploy/client", "--", "curl", "-sS", f"http://{world.red.host}/from-kubectl")
    assert "hello from shop/web" in await said(world, "worker-1", *inside)
    assert "GET /from-kubectl" in await said(world, "worker-2", "-n", "shop", "logs", "deploy/web")


async def test_auth_can_i_knows_the_roles_of_a_worker(world: World) -> None:
    account = "--as=system:serviceaccount:kubeslice-demo:kubeslice-rbac-worker-worker-1"
    questions = {
        ("list", "workersliceconfigs", "kubeslice-demo-worker-1"): "yes",
        ("list", "workersliceconfigs", "kubeslice-demo-worker-2"): "no",
        ("get", "secrets", "kubeslice-demo"): "no",
        ("get", "secrets", "kubeslice-demo-worker-1"): "yes",
        ("get", "secrets", "kubeslice-demo-worker-2"): "no",
        ("create", "secrets", "kubeslice-demo-worker-1"): "no",
        ("create", "sliceconfigs", "kubeslice-demo"): "no",
    }
    for (verb, kind, namespace), answer in questions.items():
        output = await world.kubectl("hub", "-n", namespace, "auth", "can-i", verb, kind, account)
        assert output.stdout.decode().strip() == answer, (verb, kind, namespace)


async def test_apply_of_what_get_printed_changes_nothing(world: World) -> None:
    printed = await said(world, "hub", "-n", "kubeslice-demo", "get", "sliceconfig", "blue", "-o", "json")
    before = json.loads(printed)["metadata"]
    body = json.loads(printed)
    for key in ("resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"):
        body["metadata"].pop(key, None)
    output = await world.kubectl(
        "hub", "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body)
    )
    assert output.status == 0, output.stderr
    after = json.loads(await said(world, "hub", "-n", "kubeslice-demo", "get", "sliceconfig", "blue", "-o", "json"))
    assert after["metadata"]["generation"] == before["generation"]
