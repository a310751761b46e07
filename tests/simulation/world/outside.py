"""The acquirer and the bank: Mizan's own simulators as actors, their faults ordered from the menu, their books read."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from adapters import registry
from adapters.bank_host.simulator import build_app as build_bank
from tests.simulation.processes import Process
from tests.simulation.simulation import Simulation

ACQUIRER: Final = "ngenius"
ACQUIRER_HOST: Final = "acquirer.example"
BANK_HOST: Final = "bank.example"
BANK_KEY: Final = "simulated-bank-key"
OUR_IBAN: Final = "AE070331234567890123456"

# What an acquirer does wrong to a call: fault, its arguments. Answers that lie about amounts are not among them,
# because a query must be truthful for the books to be held against it.
_CALL_FAULTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("sleep", {"seconds": 20}),
    ("sleep", {"seconds": 70}),
    ("drop", {}),
    ("refuse", {}),
    ("http", {"status": 500}),
    ("http", {"status": 503}),
    ("http", {"status": 502, "acts": True}),
    ("malformed", {}),
    ("unknown_status", {}),
)
_CALLS: Final = ("token", "create", "lookup", "query", "void", "refund")
_CALLBACK_FAULTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("none", {}),
    ("before_answer", {}),
    ("after", {"seconds": 30}),
    ("duplicate", {"count": 3}),
    ("concurrent", {"count": 4}),
    ("reordered", {}),
    ("bad_signature", {}),
    ("stale", {}),
    ("unknown_reference", {}),
)
_PAY_FAULTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("decline", {"code": "51"}),
    ("pending", {"outcome": "captured", "delay_s": 90}),
    ("pending", {"outcome": "failed", "delay_s": 90}),
    ("pending", {"outcome": "captured", "delay_s": 7200}),
)
_PAYOUT_FAULTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"on": "payout", "kind": "http", "status": 503},
    {"on": "payout", "kind": "sleep", "seconds": 45},
    {"on": "payout", "kind": "drop_before"},
    {"on": "payout", "kind": "drop_after"},
    {"on": "payout", "kind": "malformed"},
    {"on": "payout", "kind": "unknown_word"},
    {"on": "payout", "kind": "never_answer"},
    {"on": "payout", "kind": "reject_file", "code": "AC01"},
    {"on": "payout", "kind": "reject_line", "line": 0, "code": "AC04"},
    {"on": "payout", "kind": "return_line", "line": 0, "days": 1},
    {"on": "status", "kind": "http", "status": 500},
    {"on": "status", "kind": "malformed"},
    {"on": "listing", "kind": "http", "status": 503},
    {"on": "listing", "kind": "drop_before"},
)


class Outside:
    """Both simulators of one world, on hosts of their own, with books on disk."""

    def __init__(self, simulation: Simulation, callback_url: str) -> None:
        self._simulation = simulation
        self._callback_url = callback_url
        shared_memory = Path("/dev/shm")  # noqa: S108 - books in memory where there is such a folder
        parent = shared_memory if shared_memory.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="mizan-books-", dir=parent))
        self.acquirer: Process
        self.bank: Process

    async def start(self) -> None:
        """Start both, and return when they answer."""
        self.acquirer = self._simulation.process(ACQUIRER_HOST)
        self.bank = self._simulation.process(BANK_HOST)
        await self._simulation.spawn(self.bank, self._serve_bank(), "bank")
        await self._simulation.spawn(self.acquirer, self._serve_acquirer(), "acquirer")

    async def _serve_bank(self) -> None:
        app = build_bank(
            clock=self._simulation.clock.of(self.bank),
            random_bytes=self._simulation.random_bytes("bank"),
            book_path=str(self._folder / "bank.db"),
            account_iban=OUR_IBAN,
            api_key=BANK_KEY,
        )
        await self._listen(app, BANK_HOST)

    async def _serve_acquirer(self) -> None:
        app = registry.PROVIDERS[ACQUIRER].simulator(
            clock=self._simulation.clock.of(self.acquirer),
            random_bytes=self._simulation.random_bytes("acquirer"),
            book_path=str(self._folder / "acquirer.db"),
            callback_url=self._callback_url,
            bank_url=f"https://{BANK_HOST}",
            page_url=f"https://{ACQUIRER_HOST}",
        )
        await self._listen(app, ACQUIRER_HOST)

    async def _listen(self, app: web.Application, host: str) -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._simulation.network.name(host), 443).start()

    async def misbehave(self, stream: random.Random) -> None:
        """Order one fault of the acquirer."""
        kind = stream.random()
        if kind < 0.5:
            call = stream.choice(_CALLS)
            name, arguments = stream.choice(_CALL_FAULTS)
        elif kind < 0.8:
            call, (name, arguments) = "callback", stream.choice(_CALLBACK_FAULTS)
        else:
            call, (name, arguments) = "pay", stream.choice(_PAY_FAULTS)
        self._simulation.trace.fault("acquirer", f"acquirer: {call} {name}", str(dict(arguments)))
        times = stream.choice((1, 1, 2, 4))
        await self._post(ACQUIRER_HOST, "faults", {"call": call, "fault": name, "times": times, **arguments})

    async def misbehave_at_night(self, stream: random.Random) -> None:
        """Order one fault of the bank."""
        fault = dict(stream.choice(_PAYOUT_FAULTS))
        self._simulation.trace.fault("bank", f"bank: {fault['on']} {fault['kind']}")
        await self._post(BANK_HOST, "faults", fault)

    async def behave(self) -> None:
        """Cancel what was ordered and not yet served."""
        async with aiohttp.ClientSession() as session:
            for host in (ACQUIRER_HOST, BANK_HOST):
                async with session.delete(f"https://{host}/simulator/faults"):
                    pass

    async def _post(self, host: str, route: str, body: Mapping[str, Any]) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"https://{host}/simulator/{route}", json=dict(body)) as answer,
        ):
            if answer.status >= 400:
                raise RuntimeError(f"{host} refused {body}: {await answer.text()}")

    def acquirer_rows(self, statement: str) -> list[dict[str, Any]]:
        """Read the acquirer's own book, past every fault."""
        return self._rows("acquirer.db", statement)

    def bank_rows(self, statement: str) -> list[dict[str, Any]]:
        return self._rows("bank.db", statement)

    def _rows(self, book: str, statement: str) -> list[dict[str, Any]]:
        database = sqlite3.connect(self._folder / book)
        database.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in database.execute(statement)]
        finally:
            database.close()

    def remove_books(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def settings() -> dict[str, Mapping[str, str]]:
    """Return what the adapters need to reach both."""
    simulator = dict(registry.PROVIDERS[ACQUIRER].simulator_settings)
    return {
        ACQUIRER: {**simulator, "base_url": f"https://{ACQUIRER_HOST}"},
        "bank_host": {"url": f"https://{BANK_HOST}", "api_key": BANK_KEY},
    }


def close_day(day: date) -> dict[str, str]:
    return {"day": day.isoformat()}
