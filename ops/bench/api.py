"""`mizan bench api`: a web process over loopback, against PostgreSQL alone and against FastAPI doing the same.

wrk, web and PostgreSQL share the machine; everything runs in one go, in interleaved rounds, with fsync on. Web and the
peer have one process a processor each, behind one port.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from ops.bench.api_callers import authentication_ms, bench_tokens
from ops.bench.api_list import list_figures
from ops.bench.figures import Figure, Options, Rounds, absolute
from ops.bench.load import LoadError, Wrk, pgbench, serving
from ops.bench.statement import Statement, record_creation
from ops.migrate import migrate
from ops.ports import free_run
from ops.settings import Settings
from ops.web_processes import operations_ports
from ops.wiring import Parts, assemble

DATABASE: Final = "mizan_bench_api"
DEPARTMENT: Final = "bench-00"
SERVICE: Final = "bench-licence"
CONNECTIONS: Final = 32
_KEYS: Final = 200
_READ: Final = 1_000
_CATALOGUE: Final = {
    "code": SERVICE, "department": DEPARTMENT, "name_ar": "تجديد الرخصة", "name_en": "Licence renewal",
    "revenue_code": "411000", "amount_minor": 10_500, "vat_basis_points": 500, "currency": "AED",
}  # fmt: skip
_PATH: Final = "/v1/payment-intents"
_SECRET: Final = "a secret of this measurement and nothing else"  # noqa: S105 - it opens an empty database
_RATE: Final = 10_000_000
_BAD_SHARE_MAX: Final = 0.02
"""More refusals than this (of one second's requests) and the figure says nothing."""


@dataclass(slots=True, kw_only=True)
class _Bench:
    options: Options
    url: str
    owner: asyncpg.Connection[Any]
    wrk: Wrk
    web: str
    peer: str | None
    script: Path
    keys: list[str]
    tokens: list[str]
    rounds: Rounds


async def run(options: Options) -> list[Figure]:
    """Measure everything on a database of its own, dropped afterwards."""
    url = urlunsplit(urlsplit(options.url)._replace(path=f"/{DATABASE}"))
    server: asyncpg.Connection[Any] = await asyncpg.connect(options.url)
    await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await server.execute(f"CREATE DATABASE {DATABASE}")
    try:
        await migrate(url)
        with tempfile.TemporaryDirectory(prefix="mizan-bench-api-") as folder:
            return await _measure(options, url, Path(folder))
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await server.close()


async def _measure(options: Options, url: str, folder: Path) -> list[Figure]:
    processes = os.cpu_count() or 1
    web_port = free_run(4 + processes)
    peer_port, operations_port = web_port + 1, web_port + 2
    settings = Settings(
        database_url=url, home=folder, port=web_port, operations_port=operations_port, secret=_SECRET,
        requests_per_minute=_RATE, public_url=f"http://127.0.0.1:{web_port}",
    )  # fmt: skip
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(assemble(settings, url, pool_size_max=2))
        await import_catalogue(parts.gateway, [_department()], [_CATALOGUE])
        keys = [(await issue_key(parts.gateway, DEPARTMENT, f"bench {number}"))[0] for number in range(_KEYS)]
        tokens = await bench_tokens(parts.gateway, DEPARTMENT, 20)
        statement = await record_creation(parts.gateway, DEPARTMENT, SERVICE)
        script = folder / "create.sql"
        script.write_text(statement.pgbench_script(), "utf-8")
        web, peer = f"http://127.0.0.1:{web_port}", f"http://127.0.0.1:{peer_port}"
        probes = [f"http://127.0.0.1:{port}/readyz" for port in operations_ports(settings, processes)]
        words = ["-m", "ops.cli", "web", "--processes", str(processes)]
        await stack.enter_async_context(serving(words, _environment(settings), probes, folder / "web.log"))
        has_peer = all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn"))
        if has_peer:
            words = ["-m", "uvicorn", "ops.bench.peers.fastapi_peer:app", "--port", str(peer_port)]
            words += ["--workers", str(processes), "--loop", "uvloop", "--no-access-log", "--log-level", "error"]
            environment = _peer_environment(parts, url, statement, keys)
            await stack.enter_async_context(serving(words, environment, [f"{peer}/docs"], folder / "peer.log"))
        else:
            options.say("FastAPI is not installed: pip install 'mizan[bench]' to measure against it")
        bench = _Bench(
            options=options,
            url=url,
            owner=await asyncpg.connect(url),
            wrk=Wrk(folder, CONNECTIONS),
            web=web,
            peer=peer if has_peer else None,
            script=script,
            keys=keys,
            tokens=tokens,
            rounds=Rounds(),
        )
        stack.push_async_callback(bench.owner.close)
        await _rounds(bench)
        figures = [*_figures(bench), *await authentication_ms(parts.gateway, keys[0], tokens[0])]
        return figures + await list_figures(bench.owner, web, keys[0], options)


async def _rounds(bench: _Bench) -> None:
    """Every measurement once a round, in an order of the round's own; one that refuses anything does not count."""
    options = bench.options
    for number in range(-1, options.rounds):  # the first is not counted: caches fill, statements are prepared
        jobs = (
            ["create", "create by token", "pgbench", "peer"] if bench.peer else ["create", "create by token", "pgbench"]
        )
        random.Random(number).shuffle(jobs)
        rounds, seconds = (bench.rounds, options.seconds) if number >= 0 else (Rounds(), 2.0)
        for job in [*jobs, "get", "half load"]:
            options.say(f"round {number + 1}: {job}")
            await bench.owner.execute("CHECKPOINT")
            # A minute of life does this by itself; a fresh table is otherwise planned as if it were empty.
            await bench.owner.execute("VACUUM ANALYZE gateway.intent, gateway.intent_line, gateway.idempotency")
            await _job(bench, job, f"{job.replace(' ', '')}{number + 1}", rounds, seconds)


async def _job(bench: _Bench, job: str, tag: str, rounds: Rounds, seconds: float) -> None:
    match job:
        case "pgbench":
            rounds.add(job, await pgbench(bench.url, bench.script, CONNECTIONS, seconds))
            await bench.owner.execute("DELETE FROM gateway.idempotency WHERE key LIKE 'key-%'")
            await bench.owner.execute("DELETE FROM gateway.outbox WHERE event LIKE 'ev_00000%'")
            for table in ("gateway.intent WHERE id", "gateway.intent_line WHERE intent", "gateway.event WHERE id"):
                await bench.owner.execute("DELETE FROM " + table + " ~ '^(pi|ev)_000000'")
        case "get":
            rows = await bench.owner.fetch("SELECT id FROM gateway.intent ORDER BY id DESC LIMIT $1", _READ)
            paths = [f"{_PATH}/{row['id']}" for row in rows]
            load = await bench.wrk.run(bench.web, "GET", paths, bench.keys, tag=tag, seconds=seconds)
            _add(rounds, job, load.per_s, load.bad)
        case "half load":
            # Each connection sends at half its pace flat out: it waits so long, on average, after each answer.
            delay_ms = CONNECTIONS / rounds.values["create"][-1] * 2_000
            load = await bench.wrk.run(
                bench.web, "POST", [_PATH], bench.keys, tag=tag, seconds=seconds, delay_ms=delay_ms
            )
            _add(rounds, "half load", load.per_s, load.bad)
            rounds.add("half load p50", load.p50_ms)
            rounds.add("half load p99", load.p99_ms)
        case _:
            target = bench.peer if job == "peer" else bench.web
            credentials = bench.tokens if job == "create by token" else bench.keys
            load = await bench.wrk.run(str(target), "POST", [_PATH], credentials, tag=tag, seconds=seconds)
            _add(rounds, job, load.per_s, load.bad)
            if job == "create":
                rounds.add("create p50", load.p50_ms)
                rounds.add("create p99", load.p99_ms)


def _add(rounds: Rounds, name: str, per_s: float, bad: int) -> None:
    if bad > per_s * _BAD_SHARE_MAX:
        raise LoadError(f"{name}: {bad} requests failed or were refused, at {per_s:.0f} a second")
    rounds.add(name, per_s)


def _figures(bench: _Bench) -> list[Figure]:
    rounds = bench.rounds
    figures = [
        rounds.figure("creating an intent, API key", "create", "/s", limit="pgbench", at_least=0.7),
        rounds.figure("creating an intent, access token", "create by token", "/s", limit="pgbench", at_least=0.7),
        rounds.figure("creating an intent, against FastAPI", "create", "/s", limit="peer", at_least=3),
        rounds.figure("getting an intent, against creating", "get", "/s", limit="create", at_least=2),
        absolute("creating flat out, median", rounds.median("create p50"), "ms"),
        absolute("creating flat out, p99", rounds.median("create p99"), "ms"),
        rounds.figure("load for the next two, of creating flat out", "half load", "/s", limit="create"),
        absolute("creating at half load, median", rounds.median("half load p50"), "ms"),
        rounds.figure(
            "creating at half load, p99 over median", "half load p99", "ms", limit="half load p50", at_most=5
        ),
    ]
    if bench.peer is None:
        figures.pop(2)
    return figures


def _department() -> dict[str, Any]:
    return {"code": DEPARTMENT, "name_ar": "دائرة", "name_en": "Department", "return_origins": []}


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": str(settings.database_url),
        "MIZAN_HOME": str(settings.home),
        "MIZAN_PORT": str(settings.port),
        "MIZAN_OPERATIONS_PORT": str(settings.operations_port),
        "MIZAN_SECRET": _SECRET,
        "MIZAN_PUBLIC_URL": str(settings.public_url),
        "MIZAN_REQUESTS_PER_MINUTE": str(_RATE),
        "MIZAN_LOG_LEVEL": "warning",
    }


def _peer_environment(parts: Parts, url: str, statement: Statement, keys: list[str]) -> dict[str, str]:
    service = {**_CATALOGUE, "name": {"ar": _CATALOGUE["name_ar"], "en": _CATALOGUE["name_en"]}, "service": SERVICE}
    return {
        "DATABASE_URL": url,
        "MIZAN_HOME": str(parts.settings.home),
        "MIZAN_BENCH_STATEMENT": msgspec.json.encode(statement).decode(),
        "MIZAN_BENCH_KEYS": json.dumps({hashlib.sha256(key.encode()).hexdigest(): DEPARTMENT for key in keys}),
        "MIZAN_BENCH_SERVICES": json.dumps({SERVICE: service}),
    }
