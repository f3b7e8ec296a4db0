"""Ports of the loopback interface that nobody uses, for name servers: free for UDP and TCP at once."""

import socket


def free() -> int:
    """Return such a port."""
    while True:
        with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
            stream.bind(("127.0.0.1", 0))
            port = int(stream.getsockname()[1])
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
