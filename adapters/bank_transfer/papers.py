"""The bank's papers as credits: each booking once, however many papers tell of it."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.statement_file import read_statement_file
from adapters.formats.statement_parts import Kind
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that came in.

    `identity` is the same in every paper that tells of this booking. `keys` are what it names of the references we may
    have given out.
    """

    identity: str
    amount: Money
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """One file of the bank: a final statement, or a look into the day that a later paper repeats."""

    final: bool
    credits: tuple[Credit, ...]


def read_paper(body: bytes, account_iban: str, is_key: Callable[[str], bool]) -> Paper:
    """Read a file of any format; `FileRefusedError` when it is not to be trusted or not of our account."""
    _, parts = read_statement_file(io.BytesIO(body))
    entries: list[StatementEntry] = []
    waiting: list[StatementEntry] = []
    kinds: set[Kind] = set()
    for part in parts:
        if isinstance(part, StatementEntry):
            waiting.append(part)
            continue
        if part.account.replace(" ", "") == account_iban:
            entries += waiting
            kinds.add(part.kind)
        waiting = []
    if not kinds:
        raise FileRefusedError(f"no account of this file is {account_iban}")
    seen: Counter[str] = Counter()
    found = []
    for entry in entries:
        if entry.amount.amount_minor <= 0 or entry.returned:
            continue
        # The bank's own reference tells bookings apart; where it has none, day, amount and references do, counted.
        told = (entry.bank_reference or str(entry.booked_on), str(entry.amount), *sorted(entry.references))
        print_ = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:32]
        seen[print_] += 1
        keys = tuple(reference for reference in entry.references if is_key(reference))
        found.append(Credit(f"{print_}:{seen[print_]}", entry.amount, keys))
    return Paper(Kind.STATEMENT in kinds, tuple(found))


def of_the_day(papers: Iterable[Paper]) -> Mapping[str, Credit]:
    """Return the day's credits by identity. Once the final statement is there, it alone speaks."""
    held = list(papers)
    spoken = [paper for paper in held if paper.final] or held
    return {credit.identity: credit for paper in spoken for credit in paper.credits}
