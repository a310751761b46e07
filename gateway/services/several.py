"""Several calls at once, within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def several(items: Sequence[T], ask: Callable[[T], Awaitable[R]], *, at_once: int) -> list[R]:
    """Do the same for several things; one result each, in order. All end before any failure is raised."""
    if len(items) == 1:
        return [await ask(items[0])]
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await ask(item)

    results = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
    answers = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        answers.append(result)
    return answers
