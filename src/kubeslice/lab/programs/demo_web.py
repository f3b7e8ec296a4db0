"""The `kubeslice/demo-web` image: an HTTP server that says which pod of which cluster answered.

`PORT` (default 8080) and `CLUSTER_NAME` come from the environment. `/` answers a line of text, or JSON to whoever
asks for it; `/bytes/N` answers N zero bytes; `/healthz` says ok. Only the standard library, to start at once.
"""

import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHUNK = bytes(65536)
MOST_BYTES = 10 << 30


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"
    server_version = "demo-web"

    def do_GET(self) -> None:
        """Answer by path."""
        head, _, rest = self.path.lstrip("/").partition("/")
        if head == "bytes" and rest.isdigit():
            self._send_bytes(min(int(rest), MOST_BYTES))
        elif head == "healthz":
            self._send(b"ok\n", "text/plain")
        else:
            self._send_who()

    def _send_who(self) -> None:
        who = {
            "pod": os.environ.get("POD_NAME") or socket.gethostname(),
            "namespace": os.environ.get("POD_NAMESPACE", ""),
            "node": os.environ.get("NODE_NAME", ""),
            "cluster": os.environ.get("CLUSTER_NAME", ""),
            "client": self.client_address[0],
            "path": self.path,
        }
        if "json" in self.headers.get("Accept", ""):
            self._send(json.dumps(who).encode() + b"\n", "application/json")
        else:
            pod = f"{who['namespace']}/{who['pod']}" if who["namespace"] else who["pod"]
            place = f" in {who['cluster']}" if who["cluster"] else ""
            self._send(f"hello from {pod}{place}\n".encode(), "text/plain")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_bytes(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        while size > 0:
            self.wfile.write(CHUNK[:size])
            size -= len(CHUNK)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write one line per request to standard output, where `kubectl logs` finds it."""
        sys.stdout.write(f"{self.client_address[0]} {format % args}\n")
        sys.stdout.flush()


def main() -> int:
    """Serve until told to stop."""
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    server.daemon_threads = True
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
