"""The daily close certificate for people to read: built from what was signed, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.money import Money
from reconciliation.breaks import BreakType, Language, title
from reconciliation.certificates import read_certificate
from reconciliation.errors import NotFoundError
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table, sum_row
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection, days

_OWED: Final = ("department:", "tax:")
_GROUPS: Final = ("cash", "at_providers", "owed", "suspended", "treasury_own")


async def close_certificate(connection: Connection, asked: Asked) -> Report:
    """Build opening, in, out and closing, the breaks that stood, and the seal; `NotFoundError` while it is open."""
    found = await days.closed(connection, asked.business_date, asked.known)
    if found is None:
        raise NotFoundError(f"{asked.business_date} is not closed; `mizan finance day status` says what is missing")
    language = asked.language
    signed = read_certificate(found["certificate"])
    lines = signed["account"]
    tables = (
        _sums(lines, language),
        _accounts(lines, language),
        _breaks(signed["break"], language),
        _seal(signed, language),
    )
    note = word("ties" if _is_even(lines) else "does_not_tie", language)
    return Report.of("certificate", word("certificate", language), asked, tables, note)


def group_of(account: str) -> str:
    """Name the part of the day's sums an account belongs to."""
    if account.startswith("bank:"):
        return "cash"
    if account.startswith(_OWED):
        return "owed"
    if account.startswith(("suspense:", "disputes:")):
        return "suspended"
    return "at_providers" if account.startswith("provider:") else "treasury_own"


def _sums(lines: Sequence[Mapping[str, Any]], language: Language) -> Table:
    """Sum the day by what the money is; debits are positive, and the closings of a currency sum to zero."""
    sums: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        amounts = sums.setdefault((line["currency"], group_of(line["account"])), [0, 0, 0, 0])
        for place, name in enumerate(("opening_minor", "debit_minor", "credit_minor", "closing_minor")):
            amounts[place] += line[name]
    body: list[Row] = [
        (word(group, language), *(Money.of_total(minor, currency) for minor in amounts))
        for (currency, group), amounts in sorted(sums.items(), key=lambda one: (one[0][0], _GROUPS.index(one[0][1])))
    ]
    columns = (
        Column(word("account", language)),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("opening", "debit", "credit", "closing")),
    )
    return Table(word("day_table", language), columns, body, sum_row(body, language), word("none", language))


def _accounts(lines: Sequence[Mapping[str, Any]], language: Language) -> Table:
    names = ("opening_minor", "debit_minor", "credit_minor", "closing_minor", "after_minor")
    body: list[Row] = [
        (line["account"], *(Money.of_total(line[name], line["currency"]) for name in names)) for line in lines
    ]
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("opening", "debit", "credit", "closing", "after")),
    )
    return Table(word("accounts_table", language), columns, body, sum_row(body, language), word("none", language))


def _breaks(lines: Sequence[Mapping[str, Any]], language: Language) -> Table:
    body: list[Row] = [
        (line["id"], title(BreakType(line["type"]), language),
         Money.of_total(line["amount_minor"], line["currency"]) if line["currency"] else None, line["since"],
         status_word(line["owner"], language), line["reason"])
        for line in lines
    ]  # fmt: skip
    columns = (
        Column(word("break", language), Shape.REFERENCE),
        Column(word("type", language)),
        Column(word("value", language), Shape.AMOUNT),
        Column(word("date", language), Shape.REFERENCE),
        Column(word("owner", language)),
        Column(word("explained", language)),
    )
    return Table(word("breaks_table", language), columns, body, empty=word("none", language))


def _seal(signed: Mapping[str, Sequence[Mapping[str, Any]]], language: Language) -> Table:
    (decision,), (seal,), (signature,) = signed["certificate"], signed["seal"], signed["signature"]
    body: list[Row] = [
        (word("proposed_by", language), f"{decision['proposed_by']} {decision['proposed_at']}"),
        (word("closed_by", language), f"{decision['approved_by']} {decision['approved_at']}"),
        (word("note", language), decision["note"]),
        (word("seal_number", language), str(seal["number"])),
        (word("head", language), f"{seal['journal_id']} {seal['journal_hash']}"),
        (word("public_key", language), signature["public_key"]),
        (word("signature", language), signature["signature"]),
    ]
    columns = (Column(word("fact", language)), Column(word("told", language), Shape.REFERENCE))
    return Table(word("seal_table", language), columns, body)


def _is_even(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Prove every line, and that the day's closings balance in each currency."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line["currency"]] = sums.get(line["currency"], 0) + line["closing_minor"]
        closes = line["opening_minor"] + line["debit_minor"] - line["credit_minor"] == line["closing_minor"]
        sealed_minor = line["sealed_debit_minor"] - line["sealed_credit_minor"]
        if not closes or line["closing_minor"] + line["after_minor"] != sealed_minor:
            return False
    return not any(sums.values())
