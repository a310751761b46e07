"""What is sealed is read with its key, for its own row, and by nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sealing import SealedError, Sealer, sealer

OLD, NEW = b"o" * 32, b"n" * 32
PLAIN = bytes(range(32))


def seal(one, plain=PLAIN, about="we_1"):
    return one.seal(plain, about, random.Random(1).randbytes)


@given(st.binary(min_size=24, max_size=64))
def test_what_was_sealed_is_opened(plain):
    one = Sealer((NEW,))
    sealed = seal(one, plain)
    assert one.open(sealed, "we_1") == plain
    assert plain not in sealed


def test_a_new_key_seals_and_the_old_one_still_opens():
    rotated = Sealer((NEW, OLD))
    before = seal(Sealer((OLD,)))
    assert rotated.open(before, "we_1") == PLAIN
    assert seal(rotated).startswith(rotated.head)
    with pytest.raises(SealedError):
        Sealer((NEW,)).open(before, "we_1")


@given(st.integers(0, 68))
def test_no_byte_can_be_changed(place):
    one = Sealer((NEW,))
    sealed = bytearray(seal(one))
    sealed[place] ^= 1
    with pytest.raises(SealedError):
        one.open(bytes(sealed), "we_1")


def test_it_cannot_be_moved_to_another_row():
    one = Sealer((NEW,))
    with pytest.raises(SealedError):
        one.open(seal(one), "we_2")


def test_what_was_written_before_there_were_keys_is_as_it_is():
    assert Sealer((NEW,)).open(b"x" * 32, "we_1") == b"x" * 32


def test_without_keys_they_come_from_the_installation_s_secrets():
    assert sealer((), (b"a", b"b")).keys != sealer((), (b"b",)).keys
    assert sealer((NEW,), (b"a",)).keys == (NEW,)
    assert sealer((), (b"b",)).open(seal(sealer((), (b"b", b"a"))), "we_1") == PLAIN
