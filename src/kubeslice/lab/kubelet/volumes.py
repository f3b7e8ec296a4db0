"""Makes a pod's volumes on the node: directories, checked host paths, and files that are replaced all at once.

Paths are the node's. Files of Secrets and ConfigMaps are written as the real kubelet does it: into a new directory to
which the link `..data` is then moved, so that readers see one version or the other.
"""

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

from kubeslice.lab.kubelet import payloads
from kubeslice.lab.kubelet.environment import Missing
from kubeslice.lab.kubelet.payloads import File, Sources

Object = dict[str, Any]
CHECKS = {
    "Directory": stat.S_ISDIR,
    "File": stat.S_ISREG,
    "Socket": stat.S_ISSOCK,
    "CharDevice": stat.S_ISCHR,
    "BlockDevice": stat.S_ISBLK,
}


def make(volume: Object, pod: Object, directory: Path, sources: Sources) -> str:
    """Make one volume, or bring it up to date, and return where it is. Raises `Missing`."""
    if "hostPath" in volume:
        return _host_path(volume["hostPath"])
    path = directory / volume["name"]
    if "emptyDir" in volume:
        _empty_directory(path, pod)
    elif any(kind in volume for kind in payloads.MANAGED):
        path.mkdir(parents=True, exist_ok=True)
        replace_files(path, payloads.files(volume, pod, sources))
    else:
        kind = next((key for key in volume if key != "name"), "none")
        raise Missing(f"volume {volume['name']!r} is of type {kind}, which a lab does not have")
    return str(path)


def _empty_directory(path: Path, pod: Object) -> None:
    if not path.exists():
        path.mkdir(parents=True)
        path.chmod(0o777)
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
        if group is not None:
            os.chown(path, 0, int(group))
            path.chmod(0o2777)


def _host_path(body: Object) -> str:
    path, kind = Path(body["path"]), body.get("type") or ""
    if kind == "DirectoryOrCreate" or (not kind and not path.exists()):
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate" and not path.exists():
        path.touch()
    elif kind in CHECKS and not (path.exists() and CHECKS[kind](path.stat().st_mode)):
        raise Missing(f"hostPath type check failed: {path} is not a {kind}")
    # The container resolves the path in another tree, where the node's links would lead elsewhere.
    return str(path.resolve())


def replace_files(path: Path, files: dict[str, File]) -> bool:
    """Make the files of a directory exactly these, visible at one moment; False when they were so already."""
    link = path / "..data"
    if link.exists() and _current(link) == files:
        return False
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=path))
    fresh.chmod(0o755)
    for name, file in files.items():
        target = fresh / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(file.mode)
    _point_to(path, link, fresh.name)
    _expose(path, {name.partition("/")[0] for name in files})
    return True


def _current(link: Path) -> dict[str, File]:
    return {
        str(file.relative_to(link)): File(file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
        for file in link.rglob("*")
        if file.is_file()
    }


def _point_to(path: Path, link: Path, name: str) -> None:
    old = link.readlink() if link.is_symlink() else None
    new = path / "..data_new"
    new.unlink(missing_ok=True)
    new.symlink_to(name)
    new.rename(link)
    if old is not None:
        shutil.rmtree(path / old, ignore_errors=True)


def _expose(path: Path, names: set[str]) -> None:
    for name in names:
        if not (path / name).is_symlink():
            (path / name).symlink_to(Path("..data", name))
    for entry in path.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
