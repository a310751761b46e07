"""One reader of bytes from outside, and what may come of any bytes at all: a reading that holds, or a refusal."""

from __future__ import annotations

import dataclasses
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

CPU_S_MAX: Final = 2.0
MEMORY_KIB_MAX: Final = 256 * 1024
"""How much more memory one small input may ask for."""


class BrokenRuleError(AssertionError):
    """A reader gave something that must not come out of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """`read` takes any bytes and gives what it read; only `refusals` may come out of it otherwise.

    `words` are the pieces of which such a file is made: whoever damages a seed puts them in.
    """

    name: str
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    words: tuple[bytes, ...] = ()


def hold(target: Target, data: bytes) -> bool:
    """Read the bytes and say whether they were accepted; whatever else happens is raised."""
    started_s, before_kib = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        found = target.read(data)
        _examine(found)
        accepted = True
    except target.refusals as refusal:
        _examine(str(refusal))
        accepted = False
    took_s = time.process_time() - started_s
    if took_s > CPU_S_MAX:
        raise BrokenRuleError(f"{len(data)} bytes took {took_s:.1f} s")
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    if grown_kib > MEMORY_KIB_MAX:
        raise BrokenRuleError(f"{len(data)} bytes took {grown_kib // 1024} MiB")
    return accepted


def _examine(found: object) -> None:
    """Refuse texts that no database and no page can take: NUL, or halves of characters."""
    for text in _texts(found):
        if "\0" in text:
            raise BrokenRuleError(f"a NUL was read: {text[:60]!r}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BrokenRuleError(f"half a character was read: {text[:60]!r}") from None


def _texts(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, Mapping):
        for key, value in found.items():
            yield from _texts(key)
            yield from _texts(value)
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        for each in dataclasses.fields(found):
            yield from _texts(getattr(found, each.name))
    elif isinstance(found, msgspec.Struct):
        for name in found.__struct_fields__:
            yield from _texts(getattr(found, name))
    elif isinstance(found, Iterable) and not isinstance(found, bytes | bytearray | memoryview):
        for each in found:
            yield from _texts(each)
