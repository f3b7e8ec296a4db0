"""Container logs: the CRI format, cut into lines, read back."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.kubelet.logreader import Options, selected, since_text
from kubeslice.lab.pods.logfile import LONGEST, Writer, entry, parse

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)


def test_a_line_has_time_stream_and_tag() -> None:
    line = entry(NOON, "stderr", b"oops", is_whole=True)
    assert line == b"2030-01-02T12:00:00.000000000Z stderr F oops\n"
    assert parse(line) == ("2030-01-02T12:00:00.000000000Z", b"oops\n")
    assert parse(entry(NOON, "stdout", b"half", is_whole=False))[1] == b"half"


@given(st.lists(st.binary(max_size=40), max_size=10), st.integers(0, 3))
def test_what_goes_in_comes_out(pieces: list[bytes], long: int) -> None:
    pieces = [*pieces, b"x" * (LONGEST * long)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0.log"
        writer = Writer(path, "stdout")
        for piece in pieces:
            writer.feed(piece)
        writer.close()
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    assert b"".join(parse(line + b"\n")[1] for line in lines) == b"".join(pieces)


def test_what_is_selected() -> None:
    times = [NOON.replace(minute=minute) for minute in range(3)]
    lines = [entry(time, "stdout", str(time.minute).encode(), is_whole=True) for time in times]
    assert selected(lines, Options(tail_lines=2)) == [b"1\n", b"2\n"]
    assert selected(lines, Options(tail_lines=0)) == []
    assert selected(lines, Options(since=since_text(30, times[1]))) == [b"1\n", b"2\n"]
    assert selected(lines[:1], Options(timestamps=True)) == [b"2030-01-02T12:00:00.000000000Z 0\n"]
