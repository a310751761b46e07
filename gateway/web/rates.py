"""How many requests one caller, or one address that guesses, may send: a leaky bucket each, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from math import ceil
from typing import Final

import msgspec

WINDOW_S: Final = 60.0
_BUCKETS_MAX: Final = 50_000


class Rate(msgspec.Struct, frozen=True):
    """What is left of a caller's quota, for the headers that tell it."""

    quota: int
    remaining: int
    reset_s: int
    refused: bool

    def headers(self) -> dict[str, str]:
        """Write the quota as draft-ietf-httpapi-ratelimit-headers has it, and as its widely read forebear had."""
        return {
            "RateLimit-Policy": _policy(self.quota),
            "RateLimit": f'"default";r={self.remaining};t={self.reset_s}',
            "RateLimit-Limit": str(self.quota),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


@lru_cache(maxsize=64)
def _policy(quota: int) -> str:
    return f'"default";q={quota};w={WINDOW_S:.0f}'


class Rates:
    """One bucket a name. A full quota may be spent at once; it comes back evenly over the window.

    Kept in the process: with several web processes each gives the quota, and which one answers is chance. A bucket
    that was not touched for longest makes room for a new one; a bucket at rest is full, so nothing is lost by that.
    """

    def __init__(self, *, buckets_max: int = _BUCKETS_MAX) -> None:
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._buckets_max = buckets_max

    def take(self, name: tuple[str, str], quota: int, now_s: float) -> Rate:
        """Take one from the bucket, or refuse and say when there is one again."""
        full_at = min(max(self._full_at.get(name, 0.0), now_s), now_s + WINDOW_S)
        each_s = WINDOW_S / quota
        if full_at - now_s > WINDOW_S - each_s:
            return Rate(quota, 0, max(1, ceil(full_at + each_s - WINDOW_S - now_s)), refused=True)
        full_at += each_s
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._buckets_max:
            self._full_at.popitem(last=False)
        spent_s = full_at - now_s
        return Rate(quota, int((WINDOW_S - spent_s) / each_s + 1e-9), ceil(spent_s), refused=False)

    def is_empty(self, name: tuple[str, str], quota: int, now_s: float) -> int | None:
        """Return in how many seconds there is one again, or None while there is one; nothing is taken."""
        full_at = min(max(self._full_at.get(name, 0.0), now_s), now_s + WINDOW_S)
        each_s = WINDOW_S / quota
        if full_at - now_s <= WINDOW_S - each_s:
            return None
        return max(1, ceil(full_at + each_s - WINDOW_S - now_s))

    def __len__(self) -> int:
        return len(self._full_at)
