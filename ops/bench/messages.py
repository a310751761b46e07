"""`mizan bench messages`: how soon after the provider's word a payer's SMS and e-mail leave, at 50 payments a second.

Everything is real: web, worker, PostgreSQL and the card provider's simulator as processes of their own, a mail server
and an SMS centre on sockets. The payers have reached the provider's page before the clock starts; then so many a second
pay, whether or not Mizan keeps up.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
from aiosmtpd.smtp import SMTP, Envelope

from adapters.contract import Method
from adapters.messages.smpp.simulator import Centre
from gateway.domain.contact import Contact
from gateway.services import links
from gateway.services.attempts.start_payment import start_payment
from ops.bench.figures import Figure, Options, absolute, percentile
from ops.demo.city import found_city, open_account
from ops.demo.department_system import DepartmentSystem
from ops.demo.stage import Stage, set_stage
from ops.logs import configure_logs
from ops.settings import read_settings
from ops.wiring import Parts, assemble

_PER_SECOND: Final = 50
_DEPARTMENT, _SERVICE = "economy", "economy-002"
_LATEST_S: Final = 120.0
_BAR_S: Final = 2.0
_PREPARED_AT_ONCE: Final = 8


class _Post:
    """A mail server that counts what it takes, by message id."""

    def __init__(self) -> None:
        self.letters: Counter[str] = Counter()

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        head, _, _ = content.partition(b"\r\n\r\n")
        found = [line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")]
        self.letters[found[0].decode("ascii") if found else ""] += 1
        return "250 taken"


@asynccontextmanager
async def _mail_server() -> AsyncIterator[tuple[_Post, int]]:
    post = _Post()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(post, loop=loop), "127.0.0.1", 0)
    try:
        yield post, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def run(options: Options) -> list[Figure]:
    """Measure for `seconds` times `rounds`, at least ten seconds."""
    configure_logs("warning", process="bench")
    count = int(_PER_SECOND * max(options.seconds * options.rounds, 10.0))
    with tempfile.TemporaryDirectory(prefix="mizan-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240 - nothing else runs yet
        async with Centre() as centre, _mail_server() as (post, mail_port):
            extra = {
                "MIZAN_SMTP_HOST": "127.0.0.1",
                "MIZAN_SMTP_PORT": str(mail_port),
                "MIZAN_SMPP_HOST": "127.0.0.1",
                "MIZAN_SMPP_PORT": str(centre.port),
                "MIZAN_SMPP_USER": "mizan",
            }
            settings = read_settings({"MIZAN_HOME": folder})
            async with (
                set_stage(settings, home=Path(folder) / "home", extra=extra, own_ports=True) as stage,
                assemble(stage.settings, stage.database_url) as parts,
                aiohttp.ClientSession() as session,
            ):
                await found_city(parts, [])
                options.say(f"{count} payers go to the provider's page")
                references = await _reach_the_provider(stage, parts, session, count)
                options.say(f"{_PER_SECOND} a second pay")
                await _pay(stage, session, references)
                lags = await _lags(parts.pool, count)
            return _figures(lags, count, post, centre)


async def _reach_the_provider(stage: Stage, parts: Parts, session: aiohttp.ClientSession, count: int) -> Sequence[str]:
    account = await open_account(parts, _DEPARTMENT, None)
    system = DepartmentSystem(_DEPARTMENT, stage.web_url, account.api_key, session)
    slots = asyncio.Semaphore(_PREPARED_AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            payer = {
                "language": ("ar", "en")[number % 2],
                "email": f"citizen{number}@example.org",
                "mobile": f"+9715{number:08}",
            }
            body = {"reference": f"M-{number}", "lines": [{"service": _SERVICE}], "payer": payer}
            intent = await system.post("/v1/payment-intents", body, key=f"m-{number}")
            token = links.token_of(parts.gateway, intent["id"])
            await start_payment(parts.gateway, token, Method.CARD, Contact())

    await asyncio.gather(*(one(number) for number in range(count)))
    rows = await parts.pool.fetch("SELECT id FROM gateway.attempt WHERE status = 'pending' ORDER BY id")
    return [row["id"] for row in rows]


async def _pay(stage: Stage, session: aiohttp.ClientSession, references: Sequence[str]) -> None:
    """Let a payer press Pay every fiftieth of a second, on time whatever the answers do."""
    loop = asyncio.get_running_loop()
    url = f"{stage.simulator_url('ngenius')}/simulator/pay"
    begin_s = loop.time()

    async def one(number: int, reference: str) -> None:
        await asyncio.sleep(max(begin_s + number / _PER_SECOND - loop.time(), 0))
        async with session.post(url, json={"reference": reference}) as answer:
            answer.raise_for_status()

    await asyncio.gather(*(one(number, reference) for number, reference in enumerate(references)))


async def _lags(pool: asyncpg.Pool[Any], count: int) -> dict[str, list[float]]:
    """Return for each channel the seconds from the provider's first word about a payment to its message's leaving."""
    deadline_s = asyncio.get_running_loop().time() + _LATEST_S
    while asyncio.get_running_loop().time() < deadline_s:
        sent = await pool.fetchval("SELECT count(*) FROM gateway.message WHERE status = 'sent'")
        if sent >= 2 * count:
            break
        await asyncio.sleep(0.5)
    rows = await pool.fetch(
        """SELECT m.channel, extract(epoch FROM m.sent_at - min(i.received_at))::float8 AS lag_s
             FROM gateway.message m
             JOIN gateway.attempt a ON a.intent = m.subject
             JOIN gateway.inbox i ON i.reference = a.id
            WHERE m.status = 'sent' AND i.word = 'CAPTURED'
            GROUP BY m.id, m.channel, m.sent_at"""
    )
    lags: dict[str, list[float]] = {"sms": [], "email": []}
    for row in rows:
        lags[row["channel"]].append(row["lag_s"])
    return lags


def _figures(lags: dict[str, list[float]], count: int, post: _Post, centre: Centre) -> list[Figure]:
    texts = Counter(recipient for recipient, _ in centre.texts())
    figures = []
    for channel, name in (("sms", "SMS"), ("email", "e-mail")):
        seen = lags[channel] or [float("inf")]
        figures += [
            absolute(f"{name} after the provider's word, median", percentile(seen, 0.5), "s"),
            absolute(f"{name}, 99 of 100", percentile(seen, 0.99), "s", at_most=_BAR_S),
            absolute(f"{name}, the slowest", max(seen), "s"),
        ]
    return [
        *figures,
        absolute("payers who got an SMS, of all who paid", len(texts) / count, "", at_least=1),
        absolute("payers who got an e-mail", len(post.letters) / count, "", at_least=1),
        absolute("messages beyond one a payer", sum(texts.values()) + post.letters.total() - 2 * count, "", at_most=0),
    ]
