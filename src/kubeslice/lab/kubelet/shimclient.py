"""The kubelet's end of a shim's socket: sends requests, hands events to a callback as they arrive."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class ShimClient:
    """One connection to one pod's shim. `on_event` is called with every event, `on_gone` when the shim has died."""

    def __init__(self, on_event: Callable[[Message], None], on_gone: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_gone = on_gone
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._rest = b""

    def connect(self, path: Path) -> None:
        """Connect and start to listen. Raises OSError when no shim is there."""
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def send(self, request: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send one request, with file descriptors for an exec. A shim that is gone is told of by `on_gone`."""
        data = json.dumps(request).encode() + b"\n"
        self._socket.setblocking(True)
        try:
            if descriptors:
                socket.send_fds(self._socket, [data[:1]], descriptors)
                data = data[1:]
            self._socket.sendall(data)
        except OSError:
            return
        finally:
            self._socket.setblocking(False)

    def close(self) -> None:
        """Stop listening."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_gone()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_event(json.loads(line))
