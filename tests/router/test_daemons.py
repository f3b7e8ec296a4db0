"""BIRD under our supervision: configured, reconfigured, asked, killed, refused."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubeslice.linux import bird as control
from kubeslice.linux import netns
from kubeslice.linux.bird import Refused
from kubeslice.linux.files import NoRoom
from kubeslice.router.daemons import Bird
from tests.clusters import until
from tests.disks import a_disk, fill
from tests.kernel import Kernel

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("bird") is None, reason="needs bird2"),
]

EMPTY = "log stderr all;\nrouter id 192.0.2.1;\nprotocol device { }\n"
SESSION = """
protocol bgp peer_1_0 {
  local 127.0.0.1 as 64512;
  neighbor 192.0.2.9 as 64513;
  multihop;
  ipv4 { import all; export none; };
}
"""


@pytest.fixture
async def bird(tmp_path: Path, kernel: Kernel) -> AsyncIterator[Bird]:
    made = Bird(tmp_path)
    with netns.inside(kernel.namespace()):
        task = asyncio.create_task(made.run())
        yield made
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answers(bird: Bird) -> dict[str, bool]:
    for _ in range(100):
        try:
            return await control.sessions(bird.socket)
        except Refused:
            await asyncio.sleep(0.02)
    raise AssertionError("BIRD does not answer")


async def test_it_starts_with_the_first_configuration_and_takes_the_next(bird: Bird) -> None:
    assert not bird.program.is_running
    assert await bird.configure(EMPTY)
    assert await answers(bird) == {}
    assert not await bird.configure(EMPTY)
    assert await bird.configure(EMPTY + SESSION)
    assert await answers(bird) == {"peer_1_0": False}


async def test_it_comes_back_with_its_configuration(bird: Bird) -> None:
    await bird.configure(EMPTY + SESSION)
    await answers(bird)
    process = bird.program._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: bird.program.restarts == 1 and bird.program.is_running, 3)
    assert await answers(bird) == {"peer_1_0": False}


async def test_on_a_full_disk_it_goes_on_and_comes_back_with_what_it_had(kernel: Kernel) -> None:
    with a_disk() as disk, netns.inside(kernel.namespace()):
        bird = Bird(disk)
        task = asyncio.create_task(bird.run())
        await bird.configure(EMPTY + SESSION)
        await answers(bird)
        waste = fill(disk)
        with pytest.raises(NoRoom, match=r"bird.conf cannot be written .* make room"):
            await bird.configure(EMPTY)
        assert await answers(bird) == {"peer_1_0": False}
        process = bird.program._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: bird.program.restarts == 1 and bird.program.is_running, 3)
        assert await answers(bird) == {"peer_1_0": False}
        shutil.rmtree(waste)
        assert await bird.configure(EMPTY)
        assert await answers(bird) == {}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_bad_configuration_is_refused_in_its_own_words_and_the_old_one_stays(bird: Bird) -> None:
    await bird.configure(EMPTY + SESSION)
    await answers(bird)
    with pytest.raises(Refused, match="syntax error"):
        await bird.configure(EMPTY + "nonsense;\n")
    assert await answers(bird) == {"peer_1_0": False}
    assert await bird.configure(EMPTY)
    assert await answers(bird) == {}
