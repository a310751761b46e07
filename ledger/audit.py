"""Proving the books: the chain, every balance, every open item, every decision and every seal, against the rows.

The chain is walked in pages, each a query of its own, so that a long proof holds no old snapshot; only what is derived
(hours, whose latest is the balance, items, head) is compared in one snapshot at the end. PostgreSQL delivers each
journal as the bytes that were hashed; they are hashed and read again here.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from ledger import audit_sql as sql
from ledger.chain import NO_HASH, Walk
from ledger.pages import page_end
from ledger.seal import Seal
from ledger.store import Connection

PAGE_JOURNALS: Final = 8_000
PAGE_POSTINGS: Final = 40_000
FINDINGS_MAX: Final = 1_000
WHOLE_TABLE_TIMEOUT_S: Final = 7_200.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written: where, and what is wrong with it."""

    table: str
    key: str
    fault: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.fault}"


@dataclass(slots=True)
class Report:
    """What a proof covered and what it found; no findings means proven."""

    journals: int = 0
    postings: int = 0
    accounts: int = 0
    items: int = 0
    decisions: int = 0
    seals: int = 0
    unsealed_journals: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        return not self.findings

    def find(self, table: str, key: object, fault: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(table, str(key), fault))


async def verify(
    connection: Connection,
    *,
    trusted_keys: Collection[bytes] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Prove the whole ledger. `trusted_keys` are the raw public keys a seal may be signed with; None trusts any."""
    report = Report()
    walk = Walk(report.find)
    await _walk(connection, walk, progress)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await _walk(connection, walk, progress)
        report.journals, report.postings, report.accounts = walk.journals, walk.postings, len(walk.names)
        head = await connection.fetchrow(sql.HEAD)
        if head is None:
            report.find("head", "", "is missing")
        else:
            await _prove_decisions(connection, head, report)
            await _prove_head(connection, head, walk, report)
            await _prove_seals(connection, head, walk, report, trusted_keys)
        await _prove_derived(connection, report)
    report.findings.sort(key=lambda finding: (finding.table, len(finding.key), finding.key))
    return report


async def _walk(connection: Connection, walk: Walk, progress: Callable[[int, int], None]) -> None:
    """Walk the chain up to its present end, asking for the next page while this one is hashed."""
    last: int = await connection.fetchval(sql.LAST_JOURNAL)
    seals: dict[int, list[Seal]] = {}
    for row in await connection.fetch(sql.SEALS):
        seals.setdefault(row["journal_id"], []).append(Seal.from_row(row))

    async def page(after: int) -> tuple[int, list[Any], list[Any]]:
        first = await connection.fetchval(sql.NEXT_JOURNAL, after)
        until = min((first or last) - 1 + PAGE_JOURNALS, last)
        until = await page_end(connection, after, until, PAGE_POSTINGS)
        accounts = await connection.fetch(sql.ACCOUNTS, after, until)
        return until, accounts, await connection.fetch(sql.JOURNALS, after, until)

    until = walk.journal_id
    reading: asyncio.Task[tuple[int, list[Any], list[Any]]] | None = None
    while until < last:
        until, accounts, journals = await (reading or page(until))
        reading = asyncio.create_task(page(until)) if until < last else None
        await asyncio.sleep(0)  # lets the next question leave before this answer is worked through
        opened = walk.open_accounts(accounts)
        for journal in journals:
            walk.step(journal, opened.get(journal[0], b""))
            for seal in seals.get(walk.journal_id, ()):
                if seal.journal_hash != walk.computed:
                    walk.find("seal", seal.number, f"journal {seal.journal_id} is not what was sealed")
                if seal.trial_balance != walk.trial_balance():
                    walk.find("seal", seal.number, "its trial balance is not that of the postings")
        progress(until, last)


async def _prove_decisions(connection: Connection, head: Any, report: Report) -> None:
    """Walk the chain of decisions and compare what follows from it: closed periods and floors."""
    stored = NO_HASH
    floors: dict[tuple[str, str], int] = {}
    closed: tuple[Any, Any] = (None, None)
    for row in await connection.fetch(sql.DECISIONS):
        report.decisions += 1
        if row["id"] != report.decisions:
            report.find("decision", row["id"], "follows a decision that is missing")
        if hashlib.sha256(stored + row["body"]).digest() != row["hash"]:
            report.find("decision", row["id"], "is not as hashed")
        stored = row["hash"]
        match row["kind"]:
            case "period_closed":
                closed = (row["closed_until"], row["closed_before"])
            case "floor_set":
                floors[row["path"], row["currency"]] = row["floor_minor"]
            case _:
                floors.pop((row["path"], row["currency"]), None)
    if (head["decision_id"], head["decision_hash"]) != (report.decisions, stored):
        report.find("head", "decision", "is not the last decision")
    if (head["closed_until"], head["closed_before"]) != closed:
        report.find("head", "closed", "the closed period is not what was decided")
    have = {(row["path"], row["currency"]): row["floor_minor"] for row in await connection.fetch(sql.FLOORS)}
    for key in sorted(have.keys() | floors.keys()):
        if have.get(key) != floors.get(key):
            report.find("floor", " ".join(key), "is not what was decided")


async def _prove_head(connection: Connection, head: Any, walk: Walk, report: Report) -> None:
    # A last journal that was changed is named as such; the head, which still has its true hash, is not at fault.
    hash_held = head["hash"] if head["hash"] in (walk.computed, walk.stored) else walk.computed
    expected = {
        "journal": ((head["journal_id"], head["hash"]), (walk.journal_id, hash_held)),
        "account": (head["account_id"], max(walk.names, default=0)),
        "recorded_at": (head["recorded_at"], await connection.fetchval(sql.LAST_RECORDED)),
        "months": (head["months_exist"], True),
        "hour": (head["hour_exists"], True),
        "row": (head["alone"], True),
    }
    for name, (have, want) in expected.items():
        if have != want:
            report.find("head", name, "is not what the rows say")


async def _prove_derived(connection: Connection, report: Report) -> None:
    """Compare accounts, hours and items with the postings, in the snapshot the walk ended in.

    An account's latest hour is its balance.
    """
    await connection.execute(sql.ROOM_TO_SORT)
    for statement, table, fault in (
        (sql.ACCOUNTS_ASTRAY, "account", "was opened by no journal, or out of turn"),
        (sql.POSTINGS_ASTRAY, "posting", "belongs to no journal"),
        (sql.HOURS_WRONG, "hourly", "is not the sum of the postings up to it"),
        (sql.ITEMS_WRONG, "item", "is not what its postings say"),
    ):
        for row in await connection.fetch(statement, timeout=WHOLE_TABLE_TIMEOUT_S):
            report.find(table, row["key"], fault)
    report.items = await connection.fetchval(sql.ITEMS)


async def _prove_seals(
    connection: Connection, head: Any, walk: Walk, report: Report, trusted_keys: Collection[bytes] | None
) -> None:
    decisions = {row["id"]: row["hash"] for row in await connection.fetch(sql.DECISIONS)}
    last: Seal | None = None
    for row in await connection.fetch(sql.SEALS):
        seal = Seal.from_row(row)
        report.seals += 1
        trusted = trusted_keys is None or seal.public_key in trusted_keys
        before = (last.number, last.hash(), last.journal_id, last.business_date) if last else (0, NO_HASH, 0, date.min)
        for wrong, fault in (
            (not seal.is_authentic(), "its signature does not fit what it signs"),
            (not trusted, "is signed with a key that is not trusted"),
            ((seal.number - 1, seal.previous) != before[:2], "does not follow the seal before it"),
            (not before[2] <= seal.journal_id <= walk.journal_id, "seals a journal that is not there"),
            (seal.business_date <= before[3], "seals a day out of turn"),
            (decisions.get(seal.decision_id, NO_HASH) != seal.decision_hash, "decisions are not what was sealed"),
            (
                not seal.journal_id and (seal.journal_hash, seal.trial_balance) != (NO_HASH, ""),
                "seals something before the first journal",
            ),
        ):
            if wrong:
                report.find("seal", seal.number, fault)
        last = seal
    report.unsealed_journals = walk.journal_id - (last.journal_id if last else 0)
    if (head["seal_number"], head["seal_hash"]) != ((last.number, last.hash()) if last else (0, NO_HASH)):
        report.find("head", "seal", "is not the last seal")
