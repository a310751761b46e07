"""A list of fifty out of many intents, at its beginning, in its middle and near its end, and by filter."""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

import aiohttp
import asyncpg

from gateway.domain.ids import Prefix, id_bound
from ops.bench.figures import Figure, Options, absolute

_INTENTS: Final = 200_000
_BATCH: Final = 500_000
_ASKED: Final = 40
_PATH: Final = "/v1/payment-intents?limit=50"

# Six days before the others, one department of forty, so that the index is as mixed as a city's.
_FILL: Final = """
INSERT INTO gateway.intent
       (id, department, reference, amount_minor, currency, status, late_payment, language, metadata, live, created_at,
        updated_at, expires_at, next_close_at, paid_at, paid_attempt, receipt_number)
SELECT $3 || lpad(i::text, 23, '0'), 'bench-' || lpad((i % 40)::text, 2, '0'), 'CASE-' || i, 10500, 'AED',
       CASE WHEN i % 1000 = 0 THEN 'cancelled' ELSE 'expired' END, false, 'en', '{}', false,
       '2026-11-16Z'::timestamptz + i * interval '20 milliseconds', '2026-11-16Z', '2026-11-17Z', '2026-11-17Z',
       NULL, NULL, NULL
  FROM generate_series($1::bigint, $2::bigint - 1) i"""
_FILL_LINES: Final = """
INSERT INTO gateway.intent_line
       (intent, number, department, service, name_ar, name_en, revenue_code, quantity, amount_minor, vat_minor)
SELECT $3 || lpad(i::text, 23, '0'), 1, 'bench-' || lpad((i % 40)::text, 2, '0'), 'bench-licence', 'تجديد', 'Renewal',
       '411000', 1, 10500, 500
  FROM generate_series($1::bigint, $2::bigint - 1) i WHERE i % 40 = 0"""


async def list_figures(owner: asyncpg.Connection[Any], web: str, key: str, options: Options) -> list[Figure]:
    """Fill the table and measure pages, one request at a time."""
    count = options.size or _INTENTS
    head = id_bound(Prefix.INTENT, await owner.fetchval("SELECT '2026-11-16Z'::timestamptz"))[:6]
    for start in range(0, count, _BATCH):
        options.say(f"filling {min(start + _BATCH, count):,} of {count:,} intents")
        for statement in (_FILL, _FILL_LINES):
            await owner.execute(statement, start, min(start + _BATCH, count), head, timeout=3_600)
    await owner.execute("VACUUM ANALYZE gateway.intent", timeout=3_600)
    await owner.execute("VACUUM ANALYZE gateway.intent_line", timeout=3_600)
    places = {
        "first page": "",
        "from the middle": f"&cursor={head}{count // 2:023d}",
        "near the end": f"&cursor={head}{count // 100:023d}",
        "by a rare status": "&status=cancelled",
    }
    medians = {}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        for _ in range(2):  # the first time warms
            for name, query in places.items():
                medians[name] = await _median_ms(session, f"{web}{_PATH}{query}")
    first = medians["first page"]
    figures = [absolute(f"list of 50 of {count:,}, {name}", found, "ms", at_most=10) for name, found in medians.items()]
    deepest = medians["near the end"]
    return [
        *figures,
        Figure(
            "list near the end over first page", deepest, "ms", first, deepest / first, "<= 1.5", deepest <= 1.5 * first
        ),
    ]


async def _median_ms(session: aiohttp.ClientSession, url: str) -> float:
    spent = []
    for _ in range(_ASKED):
        begun = time.perf_counter()
        async with session.get(url) as answer:
            await answer.read()
            if answer.status != 200:
                raise AssertionError(f"a list was answered {answer.status}")
        spent.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(spent)
