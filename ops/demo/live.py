"""The demo that runs until Ctrl-C: a whole Mizan for a newcomer to click through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from aiohttp import web

from adapters.ngenius.simulator.cards import TEST_CARDS
from ops.demo import catalogue
from ops.demo.city import Account, found_city, open_account
from ops.demo.department_system import DepartmentSystem, Listener
from ops.demo.stage import Stage, set_stage
from ops.settings import Settings
from ops.wiring import assemble

Say = Callable[[str], None]

_SERVICE: Final = "economy-002"
_BUNDLE: Final = "start-a-restaurant"
_ACCOUNT: Final = "demo-account.json"


async def run_demo(settings: Settings, say: Say) -> None:
    """Set everything up, print how to use it, and run until interrupted."""
    say("Starting PostgreSQL, simulators, web and worker ...")
    async with set_stage(settings, home=settings.home) as stage:
        department = catalogue.departments()[0].code
        account = await _prepare(stage, department, say)
        listener = Listener(stage.clock, {department: account.webhook_secret})
        runner = web.AppRunner(listener.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stage.listener_port).start()
        async with aiohttp.ClientSession() as session:
            system = DepartmentSystem(department, stage.web_url, account.api_key, session)
            renewal = {"lines": [{"service": _SERVICE}]}
            links = [await _ask(system, stage, language, renewal) for language in ("ar", "en")]
            links.append(await _ask(system, stage, "en", {"bundle": _BUNDLE}))
        say(_welcome(stage, account, links))
        await _tell_what_is_heard(stage, listener, say)
        await runner.cleanup()


async def _prepare(stage: Stage, department: str, say: Say) -> Account:
    async with assemble(stage.settings, stage.database_url, pool_size_max=2) as parts:
        if await found_city(parts, [f"http://127.0.0.1:{stage.listener_port}"]):
            say(f"Imported {len(catalogue.departments())} departments and {len(catalogue.services()):,} services.")
        kept = stage.settings.home / _ACCOUNT
        if kept.exists():
            return msgspec.json.decode(kept.read_bytes(), type=Account)
        account = await open_account(parts, department, f"http://127.0.0.1:{stage.listener_port}/{department}")
        _keep(kept, account)
        return account


def _keep(path: Path, account: Account) -> None:
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(account))


def _order(language: str, reference: str, basket: Mapping[str, object]) -> dict[str, object]:
    return {
        "reference": reference,
        **basket,
        "payer": {"language": language, "email": "citizen@example.org", "mobile": "+971501234567"},
    }


async def _ask(system: DepartmentSystem, stage: Stage, language: str, basket: Mapping[str, object]) -> str:
    kind = "BU" if "bundle" in basket else "TL"
    reference = f"{kind}-{stage.clock():%Y%m%d-%H%M%S}-{language.upper()}"
    intent = await system.post("/v1/payment-intents", _order(language, reference, basket), key=reference)
    return str(intent["checkout_url"])


async def _tell_what_is_heard(stage: Stage, listener: Listener, say: Say) -> None:
    told = 0
    while not stage.supervisor.stopping:
        events = list(listener.events.values())
        for event in events[told:]:
            say(f"  the department heard: {event['type']}  {event['id']}")
        told = len(events)
        await asyncio.sleep(0.3)


def _welcome(stage: Stage, account: Account, links: list[str]) -> str:
    body = json.dumps(_order("en", "TL-2026-0001", {"lines": [{"service": _SERVICE}]}))
    port = stage.settings.operations_port
    operators = f"http://{stage.settings.host}"
    cards = "\n".join(f"    {card.spaced}  {card.english}" for card in TEST_CARDS)
    return f"""
Mizan runs. Pay a trade licence renewal:

  in Arabic    {links[0]}
  in English   {links[1]}

Or a restaurant's five licences, of four departments, in one payment:

  in English   {links[2]}

Test cards for the provider's page (any expiry, any security code):
{cards}

Bank account: choose a bank, then an account on its page: one pays, one is nearly empty, one takes two minutes.

A transfer is sent from the payer's own bank (also badly: without the reference, in parts, too much, twice):

  {stage.simulator_url("bank_host")}/internet-bank

Ask for another payment, as a department's system does:

  curl -s {stage.web_url}/v1/payment-intents \\
    -H 'Authorization: Bearer {account.api_key}' \\
    -H 'Idempotency-Key: "'$(date +%s%N)'"' -H 'Content-Type: application/json' \\
    -d '{body}'

The tariff says what that costs. What would the restaurant cost? A quote creates nothing:

  curl -s {stage.web_url}/v1/quotes \\
    -H 'Authorization: Bearer {account.api_key}' \\
    -H 'Idempotency-Key: "'$(date +%s%N)'"' -H 'Content-Type: application/json' \\
    -d '{{"bundle": "{_BUNDLE}"}}'

More addresses:
  {stage.web_url}/v1/openapi.json      the API, described
  {stage.web_url}/verify               check a receipt
  {operators}:{port}/metrics               metrics of web; of the worker on {port + 1}
  {stage.simulator_url("ngenius")}/simulator/book      the card provider's own book
  {stage.simulator_url("altareq")}/simulator/book      the payers' banks' own book
  {stage.simulator_url("bank_host")}/simulator/book      our own bank's book

The night, in another terminal (webhooks then carry the moved clock's time; a receiver on real time refuses them):
  .venv/bin/mizan demo night                 move the clock to the night and watch it run
  .venv/bin/mizan report reconciliation      what it found (--format csv|html for files)
  .venv/bin/mizan nightly status             how far each night has come

Messages to payers are written to {stage.settings.home}/messages.txt, logs to {stage.settings.home}/mizan.log.
Ctrl-C stops everything; the data stays in {stage.settings.home}.
"""
