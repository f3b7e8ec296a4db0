"""The command line on a running lab: what it prints, and how it ends."""

import json

import pytest
import yaml

from kubeslice.stage.places import Output
from tests.system.world import World


async def said(world: World, *words: str) -> str:
    """Return what a command that must succeed prints."""
    output: Output = await world.kubeslice(*words)
    assert output.status == 0, output.stderr.decode()
    return output.stdout.decode()


async def test_slices_in_tables_and_as_data(world: World) -> None:
    head, *rows = (await said(world, "slice", "get")).splitlines()
    assert {"PROJECT", "NAME", "CLUSTERS", "SUBNET", "TUNNELS", "STATE", "MESSAGE"} <= set(head.split())
    assert [row.split()[:2] for row in rows] == [["demo", "blue"], ["demo", "red"]], "one line for each slice"
    assert "worker-1,worker-2,worker-3" in rows[1]
    assert "3 of 3 clusters ready, 12 of 12 tunnels up" in rows[1]
    found = json.loads(await said(world, "slice", "get", "red", "-o", "json"))
    assert [one["metadata"]["name"] for one in found["items"]] == ["red"]
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(await said(world, "slice", "get", "-o", "yaml"))]


async def test_a_slice_described(world: World) -> None:
    text = await said(world, "slice", "describe", "red")
    for part in ("sliceSubnet", "10.11.128.0/18", "Conditions", "FullyEffective", "Events", "Connected"):
        assert part in text


async def test_the_status_of_a_slice_cluster_by_cluster(world: World) -> None:
    text = await said(world, "slice", "status", "blue")
    assert text.startswith("slice blue: Ready")
    assert [line.split()[:3] for line in text.splitlines()[2:]] == [
        ["worker-1", "10.11.0.0/18", "2/2"],
        ["worker-2", "10.11.64.0/18", "2/2"],
    ]


async def test_clusters_and_projects(world: World) -> None:
    rows = (await said(world, "cluster", "get")).splitlines()[1:]
    assert [row.split()[1:3] for row in rows] == [[f"worker-{number}", "Registered"] for number in (1, 2, 3)]
    assert "172.31.1.11,172.31.1.12" in rows[0]
    assert "demo" in await said(world, "project", "get")
    assert "ComponentsHealthy" in await said(world, "cluster", "describe", "worker-1")


async def test_unknown_names_are_answered_with_a_way_to_the_known(world: World) -> None:
    for verb, hint in (("get", b"known: blue, red"), ("describe", b"known: blue, red"), ("status", b"slice get")):
        output = await world.kubeslice("slice", verb, "rde")
        assert output.status == 1
        assert hint in output.stderr
        assert b"Traceback" not in output.stderr


async def test_the_lab_told_and_entered(world: World) -> None:
    text = await said(world, "lab", "status")
    for part in ("2 of 2", "worker-3/apiserver", "RESTARTS"):
        assert part in text
    assert "{" not in text, "people read this"
    state = json.loads(await said(world, "lab", "status", "--json"))
    assert {cluster["name"] for cluster in state["clusters"]} == {"hub", *world.stage.workers}
    addresses = await said(world, "lab", "exec", "worker-1-node-2", "--", "ip", "-4", "-br", "addr", "show", "eth0")
    assert "172.31.1.12" in addresses
    client = await world.place(world.red, "worker-3")
    page = await said(world, "lab", "exec", client.target, "--", "curl", "-sS", f"http://{world.red.host}/")
    assert page.startswith("hello from shop/web")
    assert "serving" in await said(world, "lab", "logs", "worker-1/apiserver")
    assert (await world.kubeslice("lab", "exec", "nowhere", "--", "true")).status == 1
    assert (await world.kubeslice("lab", "exec", "wan", "--", "false")).status == 1


async def test_cut_and_heal(world: World) -> None:
    ping = ("lab", "exec", "worker-2-node-1", "--", "ping", "-c", "1", "-W", "1", "172.31.3.11")
    assert "undo with: kubeslice lab heal worker-2 worker-3" in await said(world, "lab", "cut", "worker-2", "worker-3")
    try:
        assert (await world.kubeslice(*ping)).status != 0
        assert "worker-2" in await said(world, "lab", "status")
    finally:
        async with world.converging("a link cut and healed by the command line"):
            await said(world, "lab", "heal", "worker-2", "worker-3")
    await said(world, *ping)


@pytest.mark.parametrize(
    ("part", "cluster", "settings", "wanted"),
    [
        ("hub", "hub", ("endpoint=https://192.0.2.1:6443",), "kubeslice-hub"),
        ("worker", "worker-3", ("cluster=worker-3", "project=demo"), "kubeslice-agent"),
    ],
)
async def test_manifests_are_what_kubectl_takes(
    world: World, part: str, cluster: str, settings: tuple[str, ...], wanted: str
) -> None:
    missing = await world.kubeslice("manifests", part)
    assert missing.status == 1
    assert b"is missing: add --set" in missing.stderr
    text = await said(world, "manifests", part, *(word for value in settings for word in ("--set", value)))
    assert wanted in {one["metadata"]["name"] for one in yaml.safe_load_all(text)}
    again = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
    checked = await world.kubectl(cluster, *again, stdin=text)
    assert checked.status == 0, checked.stderr.decode()
