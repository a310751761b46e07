"""The departments' guide is true: every body in it is sent, every event it names exists."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from pathlib import Path

import pytest

from adapters.ngenius.simulator.cards import TEST_CARDS
from gateway.domain import booked
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.refunds.decide_refund import Decision
from ledger.money import Money
from ops.demo import catalogue

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "departments.md").read_text()
EXAMPLES = re.findall(r"```json (\w+) (\S+) (\d+)\n(.*?)```", GUIDE, re.DOTALL)


def service(code, department="economy"):
    return {
        "code": code, "department": department, "name_ar": "خدمة", "name_en": "Service", "revenue_code": "411000",
        "amount_minor": 960_00,
    }  # fmt: skip


# The codes of `mizan demo` that the guide uses, so that its readers can send its bodies as they stand.
SERVICES = [service("economy-001"), service("economy-002"), service("municipal-015", "roads")]
BUNDLES = [
    {
        "code": "start-a-restaurant", "department": "economy", "name_ar": "مطعم", "name_en": "Restaurant",
        "services": "economy-001 municipal-015",
    },
]  # fmt: skip


def test_the_guide_s_services_are_those_of_the_demo():
    assert {one["code"] for one in SERVICES} <= {one.code for one in catalogue.services()}


@pytest.mark.parametrize(("method", "path", "status", "body"), EXAMPLES)
async def test_the_guide_s_examples_work(town, method, path, status, body):
    assert not (await import_catalogue(town.deps, [], SERVICES, BUNDLES)).faults
    if "{id}" in path:
        path = path.replace("{id}", (await town.paid())["id"])
    answer = await town.ask(method, path, json.loads(body))
    assert answer.status == int(status), answer.body


def test_the_guide_has_examples():
    assert len(EXAMPLES) == 11


def test_the_guide_lists_the_sandbox_s_cards():
    assert re.findall(r"\| `(\d{16})` \| (\w+) \| (.*?) \|", GUIDE) == [
        (card.number, card.scheme, card.english) for card in TEST_CARDS
    ]


def test_the_guide_names_every_event_there_is():
    listed = GUIDE.partition("\nEvents: ")[2].partition("\n\n")[0]
    named, stem = set(), ""
    for word in re.findall(r"`([a-z_.]+)`", listed):
        stem = stem if word.startswith(".") else word.partition(".")[0]
        named.add(stem + word if word.startswith(".") else word)
    assert named == {f"{stem}.{what}" for stem, what in events_in_the_code()}


def events_in_the_code():
    """Every third argument of the functions that make events, statuses among them."""
    statuses = {
        "intent_event": {
            "requires_payment", "processing", "requires_capture", "paid", "cancelled", "expired", "created",
        },
        "attempt_event": {"pending", "unknown", "succeeded", "declined", "voided"},
        "refund_event": {
            "requested", "awaiting_approval", "awaiting_collection",
            "pending", "unknown", "succeeded", "failed", "review_required",
        },
    }  # fmt: skip
    stems = {
        "intent_event": "payment_intent", "attempt_event": "payment_attempt", "refund_event": "refund",
        "part_events": "payment_part", "part_refund_events": "payment_part",
    }  # fmt: skip
    found = {(stems[name], what) for name, words in statuses.items() for what in words}
    found |= {("refund", Decision("", approve=approve).word) for approve in (True, False)}
    for subject, words in booked.WORDS.items():
        found |= {(subject, word) for word in words}
        if subject != "payout":
            some = (booked.News(subject, word, "", Money(1, "AED"), date(2026, 11, 22)) for word in words)
            found |= {("payment_part", news.part_word) for news in some}
    for path in (ROOT / "gateway" / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in stems:
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                found |= {(stems[node.func.id], word) for word in words}
    return found
