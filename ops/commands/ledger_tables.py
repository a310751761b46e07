"""The books as tables for people and as JSON lines for machines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.table import Table

from ledger.audit import Report
from ledger.money import Money
from ledger.statements import Journal, OpenItem, StatementLine, TrialLine


def _record(line: Any) -> str:
    """Return one JSON record; amounts are minor units next to their currency."""
    fields: dict[str, Any] = asdict(line) if is_dataclass(line) and not isinstance(line, type) else dict(line)
    plain: dict[str, Any] = {}
    for name, value in fields.items():
        match value:
            case {"amount_minor": minor, "currency": currency}:
                plain[f"{name}_minor"], plain["currency"] = minor, currency
            case bytes():
                plain[name] = value.hex()
            case _:
                plain[name] = value
    return msgspec.json.encode(plain, enc_hook=str).decode()


def _table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        amount = column in right
        table.add_column(column, justify="right" if amount else "left", no_wrap=amount, overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console()
    # What is piped has no screen to fit, and a cut amount is a wrong amount.
    Console(width=console.width if console.is_terminal else 200, soft_wrap=False).print(table)


def _side(minor: int, currency: str, *, debit: bool) -> str:
    shown = minor if debit else -minor
    return str(Money.of_total(shown, currency)).removeprefix(f"{currency} ") if shown > 0 else ""


def show_trial(lines: Sequence[TrialLine], *, as_json: bool) -> None:
    """Show totals and balances, with the sums that prove them, per currency."""
    if as_json:
        for line in lines:
            click.echo(_record(line))
        return
    for currency in dict.fromkeys(line.currency for line in lines):
        of = [line for line in lines if line.currency == currency]
        amounts = ("debits", "credits", "debit balance", "credit balance")
        table = _table(f"Trial balance, {currency}", "account", *amounts, right=amounts)
        for line in of:
            minor = line.balance.amount_minor
            table.add_row(
                line.account,
                _side(line.debit_minor, currency, debit=True),
                _side(line.credit_minor, currency, debit=True),
                _side(minor, currency, debit=True),
                _side(minor, currency, debit=False),
            )
        table.add_section()
        table.add_row(
            "total",
            _side(sum(line.debit_minor for line in of), currency, debit=True),
            _side(sum(line.credit_minor for line in of), currency, debit=True),
            _side(sum(max(line.balance.amount_minor, 0) for line in of), currency, debit=True),
            _side(sum(min(line.balance.amount_minor, 0) for line in of), currency, debit=False),
        )
        _print(table)
    if not lines:
        click.echo("Nothing has been posted.")


async def show_statement(
    path: str, currency: str, lines: AsyncIterator[StatementLine], zone: ZoneInfo, *, as_json: bool
) -> None:
    """Show each line as it arrives: a statement may be longer than memory."""
    if not as_json:
        click.echo(f"{path}, {currency}")
        click.echo(f"{'effective':<19}  {'journal':>9}  {'amount':>20}  {'balance':>22}  kind, reference")
    count = 0
    async for line in lines:
        count += 1
        if as_json:
            click.echo(_record(line))
            continue
        at = line.effective_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        amount, balance = (str(money).removeprefix(f"{currency} ") for money in (line.amount, line.balance))
        click.echo(f"{at}  {line.journal_id:>9}  {amount:>20}  {balance:>22}  {line.kind}, {line.reference}")
    if not as_json:
        click.echo(f"{count:,} postings")


async def show_items(path: str, currency: str, items: AsyncIterator[OpenItem], at: datetime, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"{path}, {currency}")
        click.echo(f"{'age':>9}  {'amount':>20}  {'journal':>9}  item, provider's reference")
    count = total = 0
    async for item in items:
        count, total = count + 1, total + item.amount.amount_minor
        if as_json:
            click.echo(_record({**asdict(item), "age_s": int((at - item.opened_at).total_seconds())}))
            continue
        age = at - item.opened_at
        amount = str(item.amount).removeprefix(f"{currency} ")
        shown = f"{age.days}d {age.seconds // 3600:>2}h"
        click.echo(f"{shown:>9}  {amount:>20}  {item.journal_id:>9}  {item.item}, {item.provider_reference or '-'}")
    if not as_json:
        click.echo(f"{count:,} open, {Money.of_total(total, currency)}")


def show_journal(found: Journal, zone: ZoneInfo, *, as_json: bool) -> None:
    if as_json:
        click.echo(_record(found))
        return
    for name, value in asdict(found).items():
        if name == "postings" or value in (None, "", False):
            continue
        shown = value.astimezone(zone).isoformat(sep=" ") if isinstance(value, datetime) else value
        click.echo(f"{name.replace('_', ' '):<19}{shown.hex() if isinstance(shown, bytes) else shown}")
    table = _table("", "account", "debit", "credit", "currency", "item", right=("debit", "credit"))
    for posting in found.postings:
        minor, currency = posting.amount.amount_minor, posting.amount.currency
        debit, credit = _side(minor, currency, debit=True), _side(minor, currency, debit=False)
        table.add_row(posting.account, debit, credit, currency, posting.item or "")
    _print(table)


def show_report(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(_record({**asdict(report), "proven": report.proven}))
        return
    click.echo(
        f"{report.journals:,} journals, {report.postings:,} postings, {report.accounts:,} accounts, {report.items:,} "
        f"items, {report.decisions:,} decisions, {report.seals:,} seals; {report.unsealed_journals:,} journals since "
        "the last seal"
    )
    for finding in report.findings:
        click.echo(str(finding))
    click.echo("Proven." if report.proven else f"NOT PROVEN: {len(report.findings):,} findings.")
