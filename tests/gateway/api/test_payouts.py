"""A department reads its own money: what it is owed, what was paid out and for what, its statement."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import jsonschema
import pytest

from gateway.api.openapi import describe
from gateway.api.shapes import PART_KINDS
from reconciliation.breaks import Language
from reconciliation.reports import departments
from reconciliation.reports.words import KINDS, kind_word


def check(body, name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": describe()["components"]}
    jsonschema.validate(body, schema, format_checker=jsonschema.FormatChecker())


def aed(amount):
    return {"amount": amount, "currency": "AED"}


async def test_a_balance_is_what_the_books_say(town):
    await town.paid()
    await town.paid()
    answer = await town.ask("GET", "/v1/balances")
    check(answer.body, "BalanceList")
    [balance] = answer.body["data"]
    assert (
        balance["payable"] == aed(-(await town.books())["department:economy:payable"]) == aed(200_00)
    )  # the VAT is not its own
    assert (balance["held_back"], balance["in_transit"]) == (aed(0), aed(0))


async def test_a_payout_shows_the_payments_inside_it_page_by_page(town, things):
    listed = (await town.ask("GET", "/v1/payouts")).body
    check(listed, "PayoutList")
    assert [(one["id"], one["amount"], one["iban_ending"]) for one in listed["data"]] == [
        (things["payouts"], aed(105_00), "4101")
    ]
    inside = (await town.ask("GET", f"/v1/payouts/{things['payouts']}?limit=1")).body
    check(inside, "PayoutInside")
    [part] = inside["parts"]
    assert (part["kind"], part["payment_intent"]) == ("payment_captured", things["payment-intents"])
    assert part["amount"] == aed(100_00)
    intent = (await town.ask("GET", f"/v1/payment-intents/{things['payment-intents']}")).body
    assert (part["payment_reference"], part["receipt_number"]) == (intent["reference"], intent["receipt_number"])
    assert part["services"] == [{"service": "licence", "revenue_code": "411000"}]
    following = f"/v1/payouts/{things['payouts']}?cursor={inside['next_cursor'] or 10**9}"
    rest = (await town.ask("GET", following)).body
    everything = [*inside["parts"], *rest["parts"]]
    explained = sum(one["amount"]["amount"] for one in everything) + inside["not_itemised"]["amount"]
    assert explained == inside["amount"]["amount"]


def test_every_kind_of_part_is_explained_in_the_same_words():
    guide = (Path(__file__).parents[3] / "docs" / "departments.md").read_text()
    guide = guide.partition("| kind | in the statement |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", guide, re.MULTILINE))
    assert rows == {kind: kind_word(kind, Language.ENGLISH) for kind in PART_KINDS}
    assert set(PART_KINDS) <= KINDS.keys()


async def test_a_draft_is_shown_as_waiting_for_approval(town, things):
    await town.deps.pool.execute("UPDATE reconciliation.payout_batch SET status = 'submitted', released_at = NULL, "
                                 "book_date = NULL")  # fmt: skip
    await town.deps.pool.execute("UPDATE reconciliation.payout_line SET status = 'draft'")
    listed = (await town.ask("GET", "/v1/payouts")).body
    check(listed, "PayoutList")
    assert [(one["status"], one["instructed_at"]) for one in listed["data"]] == [("awaiting_approval", None)]
    assert (await town.ask("GET", f"/v1/payouts/{things['payouts']}")).body["amount"] == aed(105_00)


async def test_a_refused_draft_is_not_shown(town, things):
    await town.deps.pool.execute("UPDATE reconciliation.payout_batch SET status = 'refused', released_at = NULL, "
                                 "book_date = NULL")  # fmt: skip
    assert (await town.ask("GET", "/v1/payouts")).body["data"] == []
    assert (await town.ask("GET", f"/v1/payouts/{things['payouts']}")).status == 404


async def test_a_statement_is_the_department_s_own(town):
    intent = await town.paid()
    day = town.clock().date().isoformat()
    own = await town.session.get(
        f"{town.url}/v1/reports/statement?from={day}&date={day}&language=ar",
        headers={"Authorization": f"Bearer {town.keys['economy']}"},
    )
    assert (own.status, own.content_type) == (200, "text/csv")
    text = await own.text()
    assert [line for line in text.splitlines() if "العملة" in line], "the currency's column has a heading"
    assert intent["id"] in text
    assert "100.00" in text
    other = await town.session.get(
        f"{town.url}/v1/reports/statement?date={day}", headers={"Authorization": f"Bearer {town.keys['roads']}"}
    )
    assert intent["id"] not in await other.text()


async def report_rows(town, query, department="economy"):
    headers = {"Authorization": f"Bearer {town.keys[department]}"}
    async with town.session.get(f"{town.url}/v1/reports/{query}", headers=headers) as answer:
        assert answer.status == 200
        return list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))


@pytest.mark.parametrize(("language", "heading"), [("en", "Your reference"), ("ar", "مرجعكم")])
async def test_a_statement_calls_payments_as_their_department_does(town, language, heading):
    references = {f"=CASE {number}": await town.paid(reference=f"=CASE {number}") for number in range(3)}
    refunded = references["=CASE 1"]["id"]
    await town.ask("POST", f"/v1/payment-intents/{refunded}/refunds", {"reason": "x"})
    await town.work()
    day = town.clock().date().isoformat()
    head, opening, *lines, closing = await report_rows(town, f"statement?date={day}&language={language}")
    place = head.index(heading)
    known = {intent["id"]: reference for reference, intent in references.items()}
    assert [line[place] for line in lines] == [f"'{known[line[place - 1]]}" for line in lines]
    assert len(lines) == 4
    assert (opening[place], closing[place]) == ("", "")
    assert {len(row) for row in (head, opening, *lines, closing)} == {len(head)}


async def test_references_are_asked_for_many_at_a_time_as_rows_stream(town, monkeypatch):
    paid = [(await town.paid())["reference"] for _ in range(5)]
    monkeypatch.setattr(departments, "PREFETCH", 2)
    day = town.clock().date().isoformat()
    head, _, *lines, _ = await report_rows(town, f"statement?date={day}")
    assert [line[head.index("Your reference")] for line in lines] == paid


@pytest.mark.usefixtures("things")
async def test_an_advice_calls_payments_as_their_department_does(town):
    day = town.clock().date().isoformat()
    rows = await report_rows(town, f"remittance?date={day}")
    head = next(row for row in rows if "Your reference" in row)
    own = {row[head.index("Your reference")] for row in rows if "INV-" in "".join(row)}
    assert own == {intent["reference"] for intent in (await town.ask("GET", "/v1/payment-intents")).body["data"]}
    assert {len(row) for row in rows if len(row) > 1} == {len(head)}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("statement?date=2026-11-99", 422),
        ("statement?date=20261122", 422),
        ("statement?date=2027-01-01", 422),
        ("statement?from=2026-11-22&date=2026-11-21", 422),
        ("statement?from=2026-01-01&date=2026-11-21", 422),
        ("statement?department=roads", 422),
        ("statement?language=fr", 422),
        ("certificate", 404),
        ("trial-balance", 404),
        ("departments", 404),
    ],
)
async def test_what_cannot_be_meant_is_refused(town, query, status):
    assert (await town.ask("GET", f"/v1/reports/{query}")).status == status


async def test_nobody_reads_what_is_kept_of_the_bank(town, things):
    """The full account number, and what others are owed, are not in any answer."""
    for path in ("/v1/payouts", f"/v1/payouts/{things['payouts']}"):
        assert "AE84" not in repr((await town.ask("GET", path)).body)
