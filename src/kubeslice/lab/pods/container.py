"""Turns a fork into a container: namespaces, file system, control group, credentials, and then the program.

`become` runs in the child that the shim forked, already in the pod's network and, where the pod has its own, as
process 1 of a new pid namespace. `enter` joins a running container instead, for exec. Both end in execve.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubeslice.lab import namespaces as ns
from kubeslice.lab.machine import mount_devices, mount_root, uncover
from kubeslice.lab.pods import credentials

Spec = dict[str, Any]
IMAGE = Path("/run/kubelet/image")
ROOTFS = Path("/run/kubelet/rootfs")
CGROUPS = Path("/sys/fs/cgroup")
ENTERED = ("cgroup", "uts", "ipc", "net", "mnt")


class CannotStart(Exception):
    """The container's program cannot be started; the sentence goes to its status."""


def join_cgroup(group: str) -> None:
    """Move this process into a group, a path below the node's root group."""
    (CGROUPS / group / "cgroup.procs").write_text("0")


def become(spec: Spec) -> None:
    """Build the container around this process and start its program. Only returns by raising."""
    join_cgroup(spec["cgroup"])
    # As containerd does it: only privileged containers see the control groups of the whole node.
    ns.unshare(ns.CLONE_NEWNS | (0 if spec["privileged"] else ns.CLONE_NEWCGROUP))
    _build_root(spec)
    _finish(spec)


def enter(spec: Spec, pid: int) -> None:
    """Join the container whose first process is `pid` and start `spec`'s program. Only returns by raising.

    The process must be in the container's pid namespace already: that one is entered by being forked into it.
    """
    files = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ENTERED]
    join_cgroup(spec["cgroup"])
    for kind, descriptor in zip(ENTERED, files, strict=True):
        ns.setns(descriptor, ns.FLAGS[kind])
        os.close(descriptor)
    _finish(spec)


def _finish(spec: Spec) -> None:
    try:
        os.chdir(spec["directory"])
    except OSError as error:
        raise CannotStart(f"the working directory {spec['directory']} cannot be entered: {error.strerror}") from error
    credentials.take(spec["credentials"])
    environment = dict(spec["environment"])
    _execute(spec["command"], environment)


def _execute(command: Sequence[str], environment: dict[str, str]) -> None:
    program = command[0]
    search = environment.get("PATH", os.defpath).split(":")
    paths = [program] if "/" in program else [f"{directory}/{program}" for directory in search]
    found = next((path for path in paths if os.access(path, os.X_OK) and not Path(path).is_dir()), None)
    if found is None:
        raise CannotStart(f"exec: {program!r}: executable file not found in $PATH")
    os.execve(found, list(command), environment)  # noqa: S606 - never with a shell


def _build_root(spec: Spec) -> None:
    layer = Path(spec["layer"])
    mount_root(IMAGE, layer, ROOTFS, devices=spec["privileged"])
    _mount_kernel(spec)
    # From here paths are those of the container, and the node's files are below /.old: symbolic links in targets
    # (/var/run) lead to where the container has them.
    ns.pivot_root(ROOTFS, ROOTFS / ".old")
    os.chdir("/")
    for volume in spec["mounts"]:
        _mount_volume(volume)
    uncover(Path("/.old") / IMAGE.relative_to("/"), [volume["target"] for volume in spec["mounts"]])
    ns.propagate("/.old", ns.MS_SLAVE)
    ns.unmount("/.old")
    Path("/.old").rmdir()
    if spec["readOnlyRoot"]:
        ns.mount("none", "/", flags=ns.MS_BIND | ns.MS_REMOUNT | ns.MS_RDONLY)


def _mount_kernel(spec: Spec) -> None:
    privileged = spec["privileged"]
    if spec["hostPID"]:
        ns.bind("/proc", ROOTFS / "proc")
    else:
        ns.mount("proc", ROOTFS / "proc", "proc", ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
    ns.mount("sysfs", ROOTFS / "sys", "sysfs", 0 if privileged else ns.MS_RDONLY)
    ns.mount("cgroup2", ROOTFS / "sys/fs/cgroup", "cgroup2", 0 if privileged else ns.MS_RDONLY)
    mount_devices(ROOTFS / "dev", privileged=privileged)
    if not privileged:
        ns.bind(ROOTFS / "proc/sys", ROOTFS / "proc/sys", read_only=True)


def _mount_volume(volume: dict[str, Any]) -> None:
    source, target = Path("/.old" + volume["source"]), Path(volume["target"])
    if not source.exists():
        raise CannotStart(f"the volume mounted at {target} has nothing at {volume['source']}")
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    ns.bind(source, target)
    ns.propagate(target, {"": ns.MS_PRIVATE, "slave": ns.MS_SLAVE, "shared": ns.MS_SHARED}[volume["propagation"]])
    if volume["readOnly"]:
        ns.mount("none", target, flags=ns.MS_BIND | ns.MS_REMOUNT | ns.MS_RDONLY)
