"""The API server that tests talk to: the embedded one as a process, or the one of KUBESLICE_TEST_KUBECONFIG."""

import base64
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import yaml

from tests import given

# Machines are noisy: how long an example takes says nothing about it.
hypothesis.settings.register_profile("noisy", deadline=None)
hypothesis.settings.load_profile("noisy")


# What these tests wait for takes real time on a real machine, which may have been elsewhere just then.
TIMED = ("kernel", "api", "lab")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests against real time a second try, which the summary of the run tells with what went wrong."""
    for item in items:
        if any(item.get_closest_marker(name) for name in TIMED):
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass(frozen=True)
class ApiServer:
    """An API server and how its administrator reaches it.

    `server_name` is the name to expect in its certificate. A server `is_given` when it was there before the tests: it
    has controllers of its own, and is not ours to restart.
    """

    url: str
    ca: Path
    token: str
    kubeconfig: Path
    server_name: str | None = None
    is_given: bool = False

    def tls(self) -> ssl.SSLContext:
        """Return the TLS context that trusts the server."""
        return ssl.create_default_context(cafile=str(self.ca))


@pytest.fixture(scope="session")
def given_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ApiServer]]:
    """The servers that the environment gives, at most two."""
    with ExitStack() as stack:
        paths = given.kubeconfigs()
        for path in paths:
            stack.enter_context(given.run_left_as_found(path))
        yield [_from_kubeconfig(path, tmp_path_factory.mktemp("given")) for path in paths]


@pytest.fixture(scope="session")
def api_server(given_servers: list[ApiServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server for the whole run: tests keep to namespaces and names of their own."""
    if given_servers:
        yield given_servers[0]
        return
    directory = tmp_path_factory.mktemp("apiserver")
    port = _free_port()
    process = start_api_server(directory, port)
    try:
        yield ApiServer(
            url=f"https://127.0.0.1:{port}",
            ca=directory / "ca.crt",
            token=(directory / "admin.token").read_text(),
            kubeconfig=directory / "admin.kubeconfig",
        )
    finally:
        process.terminate()
        process.wait(timeout=10)


def start_api_server(directory: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    """Start the embedded API server and wait until it answers."""
    command = [sys.executable, "-m", "kubeslice.lab.apiserver", "--data-dir", str(directory)]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen([*command, "--listen", f"127.0.0.1:{port}", *options], stderr=log)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process
    process.kill()
    process.wait()
    raise AssertionError((directory / "log").read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _from_kubeconfig(path: Path, directory: Path) -> ApiServer:
    config = yaml.safe_load(path.read_text())
    chosen = next(one["context"] for one in config["contexts"] if one["name"] == config["current-context"])
    cluster = next(one["cluster"] for one in config["clusters"] if one["name"] == chosen["cluster"])
    user = next(one["user"] for one in config["users"] if one["name"] == chosen["user"])
    ca = directory / "ca.crt"
    ca.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    return ApiServer(cluster["server"], ca, user["token"], path, cluster.get("tls-server-name"), is_given=True)
