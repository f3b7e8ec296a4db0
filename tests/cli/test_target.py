"""What a command says when it cannot do its work: one line, no traceback."""

import asyncio
from pathlib import Path

import pytest
import typer
import yaml

from kubeslice.cli import target
from kubeslice.kube.api import Api
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
