"""Step 1: fetch the providers' files; prove, keep and match each in one transaction, or refuse it whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from adapters.contract import SettlementFile
from adapters.errors import FileRefusedError, ProviderError
from ledger.money import Money
from reconciliation.breaks import BreakType
from reconciliation.matching import BREAK_OF, Leg, MatchOutcome
from reconciliation.night import Counts, Night
from reconciliation.provider_terms import GROSS
from reconciliation.store import Connection, Record, breaks, line_fees, line_matching, refused_files, settlement_files
from reconciliation.store.breaks import NewBreak
from reconciliation.store.settlement_files import LineUnfitError, Loaded

STEP: Final = "settlements"
BREAKS_A_WRITE: Final = 1000


class _RefusedError(Exception):
    """The file cannot be booked; the transaction that looked at it is rolled back."""

    def __init__(self, kind: BreakType, reason: str, detail: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.detail = detail or {}


async def import_settlements(night: Night) -> Counts:
    """Fetch every file that is due or missing and import what is new."""
    counts: Counts = {"files": 0, "lines": 0, "repeated": 0, "refused": 0, "unreachable": 0, "breaks": 0}
    for provider, source in sorted(night.deps.settling.items()):
        async with night.transaction() as connection:
            days = await settlement_files.dates_to_fetch(
                connection, provider, night.business_date, night.deps.policy.look_back_days
            )
        for day in days:
            try:
                async for file in source.settlement_files(day):
                    await import_file(night, provider, file, counts)
                    night.tell(STEP, counts)
            except FileRefusedError as error:
                counts["refused"] += 1
                await _refuse_unread(night, provider, day, error, counts)
            except ProviderError:
                # Not reached is not missing: the next night asks again, and the file becomes a break when due.
                counts["unreachable"] += 1
    return counts


async def import_file(night: Night, provider: str, file: SettlementFile, counts: Counts) -> None:
    """Import one file; the same bytes again change nothing."""
    try:
        async with night.transaction() as connection:
            if await settlement_files.known(connection, provider, file.sha256):
                counts["repeated"] += 1
                return
            await _book(night, connection, provider, file, counts)
    except _RefusedError as refused:
        counts["refused"] += 1
        await _quarantine(night, provider, file, refused, counts)


async def _book(night: Night, connection: Connection, provider: str, file: SettlementFile, counts: Counts) -> None:
    if file.provider != provider:
        raise _RefusedError(BreakType.FILE_REFUSED, "other_provider")
    if await settlement_files.batch_is_booked(connection, file):
        raise _RefusedError(BreakType.FILE_REPEATED, "identifier_repeated", {"reference": file.batch_reference})
    loaded = await _stage(connection, file)
    now = night.deps.clock()
    late = await settlement_files.is_late(connection, provider, file.business_date, night.book_date)
    booking = night.booking(now, file.business_date, late=late)
    file_no = await settlement_files.insert(connection, file, loaded, booking, now, provider=provider, reason=None)
    reading = {**counts, "lines": counts["lines"] + loaded.lines}
    night.tell(STEP, reading)
    tolerance = night.terms_of(provider, file.business_date).tolerance_in(file.currency)
    await line_matching.match_lines(connection, provider, file.currency, loaded.lines, tolerance)
    night.tell(STEP, reading)
    await line_matching.keep_lines(connection, provider, file_no)
    night.tell(STEP, reading)
    counts["files"] += 1
    counts["lines"] += loaded.lines
    counts["breaks"] += await _raise_line_breaks(night, connection, file, file_no, loaded)
    if loaded.net_minor != file.total_net.amount_minor:
        await _raise(night, connection, [_unproven(file, file_no, loaded)], counts)
    if late:
        await _raise(night, connection, [
            NewBreak(
                type=BreakType.FILE_LATE, subject=f"{provider}:{file.business_date}:{file.sha256[:16]}",
                business_date=night.business_date, provider=provider, leg=Leg.PROVIDER, file_no=file_no,
                detail={"provider": provider, "file": file.name, "due": str(file.business_date),
                        "reason": str(booking.business_date)},
            )
        ], counts)  # fmt: skip
    await settlement_files.drop_stage(connection)


async def _stage(connection: Connection, file: SettlementFile) -> Loaded:
    """Load the lines and prove them against the file's own total."""
    loaded = Loaded(refused=list(file.refused_lines))
    try:
        await settlement_files.stage(connection, file, loaded)
    except LineUnfitError as unfit:
        raise _RefusedError(BreakType.FILE_REFUSED, str(unfit.args[0])) from None
    if not loaded.in_order and await settlement_files.has_numbered_twice(connection):
        raise _RefusedError(BreakType.FILE_REFUSED, "line_numbered_twice")
    stated = file.total_net
    if stated.currency != file.currency:
        raise _RefusedError(BreakType.FILE_REFUSED, "line_in_other_currency")
    # A file with lines nobody could read cannot sum to its total; those lines are listed, and what is left is a break.
    if not loaded.refused and loaded.net_minor != stated.amount_minor:
        ours = Money(loaded.net_minor, file.currency)
        raise _RefusedError(BreakType.TOTAL_NOT_LINES, "total_not_lines", {"theirs": str(stated), "ours": str(ours)})
    return loaded


async def _quarantine(
    night: Night, provider: str, file: SettlementFile, refused: _RefusedError, counts: Counts
) -> None:
    """Keep the refused file's name, hash and reason, and nothing of its lines."""
    now = night.deps.clock()
    async with night.transaction() as connection:
        file_no = await settlement_files.insert(
            connection, file, Loaded(), night.booking(now), now, provider=provider, reason=refused.reason
        )
        found = NewBreak(
            type=refused.kind,
            subject=f"{provider}:{file.sha256}",
            business_date=file.business_date,
            amount_minor=file.total_net.amount_minor,
            currency=file.currency,
            provider=provider,
            leg=Leg.PROVIDER,
            file_no=file_no,
            detail={"provider": provider, "file": file.name, "reason": refused.reason, **refused.detail},
        )
        await _raise(night, connection, [found], counts)


async def _refuse_unread(night: Night, provider: str, day: date, error: FileRefusedError, counts: Counts) -> None:
    """Keep what is known of a file its adapter could not read at all, and raise its break."""
    found = NewBreak(
        type=BreakType.TOTAL_NOT_LINES if error.stated else BreakType.FILE_REFUSED,
        subject=f"{provider}:{day}:{str(error)[:120]}",
        business_date=day,
        amount_minor=error.stated.amount_minor if error.stated else 0,
        currency=error.stated.currency if error.stated else None,
        provider=provider,
        leg=Leg.PROVIDER,
        detail=refusal_detail(provider, day, error),
    )
    async with night.transaction() as connection:
        # Its day is asked for again and again; what a right file has made good is no break anew.
        if await refused_files.keep(connection, provider, Leg.PROVIDER, day, error, night.deps.clock()):
            await _raise(night, connection, [found], counts)


def refusal_detail(source: str, day: date, error: FileRefusedError) -> dict[str, str]:
    """Say what a refused file was: its name where it is known, the reason's code, and its words or figures."""
    detail = {"provider": source, "file": error.file or str(day), "reason": error.cause, "quoted": str(error)}
    if error.stated and error.found:
        detail |= {"theirs": str(error.stated), "ours": str(error.found)}
    return detail


async def _raise(night: Night, connection: Connection, found: list[NewBreak], counts: Counts) -> None:
    counts["breaks"] += await breaks.raise_breaks(
        connection, found, now=night.deps.clock(), random_bytes=night.deps.random_bytes
    )


async def _raise_line_breaks(
    night: Night, connection: Connection, file: SettlementFile, file_no: int, loaded: Loaded
) -> int:
    """Turn the outcomes that are somebody's work into breaks, a thousand at a time."""
    counts: Counts = {"breaks": 0}
    found: list[NewBreak] = []

    async def add(one: NewBreak) -> None:
        found.append(one)
        if len(found) == BREAKS_A_WRITE:
            await _raise(night, connection, found, counts)
            found.clear()

    async for row in line_matching.broken_lines(connection, file_no):
        await add(_line_break(night, file, file_no, row))
    terms = night.terms_of(file.provider, file.business_date)
    if (fees := terms.fees_in(file.currency)) is not None:
        async for row in line_fees.wrong_fees(connection, fees, billed=terms.settles == GROSS):
            await add(_fee_break(night, file, file_no, row))
    for number, reason in loaded.refused:
        await add(
            NewBreak(
                type=BreakType.LINE_REFUSED, subject=f"{file.provider}:{file_no}:{number}",
                business_date=night.business_date, provider=file.provider, leg=Leg.PROVIDER, file_no=file_no,
                line=number, detail={"file": file.name, "line": str(number), "reason": reason},
            )
        )  # fmt: skip
    await _raise(night, connection, found, counts)
    return counts["breaks"]


def _unproven(file: SettlementFile, file_no: int, loaded: Loaded) -> NewBreak:
    """Say what a booked file states beyond the lines that could be booked."""
    ours = Money(loaded.net_minor, file.currency)
    return NewBreak(
        type=BreakType.TOTAL_NOT_LINES,
        subject=f"{file.provider}:{file.sha256}",
        business_date=file.business_date,
        amount_minor=(file.total_net - ours).amount_minor,
        currency=file.currency,
        provider=file.provider,
        leg=Leg.PROVIDER,
        file_no=file_no,
        detail={
            "provider": file.provider, "file": file.name, "reason": "total_not_lines", "theirs": str(file.total_net),
            "ours": str(ours), "booked": "read",
        },
    )  # fmt: skip


def _line_break(night: Night, file: SettlementFile, file_no: int, row: Record) -> NewBreak:
    outcome = MatchOutcome(row["outcome"])
    theirs = Money(row["gross_minor"], file.currency)
    expected = row["expected_minor"]
    ours = Money(expected, row["our_currency"] or file.currency) if expected is not None else None
    value_minor = row["variance_minor"] if outcome is MatchOutcome.AMOUNT else row["gross_minor"]
    return NewBreak(
        type=BREAK_OF[outcome],
        subject=f"{file.provider}:{file_no}:{row['line']}",
        business_date=night.business_date,
        amount_minor=value_minor,
        currency=file.currency,
        provider=file.provider,
        account=row["account"],
        item=row["item"],
        leg=Leg.PROVIDER,
        file_no=file_no,
        line=row["line"],
        detail={
            "provider": file.provider,
            "reference": row["reference"],
            "amount": str(theirs),
            "theirs": str(theirs),
            "ours": str(ours) if ours else "",
            "file": file.name,
            "line": str(row["line"]),
            "reason": row["raw_kind"],
        },
    )


def _fee_break(night: Night, file: SettlementFile, file_no: int, row: Record) -> NewBreak:
    theirs, ours = Money(row["kept_minor"], file.currency), Money(row["expected_minor"], file.currency)
    return NewBreak(
        type=BreakType.FEE,
        subject=f"{file.provider}:{file_no}:{row['number']}",
        business_date=night.business_date,
        amount_minor=(theirs - ours).amount_minor,
        currency=file.currency,
        provider=file.provider,
        leg=Leg.PROVIDER,
        file_no=file_no,
        line=row["number"],
        detail={
            "provider": file.provider, "reference": row["reference"], "theirs": str(theirs), "ours": str(ours),
            "file": file.name, "line": str(row["number"]),
        },
    )  # fmt: skip
