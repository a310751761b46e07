"""Lines of a table as they stream: split as the csv module wants them, whatever the pieces they come in."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import FileRefusedError
from adapters.formats import clean_bytes
from adapters.formats.clean_bytes import CleanLines
from adapters.formats.csv_profile import read_settlement
from adapters.formats.profiles import GENERIC

LETTERS = st.text(alphabet='ab,"\r\n\t دé\u2028\x85\x0b\x0c\x1c\U0001f4b0', max_size=60)


class Pieces(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._left, self._size = data, size

    def read(self, _size: int = -1) -> bytes:
        piece, self._left = self._left[: self._size], self._left[self._size :]
        return piece


@given(text=LETTERS, size=st.integers(1, 9))
def test_lines_are_those_of_the_standard_library_however_they_come(text, size):
    data = text.encode()
    clean = "".join(" " if letter in "\x0b\x0c\x1c" else letter for letter in text)
    expected = list(io.TextIOWrapper(io.BytesIO(clean.encode()), encoding="utf-8", newline=""))
    assert list(CleanLines(Pieces(data, size))) == expected


@pytest.mark.parametrize("letter", ["x", "د"])
def test_hc22_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch, letter):
    monkeypatch.setattr(clean_bytes, "LINE_LENGTH_MAX", 10_000)
    data = ("kind,gross\n" + letter * 2_000_000).encode()
    with pytest.raises(FileRefusedError, match=r"line 2: a line is longer than 10000"):
        read_settlement(data, GENERIC, name="x")


def test_separators_of_other_scripts_do_not_end_a_line():
    text = "Kind,Reference,Currency,Gross,Fee,Net\nSale,a\u2028b\x85c,AED,1.00,0,1.00\n"
    assert (
        read_settlement(
            text.replace("Net\n", "Net,Date\n").replace("1.00\n", "1.00,2026-11-21\n").encode(), GENERIC, name="x"
        )
        .lines[0]
        .reference
        == "a\u2028b\x85c"
    )
