"""BIRD's configuration: golden text, and BIRD's own opinion of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kubeslice.plan import bird
from kubeslice.plan.segment import Segment, parse

GOLDEN = Path(__file__).parent / "golden" / "bird.conf"


def segment(planes: int = 2) -> Segment:
    spec = {"vni": 4097, "mtu": 1420, "sliceSubnet": "10.1.0.0/16", "clusterSubnet": "10.1.16.0/20"}
    found = parse({"metadata": {"name": "red"}, "spec": {**spec, "gatewayReplicas": planes}}, "node-1")
    assert found is not None
    return found


def gateway(cluster: str, subnet: str, planes: int = 2) -> dict[str, object]:
    entries = [{"plane": number} for number in range(planes)]
    return {
        "metadata": {"name": cluster},
        "spec": {"remoteCluster": cluster, "remoteSubnet": subnet, "planes": entries},
    }


REMOTES = [gateway("east", "10.1.48.0/20"), gateway("west", "10.1.0.0/20", planes=4)]


def text(remotes: list[dict[str, object]] = REMOTES) -> str:
    return bird.configuration(segment(), bird.sessions(segment(), remotes, 0), 0)


def test_the_configuration_is_the_golden_one() -> None:
    assert text() == GOLDEN.read_text()


def test_the_order_of_gateways_does_not_matter() -> None:
    assert text(list(reversed(REMOTES))) == text()


def test_planes_beyond_ours_have_no_session() -> None:
    assert [(s.cluster, s.plane) for s in bird.sessions(segment(1), REMOTES, 0)] == [("west", 0), ("east", 0)]


def test_a_gateway_without_a_subnet_has_no_session() -> None:
    assert bird.sessions(segment(), [{"metadata": {"name": "new"}, "spec": {}}], 0) == []


@pytest.mark.kernel
@pytest.mark.skipif(shutil.which("bird") is None, reason="needs bird2")
@pytest.mark.parametrize("remotes", [[], REMOTES], ids=["alone", "two remotes"])
def test_bird_accepts_it(tmp_path: Path, remotes: list[dict[str, object]]) -> None:
    file = tmp_path / "bird.conf"
    file.write_text(text(remotes))
    subprocess.run(["bird", "-p", "-c", str(file)], check=True, timeout=10)
