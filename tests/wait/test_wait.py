"""The init container's program, as a process in a network namespace of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.kernel

PROGRAM = [sys.executable, "-c", "import sys; from kubeslice.wait.main import main; sys.exit(main())"]


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"ks-wait-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


def start(namespace: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(["ip", "netns", "exec", namespace, *PROGRAM], stdout=subprocess.PIPE, text=True)


def run(namespace: str, *commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", "-n", namespace, *command.split()], check=True)


def test_it_ends_when_the_interface_is_up_and_has_an_address(namespace: str) -> None:
    process = start(namespace)
    run(namespace, "link add ks0 type veth peer name peer0")
    time.sleep(0.15)
    assert process.poll() is None, "a link that is down must not be enough"
    run(namespace, "link set peer0 up", "link set ks0 up")
    time.sleep(0.15)
    assert process.poll() is None, "a link without an address must not be enough"
    run(namespace, "address add 10.1.0.17/26 dev ks0")
    out, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert out.startswith("ks0 is up with 10.1.0.17 ")


def test_a_link_without_carrier_is_not_up(namespace: str) -> None:
    run(namespace, "link add ks0 type veth peer name peer0", "link set ks0 up", "address add 10.1.0.17/26 dev ks0")
    process = start(namespace)
    time.sleep(0.3)
    assert process.poll() is None
    run(namespace, "link set peer0 up")
    assert process.wait(timeout=5) == 0
    process.communicate()


def test_it_ends_at_once_when_told_to(namespace: str) -> None:
    process = start(namespace)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=2) == 143
    process.communicate()


def test_it_imports_nothing_slow() -> None:
    listing = "import sys, kubeslice.wait.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True).stdout.split()
    assert not {"asyncio", "pydantic", "logging", "typing", "re"} & (set(loaded) - _bare_modules())


def _bare_modules() -> set[str]:
    listing = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    return set(listing.stdout.split())
