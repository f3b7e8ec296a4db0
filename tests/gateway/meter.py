"""One end of a steady flow of numbered UDP packets. `meter.py TARGET PORT FILE`, run as a program in a pod.

At SIGTERM it stops sending, listens a moment longer and writes how many it sent and which it received.
"""

import contextlib
import json
import signal
import socket
import sys
import threading
import time
from pathlib import Path

PAUSE = 0.002
LINGER = 1.0
_SO_RCVBUFFORCE = 33  # socket(7)


def _send(outgoing: socket.socket, target: tuple[str, int], stop: threading.Event) -> int:
    number, due = 0, time.monotonic()
    while not stop.is_set():
        with contextlib.suppress(OSError):  # a network that refuses it is one that loses it
            outgoing.sendto(number.to_bytes(8) + bytes(200), target)
        number += 1
        due += PAUSE
        time.sleep(max(0.0, due - time.monotonic()))
    return number


def main(target: str, port: int, file: str) -> None:
    """Send and receive until SIGTERM, then write what was sent and received."""
    stop, received = threading.Event(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    both = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    both.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    both.bind(("", port))
    sent: list[int] = []
    sender = threading.Thread(target=lambda: sent.append(_send(both, (target, port), stop)))
    sender.start()
    ending = float("inf")
    both.settimeout(0.1)
    while time.monotonic() < ending:
        with contextlib.suppress(OSError):  # nothing came in time
            received.append(int.from_bytes(both.recv(2048)[:8]))
        if stop.is_set() and ending == float("inf"):
            ending = time.monotonic() + LINGER
    sender.join()
    Path(file).write_text(json.dumps({"sent": sent[0], "received": received}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
