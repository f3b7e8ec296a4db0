"""What the shim needs to start one container, computed from the pod and its surroundings. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from kubeslice.lab.images import Image, command_line
from kubeslice.lab.kubelet.environment import expand
from kubeslice.lab.pods.credentials import bounding_set

Object = dict[str, Any]
PROPAGATION = {"Bidirectional": "shared", "HostToContainer": "slave"}
STATE = PurePosixPath("/run/kubelet/pods")
LOGS = PurePosixPath("/var/log/pods")
DATA = PurePosixPath("/var/lib/kubelet/pods")


@dataclass(frozen=True)
class Mount:
    """A file or directory of the node that a container sees at `target`; `propagation` is "", slave or shared."""

    source: str
    target: str
    read_only: bool = False
    propagation: str = ""


def pod_group(uid: str) -> str:
    """Return the control group of a pod, below the node's root."""
    return f"kubepods/pod{uid}"


def log_file(pod: Object, container: str, attempt: int) -> str:
    """Return where a container's log is, on the node."""
    metadata = pod["metadata"]
    return str(LOGS / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}" / container / f"{attempt}.log")


def mounts(pod: Object, container: Object, sources: Mapping[str, str], environment: Mapping[str, str]) -> list[Mount]:
    """Return a container's mounts, outer targets first; `sources` are the volumes' directories on the node."""
    data = DATA / pod["metadata"]["uid"]
    found = [Mount(str(data / name), f"/etc/{name}", read_only=False) for name in ("hosts", "resolv.conf", "hostname")]
    found.append(Mount(str(data / "messages" / container["name"]), message_path(container)))
    for entry in container.get("volumeMounts") or []:
        below = entry.get("subPath") or expand(entry.get("subPathExpr") or "", environment)
        source = PurePosixPath(sources[entry["name"]]) / below
        propagation = PROPAGATION.get(entry.get("mountPropagation") or "", "")
        found.append(Mount(str(source), entry["mountPath"], bool(entry.get("readOnly")), propagation))
    return sorted(found, key=lambda mount: len(PurePosixPath(mount.target).parts))


def message_path(container: Object) -> str:
    """Return where a container may leave its last words."""
    return str(container.get("terminationMessagePath") or "/dev/termination-log")


def container_spec(
    pod: Object,
    container: Object,
    image: Image,
    environment: Mapping[str, str],
    mounted: Sequence[Mount],
    identifier: str,
    attempt: int,
) -> Object:
    """Return the shim's whole instruction for one start of a container."""
    uid = pod["metadata"]["uid"]
    context = container.get("securityContext") or {}
    command = [
        expand(part, environment)
        for part in command_line(image, container.get("command") or [], container.get("args") or [])
    ]
    return {
        "cgroup": f"{pod_group(uid)}/{identifier}",
        "layer": str(STATE / uid / "layers" / identifier),
        "log": log_file(pod, container["name"], attempt),
        "hostPID": bool(pod["spec"].get("hostPID")),
        "privileged": bool(context.get("privileged")),
        "readOnlyRoot": bool(context.get("readOnlyRootFilesystem")),
        "command": command,
        "directory": container.get("workingDir") or "/",
        "environment": dict(environment),
        "credentials": credentials(pod, container),
        "mounts": [
            {
                "source": mount.source,
                "target": mount.target,
                "readOnly": mount.read_only,
                "propagation": mount.propagation,
            }
            for mount in mounted
        ],
    }


def credentials(pod: Object, container: Object) -> Object:
    """Return who a container's process is and what it may do, from both security contexts."""
    both = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    user = int(both.get("runAsUser") or 0)
    extra = [int(group) for group in both.get("supplementalGroups") or []]
    if "fsGroup" in both:
        extra.append(int(both["fsGroup"]))
    forbidden = both.get("allowPrivilegeEscalation") is False and not both.get("privileged")
    return {
        "capabilities": bounding_set(both),
        "user": user,
        "group": int(both.get("runAsGroup") or 0),
        "groups": extra,
        "noNewPrivileges": forbidden,
    }


def base_environment(pod: Object, image: Image, services: Mapping[str, str]) -> dict[str, str]:
    """Return what every container of a pod starts with."""
    host = pod["spec"].get("hostname") or pod["metadata"]["name"]
    name = pod["spec"]["nodeName"] if pod["spec"].get("hostNetwork") else host
    return {"PATH": image.path, "HOSTNAME": name, "HOME": "/root", **services}
