"""A component that is asked to end while it is being loaded ends, also as the first process of a container."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

LOADING = """
import sys, time
import kubeslice.__main__ as program

def load(name):
    print("loading", flush=True)
    time.sleep(60)

program.import_module = load
sys.argv = ["kubeslice", "run", "gateway"]
sys.exit(program.main())
"""


@pytest.mark.kernel
async def test_the_first_process_of_a_container_ends_when_it_is_told_to_while_it_starts() -> None:
    process = await asyncio.create_subprocess_exec(
        "unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", LOADING, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 10) == b"loading\n"
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()  # noqa: ASYNC240
        os.kill(int(first), signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
