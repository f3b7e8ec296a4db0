"""What a kubelet remembers of a pod on the node's tmpfs, so that the next kubelet adopts it: sandbox and containers."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from kubeslice.linux.files import write

PODS = Path("/run/kubelet/pods")
State = Literal["starting", "running", "ended"]


@dataclass(frozen=True)
class Sandbox:
    """The pod's network and shim. `address` is the node's for pods on the host's network; `port` is then empty."""

    uid: str
    namespace: str
    name: str
    address: str
    network: str
    port: str
    shim: int
    started: str

    @property
    def directory(self) -> Path:
        """Return where everything about the pod is kept."""
        return PODS / self.uid


@dataclass
class Container:
    """The latest start of a container. Times are RFC 3339; `retry_at` is by the wall clock, in seconds."""

    name: str
    id: str
    image: str
    spec: dict[str, Any]
    state: State = "starting"
    restarts: int = 0
    pid: int = 0
    started_at: str = ""
    finished_at: str = ""
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    retry_at: float = 0.0
    delay: float = 0.0
    last: dict[str, Any] = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Tell whether it ended otherwise than with exit status 0."""
        return self.state == "ended" and self.exit_code != 0


def save(path: Path, record: Sandbox | Container) -> None:
    """Write a record, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, json.dumps(asdict(record)))


def save_container(sandbox: Sandbox, record: Container) -> None:
    """Write what is known of a container now."""
    save(sandbox.directory / "containers" / f"{record.name}.json", record)


def sandboxes() -> Iterator[Sandbox]:
    """Yield the sandboxes that an earlier kubelet left."""
    for path in PODS.glob("*/sandbox.json"):
        with contextlib.suppress(ValueError, TypeError, OSError):
            yield Sandbox(**json.loads(path.read_text()))


def containers(sandbox: Sandbox) -> dict[str, Container]:
    """Return what an earlier kubelet wrote about a sandbox's containers, by name."""
    found = {}
    for path in (sandbox.directory / "containers").glob("*.json"):
        with contextlib.suppress(ValueError, TypeError, OSError):
            record = Container(**json.loads(path.read_text()))
            found[record.name] = record
    return found
