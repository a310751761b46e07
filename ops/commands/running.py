"""What every command does around its work: open what it needs, run it, and tell a refusal in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import click

from gateway.domain.errors import GatewayError
from ledger.errors import LedgerError
from reconciliation.errors import ReconciliationError

Opened = TypeVar("Opened")


def plainly(error: Exception) -> str:
    return error.detail if isinstance(error, GatewayError) else str(error)


def runner(
    open_one: Callable[[], AbstractAsyncContextManager[Opened]], tell: Callable[[Exception], str] = plainly
) -> Callable[[Callable[[Opened], Awaitable[Any]]], Any]:
    """Return what does a piece of work with whatever `open_one` opens."""

    def run(work: Callable[[Opened], Awaitable[Any]]) -> Any:
        async def opened() -> Any:
            async with open_one() as one:
                return await work(one)

        try:
            return asyncio.run(opened())
        except (GatewayError, ReconciliationError, LedgerError) as error:
            raise click.ClickException(tell(error)) from None

    return run
