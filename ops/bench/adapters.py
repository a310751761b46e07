"""`mizan bench adapters`: what Mizan adds to the time a provider takes, at 1, 16 and 64 calls in flight.

The provider is a real simulator in a process of its own that waits before it answers and tells how long it had each
request. A *question* is what the worker asks about an attempt: circuit, adapter, HTTP, reading the answer. A *click* is
all of a citizen's "Pay": routing, the attempt committed before the call, two calls, the answer applied and committed.
Beside them stands the bare client asking the same process for nothing. On a machine that is busy with other things
the wall clock tells about those; the CPU of this process per call is told as well.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import structlog

from adapters import registry
from adapters.contract import Method, PaymentOrder, PaymentReport
from adapters.http import CORRELATION_HEADER
from gateway.deps import Deps, Limits
from gateway.domain.contact import Contact
from gateway.domain.idempotency import Claim
from gateway.services import links
from gateway.services.attempts.start_payment import start_payment
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.intents.create_intent import IntentRequest, create_intent
from gateway.services.providers import circuits
from ledger.money import Money
from ops.bench.figures import Figure, Options, Rounds, absolute
from ops.bench.slow_provider import PLAIN_PATH, TOOK_PATH
from ops.demo.city import found_city
from ops.logs import configure_logs
from ops.migrate import migrate
from ops.settings import read_settings
from ops.wiring import assemble

_DATABASE: Final = "mizan_bench_adapters"
_DELAY_S: Final = 0.2
"""How long the provider takes: what card gateways and wallets take on a good day."""

_IN_FLIGHT: Final = (1, 16, 64)
_IDLE: Final = 50
_BAR_MS: Final = 5.0
_GROWTH_MAX: Final = 1.25
_DEPARTMENT, _SERVICE = "economy", "economy-002"

Asking = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Stand:
    """The gateway over one slow provider, the same with idle ones beside it, and the bare client."""

    deps: Deps
    crowded: Deps
    session: aiohttp.ClientSession
    url: str
    numbers: Iterator[int]
    unpaid: list[str]
    """Tokens of fees that are made before the clock starts."""


async def run(options: Options) -> list[Figure]:
    """Measure each kind for `seconds` at each number in flight, in interleaved rounds."""
    configure_logs("error", process="bench")
    url = urlunsplit(urlsplit(options.url)._replace(path=f"/{_DATABASE}"))
    server: asyncpg.Connection[Any] = await asyncpg.connect(options.url)
    await server.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
    await server.execute(f"CREATE DATABASE {_DATABASE}")
    try:
        await migrate(url)
        async with _stand(url) as stand:
            return await _measure(stand, options)
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        await server.close()


@asynccontextmanager
async def _stand(url: str) -> AsyncIterator[_Stand]:
    name = next(name for name, each in registry.PROVIDERS.items() if Method.CARD in each.manifest.methods)
    async with _slow_provider(name) as provider_url, aiohttp.ClientSession() as session:
        values = {"base_url": provider_url, **registry.PROVIDERS[name].simulator_settings}
        with tempfile.TemporaryDirectory(prefix="mizan-bench-") as folder:
            settings = replace(read_settings({"MIZAN_HOME": folder}), providers={name: values})
            async with assemble(settings, url, pool_size_max=16) as parts:
                await found_city(parts, [])
                deps = replace(parts.gateway, limits=Limits(connection_wait_s=30))
                idle = {f"idle_{number}": deps.providers[name] for number in range(_IDLE)}
                crowded = replace(deps, providers={**deps.providers, **idle}, routing={Method.CARD: (name, *idle)})
                yield _Stand(deps, crowded, session, provider_url, itertools.count(1), [])


@asynccontextmanager
async def _slow_provider(name: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ops.bench.slow_provider",
        name,
        str(_DELAY_S),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the provider's process has no pipes")
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def _measure(stand: _Stand, options: Options) -> list[Figure]:
    question = await _question(stand)
    kinds: dict[str, Asking] = {
        "bare client": lambda key: _bare(stand, key),
        "question": question,
        "click": lambda _: _click(stand, stand.deps),
        f"click, {_IDLE} idle providers": lambda _: _click(stand, stand.crowded),
    }
    rounds, calls = Rounds(), 0
    for number in range(options.rounds):
        for in_flight in _IN_FLIGHT:
            for kind, asking in kinds.items():
                if kind.startswith("click"):
                    await _make_fees(stand, int(in_flight * (1 + options.seconds / _DELAY_S)))
                options.say(f"round {number + 1} of {options.rounds}: {kind}, {in_flight} in flight")
                cpu_s = time.process_time()
                overheads_ms = await _overheads_ms(stand, asking, in_flight, options.seconds)
                cpu_ms = (time.process_time() - cpu_s) * 1_000
                calls += len(overheads_ms)
                rounds.add(f"{kind} {in_flight}", statistics.median(overheads_ms))
                rounds.add(f"{kind} {in_flight} CPU", cpu_ms / len(overheads_ms))
    return [*_figures(rounds, list(kinds)), Figure("calls measured", calls, "calls")]


def _figures(rounds: Rounds, kinds: list[str]) -> list[Figure]:
    bare, question, click, crowded = kinds
    figures = [Figure("the provider waits about", _DELAY_S * 1_000, "ms")]
    for in_flight in _IN_FLIGHT:
        here = f"{in_flight} in flight"
        figures += [
            rounds.figure(f"bare client over the provider's time, {here}", f"{bare} {in_flight}", "ms"),
            _barred(
                rounds, f"question over the provider's time, {here}", f"{question} {in_flight}", f"{bare} {in_flight}"
            ),
            rounds.figure(
                f"  a question's CPU, {here}", f"{question} {in_flight} CPU", "ms", limit=f"{bare} {in_flight} CPU"
            ),
            rounds.figure(
                f"click over the provider's time, {here}", f"{click} {in_flight}", "ms", limit=f"{bare} {in_flight}"
            ),
            rounds.figure(
                f"  the same with {_IDLE} idle providers, {here}",
                f"{crowded} {in_flight}",
                "ms",
                limit=f"{click} {in_flight}",
                at_most=_GROWTH_MAX,
            ),
            rounds.figure(f"  a click's CPU, {here}", f"{click} {in_flight} CPU", "ms"),
        ]
    return figures


def _barred(rounds: Rounds, title: str, name: str, limit: str) -> Figure:
    """Hold a median to its bar, and show it beside the bare client."""
    held = absolute(title, rounds.median(name), "ms", at_most=_BAR_MS)
    return replace(held, limit=rounds.median(limit), ratio=rounds.ratio(name, limit))


async def _overheads_ms(stand: _Stand, asking: Asking, in_flight: int, seconds: float) -> list[float]:
    """Keep so many callers asking for so long; return, per call, the whole time less what the provider had of it."""
    whole_s: dict[str, float] = {}
    until = time.perf_counter() + seconds

    async def caller() -> None:
        while time.perf_counter() < until:
            key = f"bench-{next(stand.numbers)}"
            with structlog.contextvars.bound_contextvars(correlation=key):
                started_at = time.perf_counter()
                await asking(key)
                whole_s[key] = time.perf_counter() - started_at

    await _took(stand)  # forget what came before
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    took_s = await _took(stand)
    return [(whole_s[key] - took_s[key]) * 1_000 for key in whole_s]


async def _took(stand: _Stand) -> dict[str, float]:
    async with stand.session.get(f"{stand.url}{TOOK_PATH}") as answer:
        told: dict[str, float] = await answer.json()
    return told


async def _bare(stand: _Stand, key: str) -> None:
    async with stand.session.get(f"{stand.url}{PLAIN_PATH}", headers={CORRELATION_HEADER: key}) as answer:
        await answer.json()


async def _question(stand: _Stand) -> Asking:
    """Start one payment, and return how the worker asks about it."""
    await _make_fees(stand, 1)
    intent_id = links.intent_of(stand.deps, await _click(stand, stand.deps))
    row = await stand.deps.pool.fetchrow(
        "SELECT id, provider, provider_reference, amount_minor, currency FROM gateway.attempt WHERE intent = $1",
        intent_id,
    )
    provider = stand.deps.providers[row["provider"]]
    order = PaymentOrder(
        reference=row["id"],
        amount=Money(row["amount_minor"], row["currency"]),
        description="",
        language="en",
        return_url=stand.url,
        cancel_url=stand.url,
        callback_url=stand.url,
        expires_at=stand.deps.clock(),
    )

    async def once() -> PaymentReport:
        return await provider.query(order, row["provider_reference"])

    async def ask(_: str) -> None:
        await circuits.ask(stand.deps, row["provider"], "query", once, is_failure=lambda _: False)

    return ask


async def _make_fees(stand: _Stand, count: int) -> None:
    """Make fees to pay, those left over counted."""

    async def make() -> str:
        number = next(stand.numbers)
        request = IntentRequest(f"B-{number}", [LineRequest(service=_SERVICE)], "en")
        claim = Claim("bench", "bench", str(number), bytes(32))
        made = await create_intent(stand.deps, _DEPARTMENT, request, claim)
        return links.token_of(stand.deps, made.resource)

    stand.unpaid.extend(await asyncio.gather(*(make() for _ in range(max(count - len(stand.unpaid), 0)))))


async def _click(stand: _Stand, deps: Deps) -> str:
    """Start paying a fee, as the citizen's "Pay" does; return its token."""
    token = stand.unpaid.pop()
    started = await start_payment(deps, token, Method.CARD, Contact())
    if started.next_step is None:
        raise RuntimeError(f"a payment was not started: {started}")
    return token
