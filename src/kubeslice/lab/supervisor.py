"""Keeps the lab's processes running: forks them, notices their ends, starts them again with back-off.

Synchronous on purpose: its process is the one everything else is forked from, and a fork of a running event loop or
of a process with threads is not a clean start. The parent's loop calls it; nothing here waits.
"""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kubeslice.lab.namespaces import name_process

log = logging.getLogger(__name__)

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
STEADY = 10.0
LARGEST_LOG = 8 << 20


@dataclass(frozen=True)
class Program:
    """A process to keep running: `main` is called in the fork, with only the descriptors in `keeps` still open.

    `node` is the machine with which it dies.
    """

    name: str
    title: str
    main: Callable[[], int | None]
    log: Path
    keeps: tuple[int, ...] = ()
    node: str = ""


@dataclass
class Running:
    """What happened to a program so far; `due` is when it starts again, by the monotonic clock."""

    program: Program
    pid: int = 0
    restarts: int = 0
    started: float = 0.0
    due: float = 0.0
    delay: float = field(default=FIRST_DELAY)
    last_exit: str = ""


class Supervisor:
    """All supervised processes of one parent."""

    def __init__(self, programs: Iterable[Program]) -> None:
        self.processes = {program.name: Running(program) for program in programs}

    def add(self, programs: Iterable[Program]) -> None:
        """Keep more programs running from now on."""
        self.processes |= {program.name: Running(program) for program in programs}

    def kill(self, dies: Callable[[Program], bool]) -> None:
        """Kill programs and keep them running no longer."""
        for process in [process for process in self.processes.values() if dies(process.program)]:
            del self.processes[process.program.name]
            if process.pid:
                os.kill(process.pid, signal.SIGKILL)

    def start_due(self) -> float | None:
        """Start what is due and return the seconds until the next is, or None when all run."""
        now = time.monotonic()
        for process in self.processes.values():
            if not process.pid and process.due <= now:
                process.pid, process.started = _start(process.program), now
        waiting = [process.due - now for process in self.processes.values() if not process.pid]
        return max(0.0, min(waiting)) if waiting else None

    def reap(self) -> None:
        """Collect every ended child: those supervised are scheduled again, orphans are only buried."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for process in self.processes.values():
                if process.pid == pid:
                    _schedule(process, status)


def _schedule(process: Running, status: int) -> None:
    now = time.monotonic()
    process.delay = FIRST_DELAY if now - process.started > STEADY else min(process.delay * 2, LONGEST_DELAY)
    process.pid, process.due = 0, now + process.delay
    process.restarts += 1
    process.last_exit = describe_exit(status)
    log.warning("%s ended: %s; starting again in %.1f s", process.program.name, process.last_exit, process.delay)


def describe_exit(status: int) -> str:
    """Say how a process ended, from its wait status."""
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.WEXITSTATUS(status)}"


def _start(program: Program) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        become(program.name, program.title, program.log, program.keeps)
        code = program.main() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last frame of a process: anything goes to its log
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def become(name: str, title: str, log_file: Path, keeps: Iterable[int]) -> None:
    """Turn a fork into a process of its own: default signals, its own log, no descriptors of the parent's."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    open_log(log_file)
    close_others(keeps)
    name_process(name.rpartition("/")[2], title)
    # The interpreter's view of its standard streams stays; logging must not write through handlers of the parent.
    logging.basicConfig(level=logging.INFO, force=True, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def open_log(path: Path) -> None:
    """Append standard output and error to a file, which starts anew when it has become large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    too_large = path.exists() and path.stat().st_size > LARGEST_LOG
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if too_large else 0)
    descriptor = os.open(path, flags, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)


def close_others(keeps: Iterable[int]) -> None:
    """Close all descriptors but the standard ones and these."""
    start = 3
    for kept in sorted(keeps):
        os.closerange(start, kept)
        start = kept + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))
