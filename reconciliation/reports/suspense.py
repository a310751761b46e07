"""Suspense ageing: money nobody has placed yet, how long it has waited, item by item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ledger.money import Money
from reconciliation.ageing import age_band
from reconciliation.reports.report import Asked, Cell, Column, Report, Row, Shape, Table, sum_row
from reconciliation.reports.words import word
from reconciliation.store import Connection, known

BANDS: Final = ("0–1", "2–3", "4–7", "8–14", "15–30", ">30")
_PATTERNS: Final = ("suspense:%", "disputes:%")


async def suspense_ageing(connection: Connection, asked: Asked) -> Report:
    """Build the ageing by account, then every item; the bands sum to the accounts' balances."""
    language, today = asked.language, asked.business_date
    aged: dict[tuple[str, str], dict[str, int]] = {}
    balances: dict[tuple[str, str], int] = {}
    for pattern in _PATTERNS:
        for row in await known.open_sums(connection, pattern, today, asked.recorded_since, asked.known):
            bands = aged.setdefault((row["account"], row["currency"]), {})
            band = age_band(row["business_date"], today)
            bands[band] = bands.get(band, 0) + _natural(row["account"], row["amount_minor"])
        for row in await known.movements(connection, today, today, asked.recorded_since, asked.known, pattern):
            balances[row["account"], row["currency"]] = _natural(row["account"], row["closing_minor"])
    body: list[Row] = []
    even = all(balances[key] == sum(aged.get(key, {}).values()) for key in balances)
    for (account, currency), bands in sorted(aged.items()):
        amounts: list[Cell] = [Money.of_total(bands.get(band, 0), currency) for band in BANDS]
        body.append((account, *amounts, Money.of_total(balances.get((account, currency), 0), currency)))
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        *(Column(f"{band} {word('days', language)}", Shape.AMOUNT) for band in BANDS),
        Column(word("balance", language), Shape.AMOUNT),
    )
    item_columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("reference", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("age", language), Shape.COUNT),
        Column(word("payment", language), Shape.REFERENCE),
        Column(word("amount", language), Shape.AMOUNT),
    )
    tables = (
        Table(word("suspense_table", language), columns, body, sum_row(body, language), word("none", language)),
        Table(word("items", language), item_columns, _items(connection, asked), empty=word("none", language)),
    )
    note = word("ties" if even else "does_not_tie", language)
    return Report.of("suspense", word("suspense", language), asked, tables, note)


def _natural(account: str, amount_minor: int) -> int:
    """Give what we hold for others as a positive amount, and what was taken from us as one too."""
    return amount_minor if account.startswith("disputes:") else -amount_minor


async def _items(connection: Connection, asked: Asked) -> AsyncIterator[Row]:
    for pattern in _PATTERNS:
        async for row in known.open_items(connection, pattern, asked.business_date, asked.recorded_since, asked.known):
            yield (
                row["account"], row["item"], row["business_date"],
                max(0, (asked.business_date - row["business_date"]).days), row["payment"],
                Money.of_total(_natural(row["account"], row["amount_minor"]), row["currency"]),
            )  # fmt: skip
