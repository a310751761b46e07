"""Ways to damage a good file, for a search without coverage: what a wire, a bank or an attacker would do to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

LENGTH_MAX: Final = 20_000
_ODD: Final = (
    b"",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xf0\x9f\x92\xb0",
    b"-",
    b"9" * 30,
    b"\n",
    b" ",
    b"\x1f\x8b",
    b"\xef\xbb\xbf",
)


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Give any bytes, or a seed with pieces cut, doubled, moved or replaced by words of its own language."""
    if not seeds or draw(st.integers(0, 15)) == 0:
        return draw(st.binary(max_size=400))
    whole = bytearray(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(whole)))
        end = min(len(whole), at + draw(st.one_of(st.integers(0, 4), st.integers(0, 200))))
        choice = draw(st.integers(0, 4))
        if choice == 0:
            whole[at:end] = draw(st.sampled_from([*words, *_ODD]))
        elif choice == 1:
            whole[at:end] = draw(st.binary(max_size=4))
        elif choice == 2:
            whole[at:at] = whole[at:end] * draw(st.integers(1, 3))
        elif choice == 3:
            piece = bytes(whole[at:end])
            del whole[at:end]
            to = draw(st.integers(0, len(whole)))
            whole[to:to] = piece
        else:
            del whole[at:end]
    return bytes(whole[:LENGTH_MAX])
