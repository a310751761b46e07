"""A process that dies where it is told: between any two statements, around any commit, around any network call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Killed(BaseException):
    """kill -9: no handler that means to go on may run, and the database sees the connection vanish."""


class Deathbed:
    """Counts the moments at which a process can die, and makes it die at one of them."""

    def __init__(self, die_at: int | None = None) -> None:
        self.die_at = die_at
        self.moments = 0
        self.dead = False

    def moment(self) -> None:
        if self.dead:
            raise Killed
        self.moments += 1
        if self.moments == self.die_at:
            self.dead = True
            raise Killed


class MortalConnection:
    def __init__(self, real: Any, deathbed: Deathbed) -> None:
        self._real = real
        self._deathbed = deathbed

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._real, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute", "executemany", "copy_records_to_table"}:
            return inner

        async def call(*args: Any, **more: Any) -> Any:
            self._deathbed.moment()
            return await inner(*args, **more)

        return call

    @asynccontextmanager
    async def transaction(self, **more: Any) -> AsyncIterator[None]:
        transaction = self._real.transaction(**more)
        await transaction.start()
        try:
            yield
            self._deathbed.moment()
        except Killed:
            self._real.terminate()
            raise
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        self._deathbed.moment()  # committed, and nobody was told


class MortalPool:
    def __init__(self, real: Any, deathbed: Deathbed) -> None:
        self._real = real
        self._deathbed = deathbed

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[MortalConnection]:
        self._deathbed.moment()
        async with self._real.acquire() as connection:
            yield MortalConnection(connection, self._deathbed)


class MortalCaller:
    """The outside party is real and lives on; only whoever called it dies, before the request or after the answer."""

    def __init__(self, real: Any, deathbed: Deathbed) -> None:
        self._real = real
        self._deathbed = deathbed

    async def settlement_files(self, business_date: Any) -> AsyncIterator[Any]:
        self._deathbed.moment()
        async for file in self._real.settlement_files(business_date):
            yield file
            self._deathbed.moment()

    async def statements(self, iban: str, business_date: Any) -> AsyncIterator[Any]:
        self._deathbed.moment()
        async for statement in self._real.statements(iban, business_date):
            yield statement

    async def send_payout(self, file: Any) -> Any:
        self._deathbed.moment()
        report = await self._real.send_payout(file)
        self._deathbed.moment()
        return report

    async def query_payout(self, message_id: str) -> Any:
        self._deathbed.moment()
        report = await self._real.query_payout(message_id)
        self._deathbed.moment()
        return report
