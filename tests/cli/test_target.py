"""What a command says when it cannot do its work: one line, no traceback."""

import asyncio
from pathlib import Path

import pytest
import typer
import yaml

from kubeslice.cli import target
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
