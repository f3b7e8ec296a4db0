"""SPDY frames: what one side encodes the other decodes, in whatever pieces it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.apiserver.streams import spdy

HEADERS = st.dictionaries(st.sampled_from(["streamtype", "port", "x-a"]), st.text(max_size=20), max_size=3)


@given(st.lists(st.tuples(st.integers(1, 99), HEADERS, st.binary(max_size=50)), max_size=4), st.integers(1, 40))
def test_frames_survive_being_cut(streams: list[tuple[int, dict[str, str], bytes]], size: int) -> None:
    encoder, decoder = spdy.Encoder(), spdy.Decoder()
    sent = b"".join(
        encoder.open(number, headers) + spdy.data(number, body, is_final=True) for number, headers, body in streams
    )
    found = [frame for start in range(0, len(sent), size) for frame in decoder.feed(sent[start : start + size])]
    expected = [
        frame
        for number, headers, body in streams
        for frame in (spdy.StreamOpened(number, headers, False), spdy.Data(number, body, True))
    ]
    assert found == expected


def test_pings_come_back() -> None:
    (frame,) = spdy.Decoder().feed(spdy.pong(7))
    assert frame == spdy.Ping(7)
    assert len(spdy.DICTIONARY) == 1423


def test_other_versions_and_endless_frames_are_refused() -> None:
    with pytest.raises(spdy.SpdyError):
        list(spdy.Decoder().feed(b"\x80\x02\x00\x01" + b"\x00" * 4))
    with pytest.raises(spdy.SpdyError):
        list(spdy.Decoder().feed(b"\x00\x00\x00\x01\x00\xff\xff\xff"))
