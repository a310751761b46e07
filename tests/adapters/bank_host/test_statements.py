from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import etree

from adapters.bank_host.manifest import build
from adapters.bank_host.simulator import build_app
from adapters.errors import FileRefusedError, OutcomeUnknownError
from ledger.money import Money

TREASURY = "AE070331234567890123456"
DAY = date(2026, 11, 22)
SPECS = Path(__file__).parents[4] / "shared" / "specs" / "iso20022"


async def statements(bank, day=DAY, iban=TREASURY):
    return [statement async for statement in bank.statements(iban, day)]


async def credit(simulator, number=1, amount_minor=10_000, **more):
    wish = {"credit_id": f"settle-{number}", "amount_minor": amount_minor, "currency": "AED"}
    remittance = f"NGENIUS SETTLEMENT B{number}"
    return await simulator("POST", "credits", wish | {"remittance": remittance, "debtor": "NETWORK INTL"} | more)


async def test_a_day_has_no_statement_before_it_is_over(bank, simulator, clock):
    await credit(simulator)
    assert await statements(bank) == []
    clock.advance(hours=14)  # midnight in Dubai
    (statement,) = await statements(bank)
    assert (statement.opening, statement.closing) == (Money(50_000, "AED"), Money(60_000, "AED"))
    (entry,) = statement.entries
    assert (entry.remittance, entry.counterparty, entry.booked_on) == ("NGENIUS SETTLEMENT B1", "NETWORK INTL", DAY)


async def test_a_credit_is_booked_once_per_id(simulator):
    assert await credit(simulator) == await credit(simulator)
    assert [b["amount_minor"] for b in (await simulator("GET", "book"))["bookings"]] == [10_000]


async def test_closed_days_never_change_and_follow_each_other(bank, simulator, clock):
    await credit(simulator, 1)
    await simulator("POST", "close", {"day": "2026-11-22"})
    first = await statements(bank)
    assert (await credit(simulator, 2, booked_on="2026-11-22"))["booked_on"] == "2026-11-23"
    clock.advance(days=4)
    assert await statements(bank) == first
    days = [(await statements(bank, DAY + timedelta(days=n)))[0] for n in range(4)]
    assert [day.sequence for day in days] == [1, 2, 3, 4]
    assert all(later.opening == earlier.closing for earlier, later in pairwise(days))
    assert [len(day.entries) for day in days] == [1, 1, 0, 0]


async def test_the_book_outlives_the_bank(simulator, clock, random_bytes, book_path, server):
    await credit(simulator)
    await server.close()
    app = build_app(clock=clock, random_bytes=random_bytes, book_path=book_path, account_iban=TREASURY)
    async with TestClient(TestServer(app)) as client:
        book = await (await client.get("/simulator/book")).json()
        assert [b["credit_id"] for b in book["bookings"]] == ["settle-1"]


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "wrong_total"}, "the gap is 0.01"),
        ({"kind": "wrong_account", "iban": "AE080261001015500123401"}, "is of account AE080261001015500123401"),
        ({"kind": "truncated"}, "not whole XML"),
        ({"kind": "empty"}, "empty"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
async def test_hc21_a_statement_that_does_not_stand_is_refused(bank, simulator, clock, fault, word):
    await credit(simulator)
    await simulator("POST", "faults", {"on": "statement", "day": "2026-11-22", **fault})
    clock.advance(days=1)
    with pytest.raises(FileRefusedError, match=word):
        await statements(bank)
    await simulator("DELETE", "faults")
    assert len(await statements(bank)) == 1


@pytest.mark.parametrize(
    ("fault", "amounts"),
    [
        ({"kind": "omit_line", "line": 1}, [100]),
        ({"kind": "duplicate_line", "line": 0}, [100, 100, 250]),
        ({"kind": "extra_line", "amount_minor": 7}, [100, 250, 7]),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
async def test_hc23_what_the_bank_tells_wrongly_it_tells_for_ever(bank, simulator, clock, fault, amounts):
    await credit(simulator, 1, 100)
    await credit(simulator, 2, 250)
    await simulator("POST", "faults", {"on": "statement", "day": "2026-11-22", **fault})
    clock.advance(days=2)
    (told,) = await statements(bank)
    assert [entry.amount.amount_minor for entry in told.entries] == amounts
    await simulator("DELETE", "faults")
    assert await statements(bank) == [told]
    (following,) = await statements(bank, DAY + timedelta(days=1))
    assert following.opening == told.closing
    assert [b["amount_minor"] for b in (await simulator("GET", "book"))["bookings"]] == [100, 250]


async def test_hc21_gap_and_lateness(bank, simulator, clock):
    await simulator("POST", "faults", {"on": "statement", "day": "2026-11-22", "kind": "gap"})
    await simulator("POST", "faults", {"on": "statement", "day": "2026-11-22", "kind": "late", "days": 2})
    clock.advance(days=2)
    assert await statements(bank) == []
    clock.advance(days=1)
    assert [statement.sequence for statement in await statements(bank)] == [2]


async def test_a_bank_that_fails_while_statements_are_fetched_is_not_an_empty_day(bank, simulator):
    for kind in ("drop_before", "malformed"):
        await simulator("POST", "faults", {"on": "listing", "kind": kind})
        with pytest.raises(OutcomeUnknownError):
            await statements(bank)


async def test_an_order_of_one_debit_is_exploded_into_its_lines(server, session, clock, payout):
    settings = {"url": str(server.make_url("/")), "api_key": "simulated-bank-key", "book_as_one_debit": "yes"}
    bank = build(settings, session, clock)
    await bank.send_payout(payout(100, 200, 300))
    clock.advance(days=2)
    (statement,) = await statements(bank, DAY + timedelta(days=1))
    assert [entry.amount.amount_minor for entry in statement.entries] == [-100, -200, -300]
    assert [entry.number for entry in statement.entries] == [1, 2, 3]


async def test_the_menu_refuses_what_it_does_not_serve(server, session):
    async with session.post(server.make_url("/simulator/faults"), json={"on": "payout", "kind": "explode"}) as answer:
        assert answer.status == 400


async def test_the_papers_stand_before_the_official_schema(server, session, clock, payout, simulator, bank):
    if not SPECS.is_dir():
        pytest.skip("the official schemas are not at hand (../shared/specs/iso20022)")
    await simulator("POST", "faults", {"on": "payout", "kind": "return_line"})
    await bank.send_payout(payout(100, 200))
    await credit(simulator, booked_on="2026-11-23")
    clock.advance(days=4)
    schema = etree.XMLSchema(etree.parse(SPECS / "camt.053.001.08.xsd"))
    headers = {"Authorization": "Bearer simulated-bank-key"}
    for day in ("20261122", "20261123", "20261124"):
        path = f"/statements/{TREASURY}/{date.fromisoformat(day).isoformat()}/camt053-{day}.xml"
        async with session.get(server.make_url(path), headers=headers) as response:
            schema.assertValid(etree.fromstring(await response.read()))
