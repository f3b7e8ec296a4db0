"""Two meters at the ends of a real link: they see nothing while it works, and how long it did not."""

import subprocess
import sys
import time

import pytest

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.stage import sightings
from kubeslice.stage.sightings import Sight
from tests.kernel import Kernel

pytestmark = pytest.mark.kernel
ADDRESSES = "10.99.0.1", "10.99.0.2"
OUTAGE = 0.4


class Meters:
    """The meters of a test, and what they told so far."""

    def __init__(self, kernel: Kernel) -> None:
        self.ends = kernel.namespace(), kernel.namespace()
        kernel.wire(*self.ends, "w", (f"{ADDRESSES[0]}/24", f"{ADDRESSES[1]}/24"))
        self.processes = [self._start(end, peer) for end, peer in zip(self.ends, reversed(ADDRESSES), strict=True)]
        kernel.processes.extend(self.processes)

    @staticmethod
    def _start(end: Namespace, peer: str) -> subprocess.Popen[bytes]:
        with netns.inside(end):
            command = [sys.executable, "-m", "kubeslice.stage.meter", peer, "7000", "2", "1", "filling"]
            return subprocess.Popen(command, stdout=subprocess.PIPE)

    def seen(self, since: float) -> Sight:
        """End the meters and return what they saw."""
        for process in self.processes:
            process.terminate()
        told = [
            sightings.read(str(number), line)
            for number, process in enumerate(self.processes)
            for line in process.communicate(timeout=5)[0].splitlines(keepends=True)
            if line.endswith(b"\n")
        ]
        return sightings.sum_up(told, since)


def test_a_path_that_works_has_no_gap(kernel: Kernel) -> None:
    meters = Meters(kernel)
    time.sleep(0.7)
    started = time.monotonic()
    time.sleep(0.8)
    seen = meters.seen(started)
    assert seen.packets > 500
    assert (seen.lost, seen.died) == (0, ())
    assert seen.gap < 0.2


def test_an_outage_is_seen_for_as_long_as_it_lasts_and_kills_no_flow(kernel: Kernel) -> None:
    meters = Meters(kernel)
    time.sleep(0.7)
    started = time.monotonic()
    kernel.ip(meters.ends[0], "link set w down")
    time.sleep(OUTAGE)
    kernel.ip(meters.ends[0], "link set w up")
    time.sleep(1.0)
    seen = meters.seen(started)
    assert OUTAGE <= seen.datagram_gap < OUTAGE + 0.3
    assert seen.gap >= seen.datagram_gap
    assert seen.lost > 50
    assert seen.died == ()


def test_a_connection_that_is_reset_is_a_flow_that_died(kernel: Kernel) -> None:
    meters = Meters(kernel)
    time.sleep(0.7)
    started = time.monotonic()
    with netns.inside(meters.ends[0]):
        subprocess.run(["ss", "-K", "dport", "=", "7000"], check=True, capture_output=True)
    time.sleep(0.8)
    assert any(name.startswith("tcp-small") for name in meters.seen(started).died)
