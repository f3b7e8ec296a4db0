"""`kubeslice plan` foretells what `kubeslice apply` then finds the hub to have done; both as their users run them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from kubeslice.cli import changes, worlds
from kubeslice.cli.main import app
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.plan.tenants.tenancy import default_qos
from tests.conftest import ApiServer
from tests.hub.stage import HEARTBEAT, Stage, Worker

pytestmark = pytest.mark.api

Changes = set[tuple[str, ...]]


class Cli:
    """The command line, with the files that it is given."""

    def __init__(self, kubeconfig: Path, folder: Path, home: str) -> None:
        self._kubeconfig = kubeconfig
        self._file = folder / "wishes.yaml"
        self._home = home

    async def run(self, command: str, *wishes: Any, output: str = "json", delete: bool = False) -> Any:
        for wish in wishes:
            wish["metadata"]["namespace"] = self._home
            wish["apiVersion"] = "controller.kubeslice.io/v1alpha1"
        await asyncio.to_thread(self._file.write_text, yaml.safe_dump_all(wishes))
        options = ["-f", str(self._file), "--kubeconfig", str(self._kubeconfig), "-o", output]
        options += ["--wait", "90"] if command == "apply" else ["--delete"] if delete else []
        return await asyncio.to_thread(CliRunner().invoke, app, [command, *options])

    async def agree(self, *wishes: Any) -> Changes:
        """Plan and apply; return the changes, of which both have to say the same."""
        planned = await self.run("plan", *wishes)
        assert planned.exit_code in (0, 2), planned.output
        applied = await self.run("apply", *wishes)
        assert applied.exit_code == 0, applied.output
        assert json.loads(applied.stdout) == json.loads(planned.output)
        assert planned.exit_code == (2 if json.loads(planned.output) else 0)
        return {tuple(str(value) for value in change.values()) for change in json.loads(planned.output)}

    async def delete_slice(self, name: str) -> None:
        options = ["--kubeconfig", str(self._kubeconfig), "--project", names.project_of(self._home)]
        deleted = await asyncio.to_thread(CliRunner().invoke, app, ["slice", "delete", name, *options])
        assert deleted.exit_code == 0, deleted.output


def slice_config(name: str, *clusters: str, **spec: Any) -> Any:
    wanted = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
    return {"kind": "SliceConfig", "metadata": {"name": name}, "spec": wanted}


def cluster(name: str, **spec: Any) -> Any:
    return {"kind": "Cluster", "metadata": {"name": name}, "spec": spec}


def quota(name: str, **limits: Any) -> Any:
    return {"kind": "SliceResourceQuota", "metadata": {"name": name}, "spec": {"sliceQuota": limits}}


def joined(*found: str) -> Any:
    return {
        "namespaceIsolationProfile": {"applicationNamespaces": [{"namespace": n, "clusters": ["*"]} for n in found]}
    }


async def publish_for_ever(workers: dict[str, Worker], name: str) -> None:
    """Play the workers: whoever is on the slice says which keys its gateways have, and that it has a pod."""
    pod = {"podName": "web", "podNamespace": "shop", "nsmIp": "10.1.0.9"}
    told: set[str] = set()
    while True:
        for number, worker in enumerate(workers.values()):
            found = await worker.stage.find(r.WORKERSLICECONFIGS, f"{name}-{worker.cluster}", worker.namespace)
            if found is None:
                told.discard(worker.cluster)
            elif worker.cluster not in told:
                told.add(worker.cluster)
                await worker.publish(name, f"key-{worker.cluster}", 30000 + 10 * number)
                await worker.stage.admin.patch(
                    r.WORKERSLICECONFIGS,
                    f"{name}-{worker.cluster}",
                    worker.namespace,
                    {"status": {"connectedAppPods": [pod]}},
                    subresource="status",
                )
        await asyncio.sleep(0.05)


@pytest.fixture
async def cli(stage: Stage, api_server: ApiServer, tmp_path: Path) -> Cli:
    await stage.make_project()
    return Cli(api_server.kubeconfig, tmp_path, stage.home)


async def test_plan_and_apply_say_the_same(stage: Stage, cli: Cli) -> None:
    workers = await stage.register("a", "b", "c")
    playing = asyncio.create_task(publish_for_ever(workers, "red"))
    red = slice_config("red", "a", "b", **joined("shop"))
    made = await cli.agree(red)
    assert ("a", "red", "member", "", "create", "10.1.0.0/18 of 10.1.0.0/16") in {change[:6] for change in made}
    assert {change[:5] for change in made if change[2] == "tunnels"} == {
        ("a", "red", "tunnels", "b", "create"),
        ("b", "red", "tunnels", "a", "create"),
    }
    assert await cli.agree(red) == set()
    spokes = {"topology": {"mode": "HubAndSpoke", "hubs": ["a"]}}
    grown = await cli.agree(slice_config("red", "a", "b", "c", **joined("shop", "bank"), **spokes))
    assert ("b", "red", "route", "10.1.128.0/18", "create", "through a") in grown
    gold = {**default_qos(stage.project), "kind": "SliceQoSConfig", "metadata": {"name": "gold"}}
    named = slice_config("red", "a", "b", "c", standardQosProfileName="gold")
    slowed = await cli.agree(gold, cluster("d"), named)
    assert ("d", "", "registration", "", "create", f"namespace {stage.namespace_of('d')}") in slowed
    gold["spec"]["bandwidthCeilingKbps"] = 2_000_000
    assert {change[:5] for change in await cli.agree(gold)} == {
        (name, "red", "policy", "bandwidth", "change") for name in "abc"
    }
    left = await cli.agree(slice_config("red", "a", "b", **joined("shop")))
    assert ("everything on the slice here, for 1 of its pods") in {change[-1] for change in left}
    evicted = await cli.agree(cluster("b", evicted=True))
    assert "every slice here, at once" in {change[-1] for change in evicted}
    del workers["b"]
    returned = await cli.run("apply", cluster("b", evicted=False))
    assert returned.exit_code == 1
    assert f"next: b has to join with `kubeslice cluster join-token b --project {stage.project}`" in returned.stderr
    assert "not done before that: 1 to create" in returned.stderr, "what a is told of b, which has no keys yet"
    playing.cancel()


async def test_a_plan_of_a_deletion_says_what_deleting_then_takes_away(stage: Stage, cli: Cli) -> None:
    workers = await stage.register("a", "b")
    playing = asyncio.create_task(publish_for_ever(workers, "red"))
    red, limits = slice_config("red", "a", "b", **joined("shop")), quota("red", pods=9)
    made = await cli.agree(red, limits)
    assert ("a", "red", "limits", "shop", "create", "pods 5") in made
    assert {change[:5] for change in await cli.agree(quota("red", pods=7))} == {
        ("a", "red", "limits", "shop", "change"),
        ("b", "red", "limits", "shop", "change"),
    }
    in_use = await cli.run("plan", cluster("b"), delete=True)
    assert (in_use.exit_code, json.loads(in_use.stdout)) == (1, [])
    assert "still in spec.clusters of slices red" in in_use.stderr

    planned = await cli.run("plan", cluster("b"), red, delete=True)
    assert planned.exit_code == 1, "as kubectl would be told; `kubeslice slice delete` takes the namespaces out first"
    assert "use `kubeslice slice delete`" in planned.stderr
    wanted = json.loads(planned.stdout)
    assert ("everything on the slice here, for 1 of its pods") in {change.get("interrupts") for change in wanted}
    before = await worlds.furnish(stage.admin, await worlds.gather(stage.admin, stage.project), ["red"])
    await cli.delete_slice("red")
    await stage.admin.delete(r.CLUSTERS, "b", stage.home)
    await workers["b"].beat(HEARTBEAT, registrationStatus="Deregistered")
    await stage.gone(r.CLUSTERS, "b", stage.home)
    after = await worlds.furnish(stage.admin, await worlds.gather(stage.admin, stage.project), ["red"])
    assert [change.wire() for change in changes.outcome(before, after, ()).done] == wanted
    again = await cli.run("plan", cluster("b"), red, delete=True)
    assert (again.exit_code, json.loads(again.stdout)) == (0, [])
    playing.cancel()


async def test_what_the_hub_would_refuse_changes_nothing(stage: Stage, cli: Cli) -> None:
    await stage.register("a")
    for command, wish, words in (
        ("apply", slice_config("red", "a", "nowhere"), "there is no Cluster nowhere"),
        ("plan", slice_config("red", "a", sliceSubnet="8.8.0.0/16"), "sliceSubnet"),
        ("plan", cluster("b", nodeIPs=["ten"]), "'ten' is not an IP address"),
        ("plan", slice_config("red", "a", cluster=["a"]), 'unknown field "spec.cluster"'),
        ("apply", cluster("a", nodeIp="10.0.0.1"), 'unknown field "spec.nodeIp"'),
        ("plan", {"kind": "Project", "metadata": {"name": "x"}, "spec": {}}, "use kubectl for it"),
    ):
        refused = await cli.run(command, wish, output="table")
        assert refused.exit_code == 1
        assert words in refused.output
    assert (await stage.admin.list(r.SLICECONFIGS, stage.home)).items == []
    shown = await cli.run("plan", slice_config("red", "a", **joined("shop")), output="table")
    assert shown.exit_code == 2
    assert "no running traffic is interrupted" in shown.output
