"""Settlement lines into the books: what came as expected together, a journal for thousands; the rest line by line."""

from __future__ import annotations

from typing import Final

from ledger.collective import post_collective
from ledger.entry import Entry
from ledger.errors import LedgerError
from ledger.journal import PostStatus, post_within
from reconciliation.breaks import BreakType
from reconciliation.matching import Leg
from reconciliation.night import Counts, Night
from reconciliation.postings import Booking, LineEvidence, settlement_entry
from reconciliation.settled_lines import SettledLines, lines_around, settled_lines_entry
from reconciliation.store import Connection, Record, breaks, settlement_files, settlement_postings
from reconciliation.store.breaks import NewBreak

STEP: Final = "match"


async def post_files(night: Night, counts: Counts) -> None:
    """Post every accepted file from where it stands, a bounded number of lines a transaction."""
    async with night.transaction() as connection:
        files = await settlement_files.unposted(connection)
    for file in files:
        while await _post_chunk(night, file, counts):
            night.tell(STEP, counts)


async def _post_chunk(night: Night, file: Record, counts: Counts) -> bool:
    """Post the next lines of a file; return whether there may be more.

    How far posting came moves with the postings. The ledger's one lock is held for a chunk, so that payments made
    meanwhile wait for a moment only.
    """
    async with night.transaction() as connection:
        through = await settlement_files.posted_through(connection, file["file_no"])
        number = await settlement_postings.next_line(connection, file["file_no"], through)
        _, last = lines_around(number) if number is not None else (0, file["last_line"])
        await settlement_files.move_posted_through(connection, file["file_no"], min(last, file["last_line"]))
        if number is None:
            return False
        booking = Booking(file["book_date"], file["effective_at"], file["late_for"])
        chunk = await settlement_postings.chunk(connection, file["file_no"], through, last)
        collected = await _post_together(night, connection, file, chunk, booking)
        rows = await settlement_postings.lines(
            connection, file["file_no"], (chunk["others"] or ()) if collected else chunk["numbers"]
        )
        refused: list[tuple[int, str]] = []
        counts["lines_posted"] += collected + await _post_each(night, connection, file, rows, booking, refused)
        counts["lines_refused"] += len(refused)
        counts["breaks"] += await breaks.raise_breaks(
            connection,
            [_refused_line(night, file, number, reason) for number, reason in refused],
            now=night.deps.clock(),
            random_bytes=night.deps.random_bytes,
        )
        return True


async def _post_together(night: Night, connection: Connection, file: Record, chunk: Record, booking: Booking) -> int:
    """Post the payments settled as expected in one journal; return how many, none if it is not to be had.

    One alone is posted as itself. Whatever refuses the journal is for each line to be told, so then none is collected.
    """
    if chunk["lines"] < 2:  # noqa: PLR2004 - together means two or more
        return 0
    try:
        entry = settled_lines_entry(
            SettledLines(
                provider=file["provider"],
                file_no=file["file_no"],
                file_name=file["name"],
                first_line=chunk["first_line"],
                batch_reference=file["batch_reference"],
                currency=file["currency"],
                fee_minor=chunk["fee_minor"],
                fee_vat_minor=chunk["fee_vat_minor"],
                net_minor=chunk["net_minor"],
                items=chunk["items"],
                gross_minor=chunk["gross_minor"],
            ),
            booking,
        )
    except LedgerError:
        return 0
    posted = await post_collective(connection, entry, recorded_at=night.deps.clock())
    return 0 if posted.status is PostStatus.REFUSED else chunk["lines"]


async def _post_each(
    night: Night, connection: Connection, file: Record, rows: list[Record], booking: Booking,
    refused: list[tuple[int, str]],
) -> int:  # fmt: skip
    entries: list[Entry] = []
    for row in rows:
        if row["outcome"] == "statement_only":
            continue
        try:
            entry = settlement_entry(_evidence(file, row), booking)
        except LedgerError as error:
            refused.append((row["number"], str(error)))
        else:
            entries += [entry] if entry is not None else []
    return await post_lines(night, connection, entries, refused)


async def post_lines(night: Night, connection: Connection, entries: list[Entry], refused: list[tuple[int, str]]) -> int:
    """Post entries, gather the refused ones by their line, and return how many stand in the books."""
    stands = 0
    for entry, posted in zip(
        entries, await post_within(connection, entries, recorded_at=night.deps.clock()), strict=True
    ):
        if posted.status is PostStatus.REFUSED:
            refused.append((int(entry.reference.rsplit(":", 1)[1]), str(posted.error)))
        else:
            stands += 1
    return stands


def _evidence(file: Record, row: Record) -> LineEvidence:
    return LineEvidence(
        provider=file["provider"],
        file_no=file["file_no"],
        file_name=file["name"],
        number=row["number"],
        kind=row["kind"],
        batch_reference=file["batch_reference"],
        currency=file["currency"],
        gross_minor=row["gross_minor"],
        fee_minor=row["fee_minor"],
        fee_vat_minor=row["fee_vat_minor"],
        net_minor=row["net_minor"],
        account=row["account"],
        item=row["item"],
        payment=row["payment"],
        provider_reference=row["provider_reference"],
        tolerated_minor=row["tolerated_minor"],
    )


def _refused_line(night: Night, file: Record, number: int, reason: str) -> NewBreak:
    return NewBreak(
        type=BreakType.LINE_REFUSED,
        subject=f"{file['provider']}:{file['file_no']}:{number}",
        business_date=night.business_date,
        provider=file["provider"],
        leg=Leg.PROVIDER,
        file_no=file["file_no"],
        line=number,
        detail={"file": file["name"], "line": str(number), "reason": reason},
    )
