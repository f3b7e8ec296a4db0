"""The small tools of `linux`, each tried on the kernel it is for."""

import asyncio
import os
import signal
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from kubeslice.linux import (
    capabilities,
    cgroups,
    changes,
    commands,
    devices,
    netns,
    observation,
    sysctl,
    waker,
    wireguard,
)
from kubeslice.linux.commands import CommandFailed
from kubeslice.linux.echo import Echo
from kubeslice.linux.process import Program
from kubeslice.linux.waker import Waker
from kubeslice.plan.datapath.network import Link, Put
from tests.clusters import until
from tests.kernel import Kernel

pytestmark = pytest.mark.kernel


def test_a_named_namespace_outlives_who_made_it_and_goes_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "names" / "one"
    with netns.create(path) as made:
        inode = made.inode
    assert netns.is_bound(path)
    with netns.open_path(path) as again:
        assert again.inode == inode
    netns.release(path)
    netns.release(path)
    assert not path.exists()


def test_a_bare_file_is_no_namespace(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    assert not netns.is_bound(tmp_path / "one")
    assert not netns.is_bound(tmp_path / "none")
    netns.create(tmp_path / "one").close()
    assert netns.is_bound(tmp_path / "one")
    netns.release(tmp_path / "one")


def test_a_thread_comes_home_also_after_a_failure(kernel: Kernel) -> None:
    with netns.current() as home:
        with pytest.raises(CommandFailed, match="ip nonsense: "), netns.inside(kernel.namespace()):
            commands.run(["ip", "nonsense"])
        with netns.current() as now:
            assert now.inode == home.inode


def test_a_missing_program_is_told_in_a_sentence() -> None:
    with pytest.raises(CommandFailed, match="no-such-program cannot run"):
        commands.run(["no-such-program"])


def test_a_parameter_is_written_once_and_one_that_does_not_exist_is_left_out(kernel: Kernel) -> None:
    place = kernel.namespace()
    wanted = {"ipv4/ip_forward": "1", "ipv4/no_such_thing": "1"}
    assert sysctl.ensure(wanted, place)
    assert not sysctl.ensure(wanted, place)
    assert Path("/proc/sys/net/ipv4/conf/lo/forwarding").read_text() in ("0\n", "1\n")


def test_links_of_every_kind_are_read_back_as_they_were_put(kernel: Kernel) -> None:
    place = kernel.namespace()
    details = (("id", "7"), ("local", "127.0.0.1"), ("dstport", "14789"), ("nolearning", ""))
    wanted = [
        Link("br0", "bridge", 1400, "06:6b:00:00:00:00"),
        Link("vx0", "vxlan", 1400, "06:6b:00:00:00:01", "an alias: with words", "br0", is_up=False, details=details),
    ]
    changes.apply([Put(link) for link in wanted], place)
    assert {record for record in observation.segment(place) if isinstance(record, Link)} == set(wanted)
    devices.delete("vx0", place)
    assert not devices.exists("vx0", place)


def test_the_kernels_capabilities_are_found_and_nothing_is_left(kernel: Kernel) -> None:
    found = capabilities.probe()
    assert found.bridge
    assert found.engine in ("kernel", "userspace", "")
    place = kernel.namespace()
    assert capabilities.can_create("bridge", place)
    assert not capabilities.can_create("nonsense", place)
    assert observation.endpoint(place) == {record for record in observation.endpoint(place) if record.device == "lo"}


def test_a_pods_namespace_is_found_by_its_cgroup(kernel: Kernel, tmp_path: Path) -> None:
    pod = kernel.namespace()
    process = kernel.process(pod, "sleep", "100")
    for name in ("kubepods/besteffort/pod1234-abcd/c1", "kubepods.slice/kubepods-pod5678_ef.slice/c1"):
        directory = tmp_path / name
        directory.mkdir(parents=True)
        (directory / "cgroup.procs").write_text(f"{process.pid}\n")
    with netns.current() as node:
        for uid in ("1234-abcd", "5678-ef"):
            directory = cgroups.find(tmp_path, uid) or Path()
            found = cgroups.network(directory, node.inode)
            assert found is not None
            with found:
                assert found.inode == pod.inode
            assert cgroups.network(directory, pod.inode) is None, "a process that is still in the node's namespace"
    assert cgroups.find(tmp_path, "9999") is None


async def test_a_change_wakes_once_for_a_burst(kernel: Kernel) -> None:
    place, calls = kernel.namespace(), []
    ear = Waker(waker.listen(waker.LINKS, place), lambda: calls.append(1))
    await asyncio.sleep(0.05)
    kernel.ip(place, *(f"link add b{number} type bridge" for number in range(5)))
    await until(lambda: bool(calls), 2)
    await asyncio.sleep(0.1)
    assert len(calls) <= 2
    calls.clear()
    ear.close()
    kernel.ip(place, "link add b9 type bridge")
    await asyncio.sleep(0.1)
    assert not calls


async def test_echo_requests_take_the_interface_they_are_meant_for_and_are_answered_with_their_number(
    kernel: Kernel,
) -> None:
    answers: list[tuple[IPv4Address, int]] = []
    near, far = kernel.namespace(), kernel.namespace()
    for device, addresses in (("one", ("10.0.0.1/24", "10.0.0.2/24")), ("two", ("10.0.1.1/24", "10.0.1.2/24"))):
        kernel.wire(near, far, device, addresses)
    kernel.ip(near, "address add 10.9.0.1/32 dev lo", "route add unreachable 10.9.0.0/16")
    kernel.ip(far, "address add 10.9.0.2/32 dev two", "route add 10.9.0.1/32 dev two")
    source, target = IPv4Address("10.9.0.1"), IPv4Address("10.9.0.2")
    with netns.inside(near):
        echo = Echo(source, lambda sender, number: answers.append((sender, number)))
        echo.send(target, 65_535, "two")
        echo.send(target, 2, "nowhere")
        echo.send(IPv4Address("10.9.0.3"), 3, "two")
    await until(lambda: bool(answers), 2)
    with netns.inside(near):
        kernel.ip(far, "link set two down")
        echo.send(target, 4, "two")
        await asyncio.sleep(0.1)
    echo.close()
    assert answers == [(target, 65_535)]


async def test_a_program_that_dies_is_started_again_and_ends_with_us() -> None:
    starts: list[int] = []
    program = Program(["sleep", "100"], started=lambda: starts.append(1))
    task = asyncio.create_task(program.run())
    await until(lambda: program.is_running, 2)
    assert program._process is not None
    first = program._process.pid
    program._process.send_signal(signal.SIGKILL)
    await until(lambda: len(starts) == 2, 3)
    assert program.restarts == 1
    second = program._process.pid
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for process in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert not program.is_running


async def test_a_program_that_is_not_there_ends_the_component() -> None:
    with pytest.raises(FileNotFoundError):
        await Program(["no-such-program"]).run()


def test_a_public_key_belongs_to_its_private_key() -> None:
    alice = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="  # RFC 7748, section 6.1
    assert wireguard.public_key(alice) == "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
