"""Transfers to our own account: told to the payer without a call, found again on the bank's papers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from adapters.bank_channel import NOTIFICATIONS, STATEMENTS, Papers, read_listing
from adapters.bank_transfer import callbacks
from adapters.bank_transfer.manifest import MANIFEST
from adapters.bank_transfer.mapping import WAITING, read_report, total_of
from adapters.bank_transfer.papers import Credit, Paper, of_the_day, read_paper
from adapters.bank_transfer.wire import Beneficiary
from adapters.contract import (
    Announcement,
    CallbackNotice,
    DeclineReason,
    Health,
    Method,
    Outcome,
    PaymentOrder,
    PaymentReport,
)
from adapters.errors import FileRefusedError, OutcomeUnknownError, ProviderError
from adapters.http import WireClient
from ledger.money import Money

PAPER_BYTES_MAX: Final = 512 * 1024 * 1024
PAPER_TIMEOUT_S: Final = 300.0
DAYS_KEPT_MAX: Final = 400
FILES_KEPT_MAX: Final = 20_000
ANNOUNCED_DAYS: Final = 4
"""How far back papers are announced: over a weekend on which nobody asked. What is older, the sweep still finds."""


@dataclass(slots=True)
class _Day:
    """What the bank's papers of one day say, and when we last looked."""

    credits: Mapping[str, Credit]
    final: bool
    read_at: datetime


@dataclass(slots=True)
class _File:
    name: str
    paper: Paper | None
    """None when the bank's file cannot be read; the night says why, and a later paper tells the same."""


@dataclass(slots=True)
class _Memory:
    """Papers never change, so each is fetched once; it may be forgotten at any time."""

    days: dict[date, _Day] = field(default_factory=dict)
    files: dict[str, _File] = field(default_factory=dict)


class BankTransfers:
    """Implements `Announces` and `Restricts`. It has no word of its own: only what is booked at the bank is true."""

    name = MANIFEST.name
    methods: frozenset[Method] = MANIFEST.methods

    def __init__(
        self,
        wire: WireClient,
        papers: Papers,
        beneficiary: Beneficiary,
        *,
        currency: str,
        look_back_days: int,
        refresh_s: float,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._papers = papers
        self._beneficiary = beneficiary
        self._currency = currency
        self._look_back = timedelta(days=look_back_days)
        self._refresh = timedelta(seconds=refresh_s)
        self._zone = zone
        self._clock = clock
        self._memory = _Memory()
        self._reading = asyncio.Lock()

    def refusal(self, amount: Money) -> str | None:
        """Say that the account takes one currency only."""
        return None if amount.currency == self._currency else f"the account is kept in {self._currency}"

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Tell the payer what to transfer. Nothing is sent to anybody, so nothing can be lost."""
        if order.amount.currency != self._currency:
            return PaymentReport(
                Outcome.DECLINED, reference=order.reference, word="other_currency", decline=DeclineReason.NOT_SUPPORTED
            )
        return PaymentReport(
            Outcome.PENDING,
            self._beneficiary.key_of(order.reference),
            order.reference,
            word=WAITING,
            next_step=self._beneficiary.step(order.reference),
        )

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:  # noqa: ARG002 (it follows from ours)
        """Sum what the bank's papers show for the payment's reference since it began."""
        key = self._beneficiary.key_of(order.reference)
        today = self._today()
        began = order.started_at.astimezone(self._zone).date() if order.started_at else today
        first = min(max(began, today - self._look_back), today)
        found: dict[str, Credit] = {}
        for number in range((today - first).days + 1):
            found.update((await self._credits(first + timedelta(days=number))).credits)
        return read_report(order.reference, key, order.amount, total_of(found.values(), key, order.amount.currency))

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        return callbacks.read_callback(headers, body)

    async def announcements(self, known: Container[str]) -> AsyncIterator[Announcement]:
        today = self._today()
        for number in reversed(range(ANNOUNCED_DAYS)):
            day = today - timedelta(days=number)
            for kind in (STATEMENTS, NOTIFICATIONS):
                for name, sha256 in await self._list(kind, day):
                    if sha256 in known:
                        continue
                    paper = await self._paper(kind, day, name, sha256)
                    if paper is None:
                        continue
                    self._memory.days.pop(day, None)  # whoever asks after the hint must not be told what was before
                    hints = [
                        notice
                        for credit in paper.credits
                        for notice in callbacks.notices_of(credit.identity, credit.keys)
                    ]
                    yield Announcement(sha256, hints)

    async def check(self) -> Health:
        try:
            await self._list(NOTIFICATIONS, self._today())
        except ProviderError as error:
            return Health(available=False, detail=str(error))
        unread = [file.name for file in self._memory.files.values() if file.paper is None]
        return Health(available=True, detail=f"cannot be read: {', '.join(unread[:5])}" if unread else "")

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    async def _credits(self, day: date) -> _Day:
        """Return a day's credits, asking the bank unless its statement is read or we have just asked."""
        async with self._reading:  # many payments ask at once, and one reading answers them all
            now = self._clock()
            held = self._memory.days.get(day)
            if held is not None and (held.final or now - held.read_at < self._refresh):
                return held
            papers: list[Paper] = []
            for kind in (STATEMENTS, NOTIFICATIONS):
                for name, sha256 in await self._list(kind, day):
                    paper = await self._paper(kind, day, name, sha256)
                    papers += [paper] if paper is not None else []
                if any(paper.final for paper in papers):
                    break
            read = _Day(of_the_day(papers), any(paper.final for paper in papers), now)
            if len(self._memory.days) >= DAYS_KEPT_MAX:
                self._memory.days.clear()
            self._memory.days[day] = read
            return read

    async def _list(self, kind: str, day: date) -> list[tuple[str, str]]:
        call = self._papers.list_files(kind, self._beneficiary.account_iban, day)
        try:
            answer = await self._wire.send(call)
        except ProviderError as error:
            # Whatever kept the bank from answering, nothing is known of the money.
            raise OutcomeUnknownError(str(error)) from error
        return [(file.name, file.sha256) for file in read_listing(answer.body)]

    async def _paper(self, kind: str, day: date, name: str, sha256: str) -> Paper | None:
        """Fetch and read one paper, once. One that cannot be read is left out: it only makes us learn later."""
        held = self._memory.files.get(sha256)
        if held is not None:
            return held.paper
        call = self._papers.get_file(kind, self._beneficiary.account_iban, day, name)
        try:
            answer = await self._wire.send(call, timeout_s=PAPER_TIMEOUT_S, body_bytes_max=PAPER_BYTES_MAX)
        except ProviderError as error:
            raise OutcomeUnknownError(str(error)) from error
        if hashlib.sha256(answer.body).hexdigest() != sha256:
            raise OutcomeUnknownError(f"{name} is not the file the bank listed: its digest differs")
        try:
            paper = read_paper(answer.body, self._beneficiary.account_iban, self._beneficiary.is_key)
        except FileRefusedError:
            paper = None
        if len(self._memory.files) >= FILES_KEPT_MAX:
            self._memory.files.clear()
        self._memory.files[sha256] = _File(name, paper)
        return paper
