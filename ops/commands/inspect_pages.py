"""How an inspected file is shown: as lines for a person or as one JSON document, both while the file still streams."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

import click
import msgspec

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import SettlementSummary
from adapters.formats.settlement_lines import Figures
from ledger.money import Money

REMITTANCE_SHOWN_MAX = 60


def shown(text: str | None) -> str:
    """Return text that came from outside so that a terminal shows it and does nothing else."""
    return "".join(mark if mark.isprintable() else "\u00b7" for mark in text or "")


def entry_line(entry: StatementEntry) -> str:
    references = [reference for reference in (entry.end_to_end_id, entry.bank_reference) if reference]
    words = [*references, entry.counterparty or "", entry.remittance[:REMITTANCE_SHOWN_MAX]]
    flag = " returned" if entry.returned else ""
    amount = f"{entry.amount.currency} {entry.amount.decimal():>16}"
    text = " | ".join(shown(word) for word in words if word)
    return f"{entry.number:>7}  {entry.booked_on}  {entry.value_on}  {amount}{flag}  {text}"


def settlement_line(line: Figures) -> str:
    figures = (Money(minor, line.currency).decimal() for minor in (line.gross_minor, line.fee_minor, line.net_minor))
    gross, fee, net = figures
    day = str(line.at.date() if isinstance(line.at, datetime) else line.at or "")
    names = " | ".join(shown(name) for name in (line.reference, line.provider_reference) if name)
    return f"{line.number:>7}  {line.kind:<19}  {day:>10}  {line.currency} {gross:>14} - {fee:>10} = {net:>14}  {names}"


def as_json(part: Any) -> dict[str, Any]:
    """Return the part's fields for JSON: money as its decimal text, days and times as ISO has them."""
    if isinstance(part, Figures):
        return {name: _plain(value) for name, value in part._asdict().items()}
    return {field.name: _plain(getattr(part, field.name)) for field in dataclasses.fields(part)}


def batch_json(batch: SettlementSummary) -> dict[str, Any]:
    return {
        "provider": batch.provider,
        "batch_reference": batch.batch_reference,
        "currency": batch.currency,
        "business_date": _plain(batch.business_date),
        "expected_credit_date": _plain(batch.expected_credit_date),
        "line_count": batch.line_count,
        "net_minor": batch.net_minor,
        "stated_net_minor": batch.stated_net_minor,
        "total_net": _plain(batch.total_net),
        "refused_count": batch.refused_count,
        "refused_lines": batch.refused_lines,
    }


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return {"amount": value.decimal(), "currency": value.currency}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


class Page(Protocol):
    """Where a reading is shown."""

    def begin(self, about: Mapping[str, str]) -> None: ...

    def item(self, text: str, data: Mapping[str, Any], /) -> None: ...

    def close(self, lines: Sequence[str], data: Mapping[str, Any], warnings: Sequence[str], /) -> None: ...

    def refuse(self, error: FileRefusedError) -> None: ...

    def end(self, verdict: str) -> None: ...


class TextPage:
    """Lines for a person: entries as they come, then what they belong to."""

    def begin(self, about: Mapping[str, str]) -> None:
        click.echo(", ".join(f"{name}: {shown(text)}" for name, text in about.items()))

    def item(self, text: str, _: Mapping[str, Any]) -> None:
        click.echo(text)

    def close(self, lines: Sequence[str], _: Mapping[str, Any], warnings: Sequence[str]) -> None:
        for line in lines:
            click.echo(line)
        for warning in warnings:
            click.echo(f"warning: {shown(warning)}")

    def refuse(self, error: FileRefusedError) -> None:
        click.echo(f"refused: {shown(str(error))}")

    def end(self, verdict: str) -> None:
        click.echo("read whole" if verdict == "read" else "read with warnings")


class StatementsJson:
    """One JSON document, written as the file streams: a list of statements, each with its entries first."""

    def __init__(self) -> None:
        self._begun = False
        self._statement_count = 0
        self._entry_count = 0
        self._open = False

    def begin(self, about: Mapping[str, str]) -> None:
        click.echo(f'{_json(about)[:-1]},"statements":[', nl=False)
        self._begun = True

    def item(self, _: str, data: Mapping[str, Any]) -> None:
        self._open_statement()
        click.echo(f"{',' if self._entry_count else ''}\n{_json(data)}", nl=False)
        self._entry_count += 1

    def close(self, _: Sequence[str], data: Mapping[str, Any], warnings: Sequence[str]) -> None:
        self._open_statement()
        click.echo(f"],{_json({**data, 'warnings': warnings})[1:]}", nl=False)
        self._open = False

    def refuse(self, error: FileRefusedError) -> None:
        if not self._begun:
            click.echo('{"statements":[', nl=False)
        if self._open:
            click.echo('],"incomplete":true}', nl=False)
        click.echo(f"],{_fate(error)}")

    def end(self, verdict: str) -> None:
        click.echo(f'],"outcome":"{verdict}"}}')

    def _open_statement(self) -> None:
        if not self._open:
            click.echo(f'{"," if self._statement_count else ""}\n{{"entries":[', nl=False)
            self._open, self._entry_count = True, 0
            self._statement_count += 1


class SettlementJson:
    """One JSON document, written as the file streams: the lines, each with its batch, then the batches."""

    def __init__(self) -> None:
        self._begun = False
        self._line_count = 0
        self._batch_count = 0

    def begin(self, about: Mapping[str, str]) -> None:
        click.echo(f'{_json(about)[:-1]},"lines":[', nl=False)
        self._begun = True

    def item(self, _: str, data: Mapping[str, Any]) -> None:
        click.echo(f"{',' if self._line_count else ''}\n{_json(data)}", nl=False)
        self._line_count += 1

    def close(self, _: Sequence[str], data: Mapping[str, Any], warnings: Sequence[str]) -> None:
        click.echo("," if self._batch_count else '],"batches":[')
        click.echo(_json({**data, "warnings": warnings}), nl=False)
        self._batch_count += 1

    def refuse(self, error: FileRefusedError) -> None:
        if not self._begun:
            click.echo('{"lines":[', nl=False)
        click.echo(f"],{_fate(error)}")

    def end(self, verdict: str) -> None:
        click.echo(f'],"outcome":"{verdict}"}}')


def _fate(error: FileRefusedError) -> str:
    return _json({"outcome": "refused", "reason": error.reason, "line": error.line})[1:]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
