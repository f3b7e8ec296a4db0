"""Programs that we keep running: started again with back-off when they end, and never left behind when we end."""

import asyncio
import ctypes
import logging
import signal
from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
STEADY = 10.0  # seconds after which a program that ends counts as having worked
STOP_TIMEOUT = 1.5
_libc = ctypes.CDLL(None)


class Program:
    """One supervised program. `started` is called each time it runs, `is_running` says whether it does.

    `text` is what it reads from its standard input, and `heard` takes each line that it prints.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        started: Callable[[], None] = lambda: None,
        text: str = "",
        heard: Callable[[str], None] | None = None,
    ) -> None:
        self._command = tuple(command)
        self._text = text.encode()
        self._heard = heard or self._log
        self._environment = dict(environment) if environment is not None else None
        self._started = started
        self._process: asyncio.subprocess.Process | None = None
        self._is_wanted = True
        self.restarts = 0

    @property
    def is_running(self) -> bool:
        """Tell whether the program runs at this moment."""
        return self._process is not None and self._process.returncode is None

    async def run(self) -> None:
        """Keep the program running until stopped or cancelled."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while self._is_wanted:
            began = loop.time()
            await self._once()
            if not self._is_wanted:
                return
            pause = FIRST_PAUSE if loop.time() - began > STEADY else min(pause * 2, LONGEST_PAUSE)
            self.restarts += 1
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Stop the program for good."""
        self._is_wanted = False
        if self._process is not None:
            await self._stop(self._process)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _once(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE if self._text else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
            preexec_fn=_die_with_parent,
        )
        self._process = process
        self._started()
        try:
            if process.stdin is not None:
                process.stdin.write(self._text)
                process.stdin.close()
            await self._relay(process)
            log.warning("%s ended with status %s", self._command[0], await process.wait())
        finally:
            await self._stop(process)

    async def _relay(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._heard(line.decode(errors="replace").strip())

    def _log(self, line: str) -> None:
        log.info("%s: %s", self._command[0], line)

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _die_with_parent() -> None:
    """Ask the kernel, in the new process, to end it with the thread that started it (prctl(2))."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
