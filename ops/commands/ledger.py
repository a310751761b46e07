"""`mizan ledger`: read the books at any instant, prove them, write them out for others to check."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.accounts import check_path
from ledger.audit import verify
from ledger.errors import LedgerError
from ledger.export import Form, export, sealed_day, whole
from ledger.money import exponent_of
from ledger.statements import account_currencies, account_statement, journal, open_items, trial_balance
from ledger.store import Connection, Pool
from ops.commands import ledger_tables as tables

DAYS_SHOWN: Final = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the commands need: the database, the time and its zone, and the key that seals."""

    pool: Pool
    clock: Callable[[], datetime]
    zone: ZoneInfo
    signing_key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        return self.signing_key.public_key().public_bytes_raw()


OpenBooks = Callable[[], AbstractAsyncContextManager[Books]]
Reading = Callable[[], AbstractAsyncContextManager[tuple[Books, Connection]]]


class Instant(click.ParamType[datetime]):
    """An ISO instant; without a zone it is read in the zone of the business day."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-11-22 or 2026-11-22T14:30+04:00", param, ctx)


class Currency(click.ParamType[str]):
    name = "currency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            exponent_of(str(value))
        except LedgerError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class AccountPath(click.ParamType[str]):
    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            check_path(str(value))
        except LedgerError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def _zoned(books: Books, instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=books.zone) if instant is not None and instant.tzinfo is None else instant


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except LedgerError as error:
        raise click.ClickException(str(error)) from None


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one record a line, for machines.")
currency_option = click.option("--currency", type=Currency(), help="Only this currency, such as AED.")


def ledger_group(open_books: OpenBooks) -> click.Group:
    """Build the command over a way to open the books."""

    @asynccontextmanager
    async def reading() -> AsyncIterator[tuple[Books, Connection]]:
        async with open_books() as books, books.pool.acquire() as connection:
            yield books, connection

    @click.group("ledger")
    def ledger() -> None:
        """Read the books at any past instant, prove them, export them."""

    _add_reading(ledger, reading)
    _add_proving(ledger, reading)
    return ledger


def _add_reading(ledger: click.Group, reading: Reading) -> None:  # noqa: C901 - a list of commands, not a decision
    """Add what shows the books."""

    @ledger.command("trial-balance")
    @click.option("--at", type=Instant(), help="Effective instant; now without it.")
    @click.option("--known-at", type=Instant(), help="Leave out what was recorded after this instant.")
    @currency_option
    @as_json
    def trial(at: datetime | None, known_at: datetime | None, currency: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Show debits, credits and balance of every account; the balances sum to zero."""

        async def show() -> None:
            async with reading() as (books, connection):
                lines = await trial_balance(
                    connection, at=_zoned(books, at), known_at=_zoned(books, known_at), currency=currency
                )
            tables.show_trial(lines, as_json=as_json)

        _run(show())

    @ledger.command()
    @click.argument("path", type=AccountPath())
    @click.option("--from", "start", type=Instant(), help=f"From this instant; {DAYS_SHOWN} days back without it.")
    @click.option("--to", "end", type=Instant(), help="Up to before this instant; now without it.")
    @currency_option
    @as_json
    def account(path: str, start: datetime | None, end: datetime | None, currency: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Stream an account's statement with its running balance."""

        async def show() -> None:
            async with reading() as (books, connection):
                until = _zoned(books, end) or books.clock() + timedelta(microseconds=1)
                since = _zoned(books, start) or until - timedelta(days=DAYS_SHOWN)
                for each in [currency] if currency else await account_currencies(connection, path):
                    lines = account_statement(connection, path, each, start=since, end=until)
                    async with aclosing(lines):
                        await tables.show_statement(path, each, lines, books.zone, as_json=as_json)

        _run(show())

    @ledger.command()
    @click.argument("path", type=AccountPath())
    @click.option("--at", type=Instant(), help="Effective instant; now without it.")
    @currency_option
    @as_json
    def items(path: str, at: datetime | None, currency: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """List the open items of an account, oldest first, with their age."""

        async def show() -> None:
            async with reading() as (books, connection):
                instant = _zoned(books, at)
                for each in [currency] if currency else await account_currencies(connection, path):
                    async with aclosing(open_items(connection, path, each, at=instant)) as found:
                        await tables.show_items(path, each, found, instant or books.clock(), as_json=as_json)

        _run(show())

    @ledger.command("journal")
    @click.argument("number_or_reference")
    @as_json
    def show_journal(number_or_reference: str, as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Show one journal with its postings and its evidence."""

        async def show() -> None:
            async with reading() as (books, connection):
                found = await journal(connection, number_or_reference)
            if found is None:
                raise click.ClickException(f"there is no journal {number_or_reference}")
            tables.show_journal(found, books.zone, as_json=as_json)

        _run(show())


def _add_proving(ledger: click.Group, reading: Reading) -> None:
    """Add what proves the books and hands them out."""

    @ledger.command("verify")
    @click.option("--key", "keys", multiple=True, help="Public key a seal may be signed with, in hexadecimal.")
    @as_json
    def verify_command(keys: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
        """Prove the chain, every balance, every item and every seal. Exits with 1 when something is not proven."""

        async def show() -> None:
            async with reading() as (books, connection):
                try:
                    trusted = {books.public_key, *(bytes.fromhex(key) for key in keys)}
                except ValueError:
                    raise click.ClickException("--key expects a public key in hexadecimal") from None
                with _progress("journals proven") as progress:
                    task = progress.add_task("", total=None)
                    report = await verify(
                        connection,
                        trusted_keys=trusted,
                        progress=lambda done, total: progress.update(task, completed=done, total=total),
                    )
            tables.show_report(report, as_json=as_json)
            if not report.proven:
                sys.exit(1)

        _run(show())

    @ledger.command()
    def key() -> None:
        """Print the public key that verifies the seals."""

        async def show() -> None:
            async with reading() as (books, _connection):
                click.echo(books.public_key.hex())

        _run(show())

    @ledger.command("export")
    @click.option("--format", "form", type=click.Choice([form.value for form in Form]), default="jsonl")
    @click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only what the seal of this business date added.")
    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else the screen.")
    def export_command(form: str, day: datetime | None, output: Path | None) -> None:
        """Write the books for others to check."""

        async def write() -> None:
            async with reading() as (_books, connection):
                extent = await (sealed_day(connection, day.date()) if day else whole(connection))
                with _sink(output) as file, _progress("bytes written") as progress:
                    task = progress.add_task("", total=None)
                    async with aclosing(export(connection, Form(form), extent)) as pieces:
                        async for piece in pieces:
                            progress.advance(task, file.write(piece))

        _run(write())


def _sink(output: Path | None) -> Any:
    return output.open("w", encoding="utf-8", newline="") if output else click.open_file("-", "w", encoding="utf-8")


def _progress(unit: str) -> Progress:
    """Return a bar on the error stream, so that what is printed can be piped; silent when nobody watches."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
