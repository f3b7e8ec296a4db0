"""A steady flow of numbered UDP packets between two pods, both ways at once, and which of them were lost."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kubeslice.linux.netns import Namespace
from tests.kernel import Kernel

METER = Path(__file__).with_name("meter.py")


@dataclass
class Flow:
    """Two running ends."""

    processes: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
    files: tuple[Path, Path]

    @classmethod
    def between(
        cls,
        kernel: Kernel,
        ends: tuple[Namespace, Namespace],
        addresses: tuple[str, str],
        at: Path,
        port: int = 9000,
    ) -> "Flow":
        """Start both ends; each sends to the other's address."""
        files = (at / f"{port}-0", at / f"{port}-1")
        one, other = (
            kernel.process(
                ends[number], sys.executable, str(METER), addresses[1 - number], str(port), str(files[number])
            )
            for number in (0, 1)
        )
        return cls((one, other), files)

    def end(self) -> tuple[list[int], list[int]]:
        """Stop both ends; return the numbers of the packets that were lost on the way to each."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(10)
        told = [json.loads(file.read_text()) for file in self.files]
        assert all(one["sent"] > 100 for one in told), "the flow was steady"
        return _lost(told[1]["sent"], told[0]["received"]), _lost(told[0]["sent"], told[1]["received"])


def _lost(sent: int, received: list[int]) -> list[int]:
    """Return what did not arrive after the first that did: before, the other end was not there yet."""
    return sorted(set(range(min(received), sent)) - set(received))
