import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.toolkit.client import TransportError
from fluvial.toolkit.client.lines import LineSplitter

LINES = st.lists(st.binary(min_size=1).filter(lambda b: b"\n" not in b and b.strip()))


@given(LINES, st.data())
def test_lines_survive_any_chunk_boundaries(lines, data):
    stream = b"".join(line + b"\n" for line in lines)
    splitter, got = LineSplitter(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += splitter.feed(stream[:size])
        stream = stream[size:]
    assert got == lines


def test_a_line_is_not_given_before_its_end():
    splitter = LineSplitter()
    assert splitter.feed(b'{"a":') == []
    assert splitter.feed(b"1}\n{") == [b'{"a":1}']


def test_blank_lines_are_dropped():
    assert LineSplitter().feed(b"\n\r\n{}\n\n") == [b"{}"]


def test_a_stream_without_line_ends_is_cut_off():
    splitter = LineSplitter(limit=10)
    splitter.feed(b"12345")
    with pytest.raises(TransportError, match="longer than 10 bytes"):
        splitter.feed(b"678901")
