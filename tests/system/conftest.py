"""One lab for the whole rung: brought up once, shared by all tests, and nothing of it may be left afterwards."""

import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from kubeslice.demo import inventory
from kubeslice.lab.layout import instance
from kubeslice.stage import places
from kubeslice.stage.stage import clusters
from tests.system.world import WORKERS, Figure, World, write_kubeconfig

FIGURES = pytest.StashKey[list[Figure]]()
ENDING = 5.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test of the rung run in the loop that the shared connections belong to."""
    own = [item for item in items if "tests/system" in item.path.as_posix()]
    for item in own:
        item.add_marker(pytest.mark.lab)
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the figures where the summary finds them."""
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how long things took to come right."""
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.section("convergence")
    for figure in figures:
        terminalreporter.write_line(f"{figure.seconds:6.2f} s  {figure.what:55} {figure.note}".rstrip())


@pytest.fixture(scope="session")
def lab_name() -> Iterator[str]:
    """Name the lab, so that it does not meet one that somebody plays with."""
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    if shutil.which("kubectl") is None:
        pytest.skip("the system rung uses kubectl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBESLICE_LAB", os.environ.get("KUBESLICE_LAB") or f"system{os.getpid()}")
        yield places.lab()


@pytest.fixture(scope="session")
def nothing_left(lab_name: str) -> Iterator[None]:
    """Fail when the machine holds anything after the last test that it did not hold before the first."""
    before = inventory.of_machine()
    yield
    deadline = time.monotonic() + ENDING
    while (left := _of_ours(inventory.of_machine() - before, lab_name)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def _of_ours(left: set[str], lab_name: str) -> list[str]:
    """Leave out processes and cgroups of other labs, which may come and go meanwhile."""
    others = ("process", "cgroup")
    return sorted(item for item in left if not item.startswith(others) or instance(lab_name) in item)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(
    nothing_left: None, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[World]:
    """The shared world, connected."""
    started = time.monotonic()
    async with clusters(WORKERS) as stage:
        await stage.install()
        path = tmp_path_factory.mktemp("system") / "kubeconfig"
        write_kubeconfig(path)
        found = World(stage, path, pytestconfig.stash[FIGURES])
        await found.connect()
        found.figures.append(Figure("from nothing to two slices that answer", time.monotonic() - started))
        yield found
