"""What a command says when it cannot do its work: one line, no traceback."""

import asyncio
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from kubeslice.cli import target
from kubeslice.cli.main import app
from kubeslice.kube.api import Api
from kubeslice.kube.errors import NotFound
from kubeslice.kube.waiting import NotReached


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_failure_of_one_of_several_waits_is_one_line(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def never(_: Api) -> None:
        raise NotReached("Deployment dns: all pods ready was not reached in 60 s")

    async def work(api: Api) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(never(api))

    with pytest.raises(typer.Exit):
        target.run_with_api(kubeconfig, None, work)
    assert capsys.readouterr().err == "error: Deployment dns: all pods ready was not reached in 60 s\n"


def test_a_missing_kubeconfig_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(_: Api) -> None:
        return

    with pytest.raises(typer.Exit):
        target.run_with_api(tmp_path / "nothing", None, work)
    assert "there is no kubeconfig at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("404 page not found\n", "this API server does not know KubeSlice: is it the hub's"),
        ('namespaces "a" not found', 'namespaces "a" not found; is this the hub cluster'),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    kubeconfig: Path, capsys: pytest.CaptureFixture[str], message: str, said: str
) -> None:
    async def work(_: Api) -> None:
        raise NotFound(404, "NotFound", message)

    with pytest.raises(typer.Exit):
        target.run_with_api(kubeconfig, None, work)
    error = capsys.readouterr().err
    assert error.startswith(f"error: {said}")
    assert error.count("\n") == 1


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A kubeconfig of three contexts and two clusters, of which the hub's is the current one."""
    servers = {"hub": "https://10.0.0.1:6443", "west": "https://10.0.0.2:6443"}
    contexts = {"hub": "hub", "hub-as-reader": "hub", "west": "west"}
    config = {
        "current-context": "hub",
        "contexts": [{"name": name, "context": {"cluster": at, "user": "u"}} for name, at in contexts.items()],
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = tmp_path / "several"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize(
    ("hub", "worker", "is_separate_file", "chosen"),
    [
        ("hub", "west", False, "west"),
        ("west", None, False, "hub"),  # the current one, which is not where the hub is here
        ("hub", None, False, ""),
        (None, None, False, ""),
        ("hub-as-reader", None, False, ""),
        ("hub", "hub", False, "hub"),  # one cluster that is both
        ("hub", None, True, "hub"),
    ],
)
def test_a_worker_gets_onto_the_hubs_cluster_only_when_that_is_named(
    several: Path,
    capsys: pytest.CaptureFixture[str],
    hub: str | None,
    worker: str | None,
    is_separate_file: bool,
    chosen: str,
) -> None:
    own, at = several if is_separate_file else None, target.target(several, hub)
    if chosen:
        assert target.worker_target(at, several, own, worker).context == chosen
        return
    with pytest.raises(typer.Exit):
        target.worker_target(at, several, own, worker)
    assert capsys.readouterr().err == (
        "error: context hub (https://10.0.0.1:6443) is the hub's own cluster: name the worker's with --worker-context "
        "or --worker-kubeconfig; if the hub's cluster itself is meant, with --worker-context hub\n"
    )


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_where_a_worker_is_installed_or_removed_is_said_before_it_is_done(several: Path, command: str) -> None:
    options = [command, "worker", "west", "-p", "demo", "--kubeconfig", str(several)]
    refused = CliRunner().invoke(app, options)
    assert (refused.exit_code, "is the hub's own cluster" in refused.stderr, refused.stdout) == (1, True, "")
    unknown = CliRunner().invoke(app, [*options, "--worker-context", "east"])
    assert (unknown.exit_code, "no entry 'east'" in unknown.stderr) == (1, True)


def test_a_kubeconfig_without_a_current_context_is_one_line(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = yaml.safe_load(several.read_text())
    several.write_text(yaml.safe_dump({**config, "current-context": ""}))
    with pytest.raises(typer.Exit):
        target.target(several, None)
    assert capsys.readouterr().err == "error: the kubeconfig has no current context: name one with --context\n"
