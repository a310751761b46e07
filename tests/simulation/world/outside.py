"""Providers and bank: Mizan's own simulators as actors, their faults ordered from the menu, their books read."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from adapters import registry
from adapters.bank_host.simulator import build_app as build_bank
from adapters.daraja.wire import account_of
from tests.simulation.processes import Process
from tests.simulation.simulation import Simulation
from tests.simulation.warmth import keys_folder
from tests.simulation.world import transfers
from tests.simulation.world.providers import (
    ADYEN,
    ALTAREQ,
    BANK_TRANSFER,
    CALL_FAULTS,
    CALLBACK_FAULTS,
    DARAJA,
    PAY_FAULTS,
    PROVIDERS,
    SimulatedProvider,
)

BANK_HOST: Final = BANK_TRANSFER.host
BANK_KEY: Final = "simulated-bank-key"
OUR_IBAN: Final = "AE070331234567890123456"

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
_RETURNABLE: Final = "SELECT reference FROM movements WHERE kind = 'refund' AND batch IS NULL"
_CLOSED_SIDE: Final = "127.0.0.1"  # where the banks' simulator listens for mutual TLS
_KEPT_BY_FEES: Final = 0.95
_PAPER_FAULTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"on": "listing", "kind": "http", "status": 503},
    {"on": "listing", "kind": "sleep", "seconds": 45},
    {"on": "listing", "kind": "drop_before"},
    {"on": "listing", "kind": "malformed"},
)


class Outside:
    """All simulators of one world, on hosts of their own, with books on disk."""

    def __init__(self, simulation: Simulation, names: Sequence[str], callbacks_url: str) -> None:
        self._simulation = simulation
        self._callbacks_url = callbacks_url
        self.providers = [PROVIDERS[name] for name in names]
        shared_memory = Path("/dev/shm")  # noqa: S108 - books in memory where there is such a folder
        parent = shared_memory if shared_memory.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="mizan-books-", dir=parent))
        self.bank: Process

    async def start(self) -> None:
        """Start all of them, and return when they answer."""
        self.bank = self._simulation.process(BANK_HOST)
        await self._simulation.spawn(self.bank, self._serve_bank(), "bank")
        for provider in self.providers:
            if provider is BANK_TRANSFER:
                continue  # its simulator is the bank's
            process = self._simulation.process(provider.host)
            await self._simulation.spawn(process, self._serve(provider, process), provider.name)

    async def _serve_bank(self) -> None:
        app = build_bank(
            clock=self._simulation.clock.of(self.bank),
            random_bytes=self._simulation.random_bytes("bank"),
            book_path=str(self._folder / "bank.db"),
            account_iban=OUR_IBAN,
            api_key=BANK_KEY,
        )
        await self._listen(app, BANK_HOST)

    async def _serve(self, provider: SimulatedProvider, process: Process) -> None:
        registered = registry.PROVIDERS[provider.name]
        more: dict[str, Any] = {}
        if provider.declined_cards:  # a card's page is where the payer's browser is sent
            more["page_url"] = f"https://{provider.host}"
        if registered.credentials is not None:
            more["keys"] = keys_folder(provider.name)
            self._simulation.network.sealed |= {provider.host, _CLOSED_SIDE}
        app = registered.simulator(
            clock=self._simulation.clock.of(process),
            random_bytes=self._simulation.random_bytes(provider.name),
            book_path=str(self._folder / provider.book),
            callback_url=f"{self._callbacks_url}/{provider.name}",
            bank_url=f"https://{BANK_HOST}",
            **more,
        )
        await self._listen(app, provider.host)

    async def _listen(self, app: web.Application, host: str) -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._simulation.network.name(host), 443).start()

    async def misbehave(self, stream: random.Random, callback_share: float) -> None:
        """Order one fault of one provider."""
        provider = stream.choice(self.providers)
        if provider is BANK_TRANSFER:
            await self._order_of_bank(stream.choice(_PAPER_FAULTS))
            return
        kind = stream.random()
        if kind < callback_share:
            call, (name, arguments) = "callback", stream.choice(CALLBACK_FAULTS)
        elif kind < callback_share + (1 - callback_share) * 0.7:
            call = stream.choice(provider.calls)
            name, arguments = stream.choice(CALL_FAULTS)
        else:
            call, (name, arguments) = "pay", stream.choice(PAY_FAULTS)
        self._simulation.trace.fault(provider.host, f"provider: {call} {name}", str(dict(arguments)))
        times = stream.choice((1, 1, 2, 4))
        await self._post(provider.host, "faults", {"call": call, "fault": name, "times": times, **arguments})

    async def misbehave_at_night(self, stream: random.Random) -> None:
        """Order one fault of the bank."""
        await self._order_of_bank(stream.choice(_PAYOUT_FAULTS))

    async def _order_of_bank(self, fault: Mapping[str, Any]) -> None:
        self._simulation.trace.fault("bank", f"bank: {fault['on']} {fault['kind']}")
        await self._post(BANK_HOST, "faults", fault)

    async def behave(self) -> None:
        """Cancel what was ordered and not yet served."""
        async with aiohttp.ClientSession() as session:
            for host in (*(provider.host for provider in self.providers), BANK_HOST):
                async with session.delete(f"https://{host}/simulator/faults"):
                    pass
            if ALTAREQ in self.providers:  # what its banks could not tell ours, they tell now
                async with session.post(f"https://{ALTAREQ.host}/simulator/close", json={}):
                    pass

    async def _post(self, host: str, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"https://{host}/simulator/{route}", json=dict(body)) as answer,
        ):
            if answer.status >= 400:
                raise RuntimeError(f"{host} refused {body}: {await answer.text()}")
            said = await answer.json()
            return said if isinstance(said, dict) else {}

    async def charge_at_terminal(self, amount_minor: int, currency: str) -> tuple[str, str]:
        """Hold a card to a terminal; return the reference and the approval code on its slip."""
        wish = {"amount_minor": amount_minor, "currency": currency}
        slip = await self._post(ADYEN.host, "terminal", wish)
        return slip["reference"], slip["approval_code"]

    async def void_at_terminal(self, reference: str) -> None:
        await self._post(ADYEN.host, "terminal/void", {"reference": reference})

    def may_come_back(self, refund_id: str) -> bool:
        """Tell a refund in Adyen's book that a card scheme can still return: done, and in no report yet."""
        return bool(self.rows(ADYEN.book, f"{_RETURNABLE} AND success AND reference = '{refund_id}'"))

    def came_back(self) -> list[str]:
        """Name the refunds Adyen has called failed after it had called them done."""
        rows = self.rows(ADYEN.book, f"{_RETURNABLE} AND NOT success ORDER BY rowid") if ADYEN in self.providers else []
        return [row["reference"] for row in rows]

    async def bring_back(self, refund_id: str) -> None:
        """Let a refund at Adyen fail after it was done; asked again, its notification is sent again."""
        await self._post(ADYEN.host, "fail-refund", {"reference": refund_id})

    async def deposit(self, reference: str, amount_minor: int) -> None:
        """Pay cash into our account at the bank's own counter."""
        wish = {"credit_id": reference, "amount_minor": amount_minor, "remittance": reference, "debtor": "CASH DEPOSIT"}
        await self._post(BANK_HOST, "credits", wish)

    def captures(self) -> list[dict[str, Any]]:
        """Read what every provider has taken: attempt, reference, minor."""
        names = self._names()
        captured = [
            {**row, "attempt": names.get(row["attempt"], row["attempt"])}
            for each in self.providers
            if each.captures
            for row in self.rows(each.book, each.captures)
        ]
        return captured + [
            {"attempt": each["attempt"], "reference": each["attempt"], "minor": each["asked"]}
            for each in self._transfers()
            if each["received"] >= each["asked"]
        ]

    def refunds(self) -> list[dict[str, Any]]:
        """Read what every provider has given back: identifier, attempt, place, minor."""
        return [row for each in self.providers if each.refunds for row in self.rows(each.book, each.refunds)]

    def gave_all_back(self, name: str) -> bool:
        """Tell a provider that has given back what it took, or what its fee left of it: it settles nothing that day."""
        if (provider := PROVIDERS.get(name)) is None:  # cash at a counter
            return False
        taken, given = (
            sum(row["minor"] for row in self.rows(provider.book, statement)) if statement else 0
            for statement in (provider.captures, provider.refunds)
        )
        return taken > 0 and given >= taken * _KEPT_BY_FEES

    def undecided(self) -> set[str]:
        """Name the attempts a provider has not decided; a transfer that has not come in full is never given up."""
        open_transfers = {each["attempt"] for each in self._transfers() if each["received"] < each["asked"]}
        return open_transfers | self._without_a_trace() | self._attempts("undecided")

    def heard_of(self) -> set[str]:
        return {each["attempt"] for each in self._transfers()} | self._attempts("heard_of")

    def _attempts(self, statement: str) -> set[str]:
        names = self._names()
        told = [(each.book, getattr(each, statement)) for each in self.providers]
        return {
            names.get(row["attempt"], row["attempt"]) for book, query in told if query for row in self.rows(book, query)
        }

    def _names(self) -> dict[str, str]:
        """Name the attempts by what M-Pesa knows them by, whose accounts are too short for our reference."""
        if DARAJA not in self.providers:
            return {}
        rows = self._simulation.control.rows(f"SELECT id FROM gateway.attempt WHERE provider = '{DARAJA.name}'")
        return {account_of(row["id"]): row["id"] for row in rows}

    def _without_a_trace(self) -> set[str]:
        """Name the prompts whose answer was lost and that came to nothing: nobody can ask what became of them."""
        if DARAJA not in self.providers:
            return set()
        lost = self._simulation.control.rows(
            f"SELECT id FROM gateway.attempt WHERE provider = '{DARAJA.name}' AND provider_reference IS NULL"
        )
        paid = {row["attempt"] for row in self.captures()}
        return {row["id"] for row in lost} - paid

    def _transfers(self) -> list[dict[str, Any]]:
        """Read what the bank has received for each attempt at a transfer: attempt, asked, received."""
        if BANK_TRANSFER not in self.providers:
            return []
        attempts = self._simulation.control.rows(
            f"SELECT id, amount_minor FROM gateway.attempt WHERE provider = '{BANK_TRANSFER.name}' ORDER BY id"
        )
        return transfers.received(self.bank_rows(transfers.BOOK), attempts)

    def prompts(self, mobile: str) -> list[tuple[str, str]]:
        """Return what a payer's phone shows: the address of its page, and the request that waits for this number."""
        return [
            (f"https://{each.host}/phone", row["identifier"])
            for each in self.providers
            if each.prompts
            for row in self.rows(each.book, each.prompts)
            if mobile.endswith(row["mobile"][-9:])
        ]

    def bank_rows(self, statement: str) -> list[dict[str, Any]]:
        return self.rows("bank.db", statement)

    def rows(self, book: str, statement: str) -> list[dict[str, Any]]:
        """Read a book past every fault."""
        database = sqlite3.connect(self._folder / book)
        database.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in database.execute(statement)]
        finally:
            database.close()

    def remove_books(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def settings(names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Return what the adapters need to reach them."""
    chosen: dict[str, Mapping[str, str]] = {
        name: {**registry.PROVIDERS[name].simulator_settings, "base_url": f"https://{PROVIDERS[name].host}"}
        for name in names
    }
    for name in names:
        if (credentials := registry.PROVIDERS[name].credentials) is not None:
            chosen[name] = {**chosen[name], **credentials(keys_folder(name))}
    if BANK_TRANSFER.name in chosen:
        ours = {"account_iban": OUR_IBAN, "beneficiary": "Government Treasury"}
        chosen[BANK_TRANSFER.name] = {**chosen[BANK_TRANSFER.name], **ours}
    return {**chosen, "bank_host": {"url": f"https://{BANK_HOST}", "api_key": BANK_KEY}}
