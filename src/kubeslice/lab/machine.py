"""The machine's own programs as the root file system of nodes and containers: read-only below, a tmpfs above.

`image_layers` is called once by the parent; `mount_root` by whatever makes a node or a container. What people and
daemons keep in their own directories is hidden; what Python needs to run this code stays visible wherever it is.
Nothing is ever written to the machine's disk.
"""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from kubeslice.lab import namespaces as ns

HIDDEN = ("tmp", "run", "root", "home", "mnt", "media", "srv", "var/tmp", "var/log", "var/lib/kubelet")
EMPTY_FILES = ("etc/resolv.conf", "etc/hosts", "etc/hostname")
EMPTY_DIRECTORIES = ("proc", "sys", "dev", ".old", "run/secrets", "run/lock")
PSEUDO = {"tmpfs", "ramfs", "squashfs", "nsfs", "mqueue", "fuse.portal", "nfsd", "rpc_pipefs", "hugetlbfs", "debugfs"}
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
PRIVILEGED_DEVICES = {"kmsg": (1, 11), "net/tun": (10, 200), "fuse": (10, 229)}
LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


def is_hidden(path: str) -> bool:
    """Tell whether nodes and containers do not see this path of the machine by themselves."""
    return any(path == f"/{hidden}" or path.startswith(f"/{hidden}/") for hidden in HIDDEN)


def code_paths() -> list[str]:
    """Return the directories this Python and this package need: environment, base installation, sources."""
    sources = Path(__file__).resolve().parents[2]
    return sorted({str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix, sources)})


def disk_mounts(mountinfo: str) -> list[str]:
    """Return where file systems with files on them are mounted besides `/`, from /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        path, fstype, source = left.split()[4], right.split()[0], right.split()[1]
        is_disk = source.startswith("/dev/") or fstype in {"overlay", "zfs", "nfs", "nfs4", "virtiofs", "9p"}
        if path != "/" and is_disk and fstype not in PSEUDO and not path.startswith(("/proc", "/sys", "/dev")):
            found.append(path.replace("\\040", " "))
    return found


def extra_binds(mounts: Iterable[str], needed: Iterable[str]) -> list[str]:
    """Return the directories to bind over the root file system: other disks that show, and hidden code."""
    shown = [path for path in mounts if not is_hidden(path)]
    return sorted({*shown, *(path for path in needed if is_hidden(path))})


def image_layers(image: Path) -> None:
    """Make below `image`: `machine`, the machine's root file system; `mask`, which hides parts of it; `binds`."""
    machine, mask = image / "machine", image / "mask"
    machine.mkdir(parents=True)
    mask.mkdir()
    ns.mount("/", machine, flags=ns.MS_BIND)
    for path in HIDDEN:
        (mask / path).mkdir(parents=True, exist_ok=True)
        os.setxattr(mask / path, "trusted.overlay.opaque", b"y")
    for path in ("tmp", "var/tmp"):
        (mask / path).chmod(0o1777)
    for path in EMPTY_DIRECTORIES:
        (mask / path).mkdir(parents=True, exist_ok=True)
    for path in EMPTY_FILES:
        (mask / path).parent.mkdir(parents=True, exist_ok=True)
        (mask / path).touch()
    binds = extra_binds(disk_mounts(Path("/proc/self/mountinfo").read_text()), code_paths())
    for path in binds:
        (mask / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        (image / "tree" / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        ns.bind(path, image / "tree" / path.lstrip("/"), read_only=True)
    (image / "binds").write_text("\n".join(binds))


def mount_root(image: Path, upper: Path, root: Path, *, devices: bool = True) -> None:
    """Mount the machine's programs at `root`, writable: changes go to the tmpfs directory `upper`."""
    for part in ("files", "work"):
        (upper / part).mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={image / 'mask'}:{image / 'machine'},upperdir={upper / 'files'},workdir={upper / 'work'}"
    ns.mount("overlay", root, "overlay", 0 if devices else ns.MS_NODEV, layers)
    for path in filter(None, (image / "binds").read_text().splitlines()):
        ns.bind(image / "tree" / path.lstrip("/"), root / path.lstrip("/"), read_only=True)


def uncover(image: Path, volumes: Iterable[str]) -> None:
    """Bind the code again where a container's volume, mounted at one of these paths, has covered it (`/tmp`)."""
    over = tuple(f"{volume.rstrip('/')}/" for volume in volumes)
    for path in filter(None, (image / "binds").read_text().splitlines()):
        if path.startswith(over):
            Path(path).mkdir(parents=True, exist_ok=True)
            ns.bind(image / "tree" / path.lstrip("/"), Path(path), read_only=True)


def mount_devices(path: Path, *, privileged: bool) -> None:
    """Mount a /dev of its own: the usual device files, terminals and shared memory."""
    ns.mount("tmpfs", path, "tmpfs", ns.MS_NOSUID, "mode=755,size=64k")
    before = os.umask(0)
    for name, numbers in (DEVICES | (PRIVILEGED_DEVICES if privileged else {})).items():
        (path / name).parent.mkdir(exist_ok=True)
        os.mknod(path / name, stat.S_IFCHR | 0o666, os.makedev(*numbers))
    os.umask(before)
    for name, target in LINKS.items():
        (path / name).symlink_to(target)
    (path / "pts").mkdir()
    ns.mount("devpts", path / "pts", "devpts", ns.MS_NOSUID | ns.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
    (path / "shm").mkdir()
    ns.mount("tmpfs", path / "shm", "tmpfs", ns.MS_NOSUID | ns.MS_NODEV, "mode=1777")
