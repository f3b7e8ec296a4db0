"""Container logs in the CRI format: `TIMESTAMP stdout|stderr F|P text`, one line each. Pure but for the writer.

Source: the Kubernetes container runtime interface's logging document. The shim writes, the kubelet's server reads.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

LONGEST = 16384
LARGEST = 10 << 20


def entry(now: datetime, stream: str, text: bytes, *, is_whole: bool) -> bytes:
    """Return one line of a log file; `is_whole` is false for a piece that the next line continues."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return b"%s %s %s %s\n" % (stamp.encode(), stream.encode(), b"F" if is_whole else b"P", text)


def parse(line: bytes) -> tuple[str, bytes]:
    """Return the timestamp and the text of one line, newline included unless the line was a piece."""
    stamp, _, rest = line.partition(b" ")
    _, _, rest = rest.partition(b" ")
    tag, _, text = rest.partition(b" ")
    return stamp.decode(errors="replace"), text if tag == b"F" else text.removesuffix(b"\n")


class Writer:
    """Cuts the bytes of one stream into lines and appends them to a file shared by both streams.

    A file that has become large is moved to `NAME.1`, where it replaces the one before.
    """

    def __init__(self, path: Path, stream: str) -> None:
        self._path = path
        self._stream = stream
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what the container wrote; write what are whole lines by now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        now = datetime.now(UTC)
        out = [entry(now, self._stream, line, is_whole=True) for line in lines]
        while len(self._rest) >= LONGEST:
            piece, self._rest = self._rest[:LONGEST], self._rest[LONGEST:]
            out.append(entry(now, self._stream, piece, is_whole=False))
        self._append(b"".join(out))

    def close(self) -> None:
        """Write what is left without a newline."""
        if self._rest:
            self._append(entry(datetime.now(UTC), self._stream, self._rest, is_whole=False))
            self._rest = b""

    def _append(self, data: bytes) -> None:
        if not data:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            os.write(descriptor, data)
            if os.fstat(descriptor).st_size > LARGEST:
                self._path.rename(self._path.with_name(self._path.name + ".1"))
        finally:
            os.close(descriptor)
