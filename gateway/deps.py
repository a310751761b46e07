"""Everything a service is given: database, clock, randomness, providers, senders, limits. Built by ops.wiring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg

from adapters.contract import Method, Provider
from gateway.couriers import Couriers
from gateway.domain import ids
from gateway.domain.caller import Caller
from gateway.domain.errors import IdempotencyInFlightError, OverloadedError, UnavailableError
from gateway.domain.finance_report import AskedReport, FinanceReport
from gateway.domain.idempotency import StoredAnswer
from gateway.domain.ids import Prefix
from gateway.domain.jwks import PublicKey
from gateway.domain.sealing import Sealer, sealer
from gateway.domain.signing import SigningKey, signing_keys
from gateway.outbound import open_webhook_session
from gateway.store import creation, reading
from gateway.store.catalogue import CatalogueCache
from gateway.store.connections import DATABASE_DOWN, Connection
from gateway.store.creation import NewIntent
from gateway.store.group_commit import GroupCommit
from gateway.store.reading import WholeIntent
from gateway.store.switchboard import SwitchboardCache
from ledger.money import Money

__all__ = [
    "CachedCaller",
    "CachedKeySet",
    "Deps",
    "Limits",
    "OutgoingMessage",
    "Sender",
    "build_deps",
    "open_webhook_session",
]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one payer, in their language. `id` stays the same over retries."""

    id: str
    channel: str
    recipient: str
    language: str
    subject: str
    text: str


class Sender(Protocol):
    """Hands a message to a carrier; raises when it is not known to be handed over."""

    async def send(self, message: OutgoingMessage) -> str | None:
        """Return the carrier's own reference, where it tells later what became of the message."""
        ...


class Delivery(Protocol):
    """What a carrier says became of a message, in its own word, such as `DELIVRD` or `UNDELIV`."""

    @property
    def carrier_reference(self) -> str: ...

    @property
    def state(self) -> str: ...


@runtime_checkable
class TellsDelivery(Protocol):
    """A sender whose carrier reports back."""

    def take_receipts(self, limit: int) -> Sequence[Delivery]: ...

    async def confirm_receipt(self, receipt: Any, /) -> None:
        """Let the carrier forget a delivery; until then it may tell it again."""
        ...


class Payout(Protocol):
    """One transfer of what was collected to its department."""

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def amount(self) -> Money: ...
    @property
    def business_date(self) -> date: ...
    @property
    def instructed_at(self) -> datetime | None: ...
    @property
    def paid_on(self) -> date | None: ...
    @property
    def iban_ending(self) -> str: ...
    @property
    def revenue_code(self) -> str: ...
    @property
    def remittance(self) -> str: ...
    @property
    def reason(self) -> str: ...


class PayoutPart(Protocol):
    """One journal's part of a payout."""

    @property
    def journal(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def payment(self) -> str | None: ...
    @property
    def reference(self) -> str: ...
    @property
    def business_date(self) -> date: ...
    @property
    def amount(self) -> Money: ...


class InsidePayout(Protocol):
    """A payout, some of its parts, and what of its amount they do not explain."""

    @property
    def payout(self) -> Payout: ...
    @property
    def parts(self) -> Sequence[PayoutPart]: ...
    @property
    def not_itemised(self) -> Money: ...


class Payouts(Protocol):
    """What the night knows of payouts, told to one department at a time."""

    async def list_payouts(
        self, connection: Connection, department: str, *, before: str | None, limit: int
    ) -> Sequence[Payout]: ...

    async def read_payout(
        self, connection: Connection, department: str, payout_id: str, *, after: int, limit: int
    ) -> InsidePayout | None: ...

    async def write_report(
        self, connection: Connection, name: str, department: str, *, since: date, until: date, language: str
    ) -> AsyncIterator[bytes]:
        """Write a report as CSV, inside the caller's transaction."""
        ...


class FinanceReports(Protocol):
    """What the night and the books tell the treasury, over all departments."""

    def reports(self) -> Sequence[FinanceReport]: ...

    def write(self, connection: Connection, asked: AskedReport) -> AsyncIterator[bytes]:
        """Write a report inside the caller's transaction; what cannot be meant is refused before the first bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound the gateway keeps, by name."""

    body_bytes_max: int = 64 * 1024
    import_bytes_max: int = 1024 * 1024
    """What an import or a spreadsheet may be at most."""
    body_read_s: float = 10.0
    in_flight_max: int = 256
    in_flight_per_department: int = 64
    turn_wait_s: float = 1.0
    requests_per_minute: int = 6_000
    """Per caller and endpoint, in each web process; a caller may have a limit of its own."""
    wrong_guesses_per_minute: int = 60
    """Per client address: links, receipts and credentials that are not ours. Right ones do not count."""
    callbacks_in_flight_max: int = 64
    connection_wait_s: float = 1.0
    provider_call_s: float = 30.0
    provider_calls_at_once: int = 8
    page_items_max: int = 100
    report_days_max: int = 31
    report_bytes_max: int = 16 * 1024 * 1024
    finance_reports_at_once: int = 2
    """Each holds a connection and a snapshot of the database for as long as it is read."""
    finance_report_s: float = 900.0
    finance_report_stall_s: float = 30.0
    """How long a reader of a report may take nothing of it."""
    lines_max: int = 100
    expiry_default: timedelta = timedelta(hours=24)
    expiry_min: timedelta = timedelta(minutes=5)
    expiry_max: timedelta = timedelta(days=90)
    reserved_for: timedelta = timedelta(days=6)
    """How long a reservation is counted on: card schemes let go of it after seven days."""
    messages_at_once: int = 16
    webhook_call_s: float = 20.0
    webhook_patience_s: float = 1.0
    """How long a round of deliveries waits for all of its endpoints before it leaves the slow ones to themselves."""
    webhooks_at_once: int = 64
    webhooks_per_endpoint: int = 4
    endpoints_per_department: int = 10


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class EndedCallers:
    """How many times a credential had been ended when this process last asked, and when it is to ask again."""

    number: int = 0
    ask_at: datetime = _LONG_AGO


@dataclass(frozen=True, slots=True)
class CachedCaller:
    """Whose credential this is, or that it is over, until it has to be looked up again."""

    caller: Caller | None
    good_until: datetime


@dataclass(frozen=True, slots=True)
class CachedKeySet:
    """The keys a client published when its address was last asked; `asked_at` counts failures too."""

    keys: tuple[PublicKey, ...]
    read_at: datetime
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """What is passed in, and the few things a process keeps between requests."""

    pool: asyncpg.Pool[Any]
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    providers: Mapping[str, Provider]
    routing: Mapping[Method, Sequence[str]]
    """The providers of each method in the order of the settings: what holds where no rule of the routing fits."""
    public_url: str
    link_secrets: Sequence[bytes]
    """Keys of the checkout links. The first makes new ones, every one is accepted, so that it can be rotated."""
    senders: Mapping[str, Sender]
    webhook_session: aiohttp.ClientSession
    payouts: Payouts | None = None
    """Who knows of payouts. Where nobody does, none is there to be read."""
    finance_reports: FinanceReports | None = None
    """Who writes finance's reports. Where nobody does, there are none."""
    zone: tzinfo
    """Where the providers' business day begins at midnight."""
    live: bool = False
    """Whether this installation moves real money: it then takes live keys only, and test keys only otherwise."""
    refund_late_payments: bool = False
    """Whether money that comes too late is sent back at once, or kept in suspense for an operator to decide."""
    private_webhooks: bool = False
    """Whether webhooks may go to inner addresses and plain http: a demonstration's own machine, nothing else."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Whose word on a client's address is taken; nobody's, where nothing stands before us."""
    limits: Limits = field(default_factory=Limits)
    catalogue: CatalogueCache
    switchboard: SwitchboardCache
    creations: GroupCommit[NewIntent, StoredAnswer]
    readings: GroupCommit[str, WholeIntent | None]
    """Intents that are being read: whoever asks while a read is under way shares the next one."""
    token_keys: tuple[SigningKey, ...]
    """Sign access tokens: the first makes them, all are published and accepted, so that they can be rotated."""
    webhook_keys: tuple[SigningKey, ...]
    """Sign webhooks beside each endpoint's own secret; while they are rotated, all of them do."""
    sealer: Sealer
    """Seals what the database keeps and must not tell by itself."""
    caller_cache: dict[bytes, CachedCaller] = field(default_factory=dict)
    """By the hash of what was sent: no credential stands in memory longer than its request."""
    ended_callers: EndedCallers = field(default_factory=EndedCallers)
    key_set_cache: dict[str, CachedKeySet] = field(default_factory=dict)
    last_event: list[str] = field(default_factory=lambda: [f"{Prefix.EVENT.value}_{'0' * 26}"])
    couriers: Couriers = field(default_factory=Couriers)
    """Webhooks under way: an endpoint that hangs outlasts the round that called it."""
    busy_keys: set[tuple[str, str, str]] = field(default_factory=set)
    """Idempotency keys this process is working on now."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Give a connection within the bound, or refuse: a queue nobody sees is worse than a 503."""
        try:
            async with _connection(self.pool, self.limits) as connection:
                yield connection
        except asyncpg.LockNotAvailableError as error:
            raise OverloadedError(retry_after_s=1) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    def mint(self, prefix: Prefix) -> str:
        return ids.mint(prefix, self.clock(), self.random_bytes)

    def mint_event(self) -> str:
        """Mint an event id above this process's last, so that two changes in one instant keep their order."""
        minted = self.mint(Prefix.EVENT)
        if minted <= self.last_event[0]:
            minted = ids.successor(self.last_event[0])
        self.last_event[0] = minted
        return minted


@asynccontextmanager
async def _connection(pool: asyncpg.Pool[Any], limits: Limits) -> AsyncIterator[Connection]:
    """Give a connection; whatever means that the database is at fault becomes one error, which may be asked again."""
    try:
        async with pool.acquire(timeout=limits.connection_wait_s) as connection:
            yield connection
    except DATABASE_DOWN as error:
        raise UnavailableError(retry_after_s=1) from error


def build_deps(
    *,
    pool: asyncpg.Pool[Any],
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    providers: Mapping[str, Provider],
    routing: Mapping[Method, Sequence[str]],
    public_url: str,
    link_secrets: Sequence[bytes],
    webhook_session: aiohttp.ClientSession,
    senders: Mapping[str, Sender] | None = None,
    zone: tzinfo | None = None,
    live: bool = False,
    refund_late_payments: bool = False,
    private_webhooks: bool = False,
    limits: Limits | None = None,
    token_seeds: Sequence[bytes] = (),
    webhook_seeds: Sequence[bytes] = (),
    data_keys: Sequence[bytes] = (),
    trusted_proxies: Sequence[IPv4Network | IPv6Network] = (),
    payouts: Payouts | None = None,
    finance_reports: FinanceReports | None = None,
) -> Deps:
    """Put together what services need, with the caches and the group commit of one process."""
    bounds = limits or Limits()

    async def create(intents: Sequence[NewIntent]) -> Sequence[StoredAnswer | Exception]:
        try:
            async with _connection(pool, bounds) as connection:
                return await creation.create(connection, intents)
        except asyncpg.LockNotAvailableError:
            if len(intents) > 1:
                raise  # one of them waits for another process; the batch is written one by one
            return [IdempotencyInFlightError(retry_after_s=1)]

    async def read(intent_ids: Sequence[str]) -> Sequence[WholeIntent | Exception | None]:
        async with _connection(pool, bounds) as connection:
            return await reading.read_whole(connection, intent_ids)

    return Deps(
        pool=pool,
        clock=clock,
        random_bytes=random_bytes,
        providers=providers,
        routing=routing,
        public_url=public_url.rstrip("/"),
        link_secrets=tuple(link_secrets),
        senders=senders or {},
        webhook_session=webhook_session,
        payouts=payouts,
        finance_reports=finance_reports,
        zone=zone or ZoneInfo("Asia/Dubai"),
        live=live,
        refund_late_payments=refund_late_payments,
        private_webhooks=private_webhooks,
        trusted_proxies=tuple(trusted_proxies),
        limits=bounds,
        catalogue=CatalogueCache(lambda: _connection(pool, bounds), clock),
        switchboard=SwitchboardCache(lambda: _connection(pool, bounds), clock),
        creations=GroupCommit(create),
        readings=GroupCommit(read, flushes_max=2),
        token_keys=signing_keys(token_seeds, purpose="access tokens", secrets=link_secrets),
        webhook_keys=signing_keys(webhook_seeds, purpose="webhooks", secrets=link_secrets),
        sealer=sealer(data_keys, link_secrets),
    )
