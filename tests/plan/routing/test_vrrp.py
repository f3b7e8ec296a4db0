"""keepalived's configuration: golden text, laws, and keepalived's own opinion of it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kubeslice.linux import netns
from kubeslice.plan.routing import vrrp
from tests.kernel import Kernel, kernel
from tests.plan.routing.test_bird import segment

__all__ = ["kernel"]
GOLDEN = Path(__file__).parents[1] / "golden" / "keepalived.conf"


def test_the_configuration_is_the_golden_one() -> None:
    assert vrrp.configuration(segment(), 0) == GOLDEN.read_text()


def test_each_router_is_first_for_one_next_hop_and_the_two_speak_with_each_other() -> None:
    texts = [vrrp.configuration(segment(), router) for router in (0, 1)]
    priorities = [list(map(int, re.findall(r"^  priority (\d+)", text, re.MULTILINE))) for text in texts]
    assert [hop.index(max(hop)) for hop in zip(*priorities, strict=True)] == [0, 1]
    own = [set(re.findall(r"unicast_src_ip (\S+)", text)) for text in texts]
    peers = [set(re.findall(r"unicast_peer {\s+(\S+)", text)) for text in texts]
    assert own == peers[::-1]
    assert [re.findall(r"(\S+)/32 dev", text) for text in texts] == [["10.1.16.1", "10.1.16.2"]] * 2


@pytest.mark.kernel
@pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")
@pytest.mark.parametrize("router", [0, 1])
def test_keepalived_accepts_it(tmp_path: Path, kernel: Kernel, router: int) -> None:
    pod, other = kernel.namespace(), kernel.namespace()
    kernel.wire(pod, other, "ks0", ("10.1.16.4/20", "10.1.16.12/20"))
    file = tmp_path / "keepalived.conf"
    file.write_text(vrrp.configuration(segment(), router))
    with netns.inside(pod):
        done = subprocess.run(
            ["keepalived", "--config-test", "-f", str(file)], capture_output=True, timeout=10, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
