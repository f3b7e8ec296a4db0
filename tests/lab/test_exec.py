"""Commands in containers, as the API server asks the kubelet for them; and who may not ask."""

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from kubeslice.lab.topology import KUBELET_PORT
from tests.lab.cluster import CLUSTER, Cluster

pytestmark = pytest.mark.lab

CLIENT = Path(__file__).with_name("exec_client.py")
STDOUT, STDERR, STATUS = "1", "2", "3"


async def execute(cluster: Cluster, pod: str, script: str, options: str, *text: str, token: str = "") -> dict[str, str]:
    host = (await cluster.ready(pod))["status"]["hostIP"]
    query = "&".join(f"command={quote(part)}" for part in ("sh", "-c", script))
    url = f"http://{host}:{KUBELET_PORT}/exec/default/{pod}/main?{query}&stdout=true&stderr=true&{options}"
    token = token or cluster.run("wan", "cat", f"/run/lab/clusters/{CLUSTER}/kubelet.token")
    answer = await asyncio.to_thread(cluster.run, "wan", sys.executable, str(CLIENT), url, token, *text)
    return dict(json.loads(answer))


async def test_streams_and_exit_codes(cluster: Cluster) -> None:
    pod = await cluster.pod("sleep 100")
    answer = await execute(cluster, pod, "cat; echo no >&2; exit 4", "stdin=true", "some\ntext\n")
    assert (answer[STDOUT], answer[STDERR]) == ("some\ntext\n", "no\n")
    status = json.loads(answer[STATUS])
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "4"}]
    answer = await execute(cluster, pod, "echo $HOSTNAME $$; tty", "")
    assert answer[STDOUT].split()[0] == pod
    assert json.loads(answer[STATUS])["details"]["causes"][0]["message"] == "1"


async def test_a_terminal(cluster: Cluster) -> None:
    pod = await cluster.pod("sleep 100")
    answer = await execute(cluster, pod, "stty -echo; tty; read line; echo got $line", "stdin=true&tty=true", "word\n")
    assert "/dev/pts/0" in answer[STDOUT]
    assert "got word" in answer[STDOUT]
    assert json.loads(answer[STATUS])["status"] == "Success"


async def test_large_output_is_whole(cluster: Cluster) -> None:
    pod = await cluster.pod("sleep 100")
    answer = await execute(cluster, pod, "head -c 3000000 /dev/zero | tr '\\0' x", "")
    assert len(answer[STDOUT]) == 3_000_000


async def test_only_the_api_server_may_ask(cluster: Cluster) -> None:
    pod = await cluster.pod("sleep 100")
    with pytest.raises(AssertionError, match="401"):
        await execute(cluster, pod, "true", "", token="guess")
