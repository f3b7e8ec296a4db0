"""The command line's end of the control socket: asks the lab's parent, and takes descriptors it hands over."""

import json
import socket
import struct
from typing import Any

from kubeslice.lab.layout import instance

PATIENCE = 20.0
MOST_DESCRIPTORS = 8


class NoLab(Exception):
    """No lab of that name runs on this machine."""


class LabRefused(Exception):
    """The lab understood and said no; the message says why."""


def ask(name: str, operation: str, **details: Any) -> tuple[dict[str, Any], list[int]]:
    """Send one request; return the answer and the descriptors that came with it. Raises `NoLab`, `LabRefused`."""
    with _connected(name) as connection:
        connection.sendall(json.dumps({"op": operation, **details}).encode() + b"\n")
        answer, descriptors = _receive(connection)
    if "error" in answer:
        raise LabRefused(answer["error"])
    return answer, descriptors


def outer_pid(name: str) -> int:
    """Return the pid of the lab's outer process: whoever listened is the peer of whoever connects. Raises `NoLab`."""
    with _connected(name) as connection:
        pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)


def _connected(name: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE)
    try:
        connection.connect(f"\0{instance(name)}")
    except OSError as error:
        connection.close()
        if isinstance(error, ConnectionRefusedError):
            raise NoLab("no lab is running: start one with `kubeslice lab up`") from None
        raise
    return connection


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, descriptors, _, _ = socket.recv_fds(connection, 65536, MOST_DESCRIPTORS)
    while not data.endswith(b"\n"):
        part = connection.recv(1 << 20)
        if not part:
            raise LabRefused("the lab ended while it answered")
        data += part
    return dict(json.loads(data)), list(descriptors)
