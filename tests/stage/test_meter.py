"""Two meters at the ends of a real link: they see nothing while it works, and how long it did not."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from kubeslice.linux import netns
from kubeslice.linux.netns import Namespace
from kubeslice.stage import sightings
from kubeslice.stage.sightings import Sight, Telling
from tests.kernel import Kernel

pytestmark = pytest.mark.kernel
ADDRESSES = "10.99.0.1", "10.99.0.2"
OUTAGE = 0.4
FLOWS = 6  # that arrive at each end: two small and one bulk, of datagrams and of streams


class Meters:
    """The meters of a test, and what they told so far."""

    def __init__(self, kernel: Kernel) -> None:
        self.told: list[Telling] = []
        self.ends = kernel.namespace(), kernel.namespace()
        kernel.wire(*self.ends, "w", (f"{ADDRESSES[0]}/24", f"{ADDRESSES[1]}/24"))
        for end, peer in zip(self.ends, reversed(ADDRESSES), strict=True):
            process = self._start(end, peer)
            kernel.processes.append(process)
            threading.Thread(target=self._listen, args=(peer, process), daemon=True).start()
        self._wait_until(lambda: {one.end for one in self.told if len(one.flows) == FLOWS} == set(ADDRESSES))

    @staticmethod
    def _start(end: Namespace, peer: str) -> subprocess.Popen[bytes]:
        with netns.inside(end):
            command = [sys.executable, "-m", "kubeslice.stage.meter", peer, "7000", "2", "1", "filling"]
            return subprocess.Popen(command, stdout=subprocess.PIPE)

    def _listen(self, end: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            self.told += (sightings.read(end, line) for line in lines if line.endswith(b"\n"))

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, self.told[-2:]
            time.sleep(0.05)

    def seen(self, since: float) -> Sight:
        """Return what the meters have seen since a time, after both told all of it."""
        now = time.monotonic()
        self._wait_until(lambda: {one.end for one in list(self.told) if one.time > now} == set(ADDRESSES))
        return sightings.sum_up(list(self.told), since)


def test_a_path_that_works_has_no_gap(kernel: Kernel) -> None:
    meters = Meters(kernel)
    started = time.monotonic()
    time.sleep(0.8)
    seen = meters.seen(started)
    assert seen.packets > 500
    assert (seen.lost, seen.died) == (0, ())
    assert seen.gap < OUTAGE


def test_an_outage_is_seen_for_as_long_as_it_lasts_and_kills_no_flow(kernel: Kernel) -> None:
    meters = Meters(kernel)
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
    started = time.monotonic()
    with netns.inside(meters.ends[0]):
        subprocess.run(["ss", "-K", "dport", "=", "7000"], check=True, capture_output=True)
    time.sleep(0.8)
    assert any(name.startswith("tcp-small") for name in meters.seen(started).died)
