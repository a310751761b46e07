"""The composition root: the one place that knows concrete providers, and puts everything together from settings."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import structlog
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters import registry
from adapters.contract import ConfirmsPayees, Method, PayoutFile, PayoutReport, Provider, Settles, Statement
from adapters.errors import NotSentError
from adapters.http import Exchange, open_session
from adapters.manifest import Manifest
from gateway import deps as gateway_deps
from gateway.outbound import open_webhook_session
from gateway.services.catalogue.known_departments import KnownDepartments
from gateway.services.payment_names import PaymentNames
from gateway.services.revenue import RevenueCodes
from ops.clock import Clock, ShiftedClock, system_clock
from ops.database import service_pool
from ops.finance_reports import FinanceReports
from ops.messengers import open_messengers
from ops.settings import Settings, SettingsError
from reconciliation import deps as night_deps
from reconciliation.business_days import Calendar
from reconciliation.department_payouts import DepartmentPayouts

log = structlog.get_logger()

_SECRET_BYTES: Final = 32
_BANK: Final = "bank_host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a process may need, made once."""

    settings: Settings
    clock: Clock
    random_bytes: Callable[[int], bytes]
    pool: asyncpg.Pool[Any]
    providers: Mapping[str, Provider]
    gateway: gateway_deps.Deps
    night: night_deps.Deps


def clock_of(settings: Settings) -> Clock:
    """Return the machine's clock, or the demo's shifted one."""
    return ShiftedClock(settings.clock_file) if settings.clock_file else system_clock


def kept_secret(home: Path, name: str) -> bytes:
    """Return a secret of this installation, made at first use and kept readable by its owner only."""
    path = home / name
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return base64.b64decode(path.read_text("ascii"))
    secret = os.urandom(_SECRET_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(base64.b64encode(secret).decode())
    return secret


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """Return the key that seals the books' days; its public half is what auditors are given."""
    return Ed25519PrivateKey.from_private_bytes(kept_secret(settings.home, "seal.key"))


def public_url(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _told(exchange: Exchange) -> None:
    log.info(
        "provider asked",
        provider=exchange.provider,
        operation=exchange.operation,
        status=exchange.status,
        outcome=exchange.outcome,
        duration_ms=round(exchange.duration_s * 1000),
    )


def _correlation() -> str | None:
    value = structlog.contextvars.get_contextvars().get("correlation")
    return None if value is None else str(value)


def random_bytes(count: int) -> bytes:
    """Return the machine's randomness."""
    return os.urandom(count)


def manifests() -> dict[str, Manifest]:
    """Return what each provider says of itself, configured or not."""
    return {name: registered.manifest for name, registered in registry.PROVIDERS.items()}


def simulated_fees() -> dict[str, registry.SimulatedFees]:
    """Return what the simulators keep of each payment, for contracts that hold them to it."""
    return {name: each.simulated_fees for name, each in registry.PROVIDERS.items() if each.simulated_fees is not None}


def build_providers(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock, random_bytes: Callable[[int], bytes]
) -> dict[str, Provider]:
    """Build every provider that has settings. Which are on is the operator's choice; none is the default."""
    known = {*registry.PROVIDERS, *registry.BANKS}
    if unknown := sorted(set(settings.providers) - known):
        names = ", ".join(sorted(known))
        raise SettingsError(f"MIZAN_PROVIDER_{unknown[0].upper()}__… names no provider; there are {names}")
    return {
        name: registry.build(
            name,
            values,
            session=session,
            clock=clock,
            random_bytes=random_bytes,
            transcript=_told,
            correlation=_correlation,
        )
        for name, values in settings.providers.items()
        if name in registry.PROVIDERS
    }


class UnsetBank:
    """Stands where no bank is set: whoever needs it is told which settings are missing."""

    _WORDS: Final = "no bank is set: MIZAN_PROVIDER_BANK_HOST__URL and MIZAN_PROVIDER_BANK_HOST__API_KEY are needed"

    def statements(self, account_iban: str, business_date: date) -> AsyncIterator[Statement]:  # noqa: ARG002
        raise NotSentError(self._WORDS)

    async def send_payout(self, file: PayoutFile) -> PayoutReport:  # noqa: ARG002
        raise NotSentError(self._WORDS)

    async def query_payout(self, message_id: str) -> PayoutReport:  # noqa: ARG002
        raise NotSentError(self._WORDS)


def build_bank(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> night_deps.Bank:
    """Build the bank that holds our account. Without its settings everything but a night can be done."""
    values = settings.providers.get(_BANK)
    if values is None:
        return UnsetBank()
    return registry.BANKS[_BANK].build(values, session, clock)


def policy_of(settings: Settings) -> night_deps.Policy:
    """Return what finance decided once, as it is set."""
    return night_deps.Policy(
        look_back_days=settings.look_back_days,
        rematch_days=settings.rematch_days,
        auto_approve_limit_minor=settings.payout_approval_limit_minor,
        write_off_limits=settings.write_off_limits,
        payee_cooling_off_hours=settings.payee_cooling_off_hours,
        confirm_days=settings.confirm_days,
    )


def routes(providers: Mapping[str, Provider]) -> dict[Method, tuple[str, ...]]:
    """Return for each method the providers that offer it, in the order of the settings."""
    return {
        method: names
        for method in Method
        if (names := tuple(name for name, provider in providers.items() if method in provider.methods))
    }


@asynccontextmanager
async def assemble(
    settings: Settings, url: str, *, pool_size_max: int = 8, lock_timeout_s: float = 0
) -> AsyncIterator[Parts]:
    """Put a process together over a database, and take it apart again."""
    clock = clock_of(settings)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(service_pool(url, size_max=pool_size_max, lock_timeout_s=lock_timeout_s))
        provider_session = await stack.enter_async_context(open_session())
        webhook_session = await stack.enter_async_context(open_webhook_session(private=settings.private_webhooks))
        providers = build_providers(settings, provider_session, clock, os.urandom)
        messengers = await stack.enter_async_context(open_messengers(settings, clock))
        secret = settings.secret.encode() if settings.secret else kept_secret(settings.home, "secret")
        calendar = Calendar(country=settings.holidays_of, zone=settings.time_zone.key)
        gateway = gateway_deps.build_deps(
            pool=pool,
            clock=clock,
            random_bytes=os.urandom,
            providers=providers,
            routing=routes(providers),
            public_url=public_url(settings),
            link_secrets=(secret,),
            webhook_session=webhook_session,
            senders=messengers.senders,
            zone=settings.time_zone,
            private_webhooks=settings.private_webhooks,
            limits=gateway_deps.Limits(requests_per_minute=settings.requests_per_minute),
            token_seeds=settings.token_keys,
            webhook_seeds=settings.webhook_keys,
            data_keys=settings.data_keys,
            trusted_proxies=settings.trusted_proxies,
            payouts=DepartmentPayouts(PaymentNames()),
            finance_reports=FinanceReports(clock, calendar),
        )
        stack.push_async_callback(gateway.couriers.close)
        night = night_deps.Deps(
            pool=pool,
            clock=clock,
            random_bytes=os.urandom,
            settling={name: each for name, each in providers.items() if isinstance(each, Settles)},
            direct=frozenset(name for name in providers if registry.PROVIDERS[name].manifest.credits_directly),
            bank=build_bank(settings, provider_session, clock),
            confirming=next((each for each in providers.values() if isinstance(each, ConfirmsPayees)), None),
            account=night_deps.BankAccount(
                code=settings.bank_account,
                iban=settings.bank_iban,
                name=settings.bank_name,
                currency=settings.bank_currency,
                bic=settings.bank_bic,
            ),
            letters=messengers.letters,
            revenue_codes=RevenueCodes(),
            departments=KnownDepartments(),
            calendar=calendar,
            policy=policy_of(settings),
        )
        yield Parts(
            settings=settings,
            clock=clock,
            random_bytes=os.urandom,
            pool=pool,
            providers=providers,
            gateway=gateway,
            night=night,
        )


def run(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a process on the fastest loop at hand until it is interrupted or told to terminate."""

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await serve(stopping)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_stopped())
