import dataclasses
from datetime import date

import pytest

from adapters.bank_host.client import BankHost
from adapters.bank_host.wire import Channel
from adapters.contract import PayoutStatus, Pays, States
from adapters.errors import NotSentError, RejectedError
from adapters.http import WireClient
from ledger.money import Money


async def lines_of(simulator):
    (file,) = (await simulator("GET", "book"))["payment_files"]
    return {line["reference"]: (line["amount_minor"], line["reason"]) for line in file["lines"]}


async def debits(simulator):
    return [b["amount_minor"] for b in (await simulator("GET", "book"))["bookings"] if b["kind"] == "payout"]


async def test_the_bank_states_and_pays(bank):
    assert isinstance(bank, States)
    assert isinstance(bank, Pays)
    assert (await bank.check()).available


async def test_a_payout_is_taken_and_debited_the_next_day(bank, payout, clock):
    report = await bank.send_payout(payout(100_00, 250_50))
    assert report.status is PayoutStatus.ACCEPTED
    assert set(report.lines.values()) == {PayoutStatus.ACCEPTED}
    assert set(report.lines) == {"pl_01JD0000000000000000000000", "pl_01JD0000000000000000000001"}
    clock.advance(days=2)
    (statement,) = [s async for s in bank.statements("AE070331234567890123456", date(2026, 11, 23))]
    assert [(e.end_to_end_id, e.amount, e.batch_reference) for e in statement.entries] == [
        ("pl_01JD0000000000000000000000", Money(-100_00, "AED"), "po_01JD0000000000000000000001"),
        ("pl_01JD0000000000000000000001", Money(-250_50, "AED"), "po_01JD0000000000000000000001"),
    ]
    assert statement.closing == Money(50_000 - 350_50, "AED")


async def test_hc26_the_same_file_twice_is_one_file(bank, payout, simulator):
    first, second = await bank.send_payout(payout(500)), await bank.send_payout(payout(500))
    assert first == second
    assert await debits(simulator) == [-500]


async def test_hc26_another_file_under_the_same_id_is_never_taken_for_a_rejection(bank, payout, simulator):
    await bank.send_payout(payout(500))
    report = await bank.send_payout(payout(501))
    assert report.status is PayoutStatus.UNKNOWN
    assert "another file" in report.reason
    assert await debits(simulator) == [-500]


async def test_hc26_a_line_already_paid_in_another_file_is_rejected_alone(bank, payout, simulator):
    await bank.send_payout(payout(500))
    report = await bank.send_payout(payout(500, 700, message_id="po_01JD0000000000000000000002"))
    assert report.status is PayoutStatus.ACCEPTED
    assert list(report.lines.values()) == [PayoutStatus.REJECTED, PayoutStatus.ACCEPTED]
    assert await debits(simulator) == [-500, -700]


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ({"kind": "drop_before"}, False),
        ({"kind": "drop_after"}, True),
        ({"kind": "never_answer"}, True),
        ({"kind": "malformed"}, True),
        ({"kind": "unknown_word"}, True),
        ({"kind": "http", "status": 503}, False),
        ({"kind": "http", "status": 401}, False),
        ({"kind": "http", "status": 302}, False),
        ({"kind": "sleep", "seconds": 4}, True),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
async def test_hc26_doubt_is_unknown_and_a_resend_pays_once(bank, payout, simulator, fault, taken):
    await simulator("POST", "faults", {"on": "payout", **fault})
    assert (await bank.send_payout(payout(500))).status is PayoutStatus.UNKNOWN
    if fault["kind"] != "sleep":
        assert await debits(simulator) == ([-500] if taken else [])
    again = await bank.send_payout(payout(500))
    expected = PayoutStatus.ACCEPTED
    assert again.status is expected
    assert await debits(simulator) == [-500]


async def test_hc26_asking_settles_the_doubt_after_a_lost_answer(bank, payout, simulator):
    await simulator("POST", "faults", {"on": "payout", "kind": "drop_after"})
    await bank.send_payout(payout(500))
    assert (await bank.query_payout("po_01JD0000000000000000000001")).status is PayoutStatus.ACCEPTED


async def test_hc26_a_file_the_bank_does_not_know_stays_unknown(bank):
    report = await bank.query_payout("po_01JD0000000000000000000009")
    assert report.status is PayoutStatus.UNKNOWN
    assert "does not know" in report.reason


async def test_hc26_a_bank_that_never_says_a_word_is_proven_by_its_statement(bank, payout, simulator, clock):
    await simulator("POST", "faults", {"on": "payout", "kind": "never_answer"})
    await bank.send_payout(payout(500))
    assert (await bank.query_payout("po_01JD0000000000000000000001")).status is PayoutStatus.UNKNOWN
    clock.advance(days=2)
    (statement,) = [s async for s in bank.statements("AE070331234567890123456", date(2026, 11, 23))]
    assert [e.amount for e in statement.entries] == [Money(-500, "AED")]


async def test_hc26_one_line_rejected(bank, payout, simulator):
    wish = {"on": "payout", "kind": "reject_line", "line": "pl_01JD0000000000000000000001", "code": "AC04"}
    await simulator("POST", "faults", wish)
    report = await bank.send_payout(payout(500, 600, 700))
    assert report.status is PayoutStatus.ACCEPTED
    assert report.lines["pl_01JD0000000000000000000001"] is PayoutStatus.REJECTED
    assert report.reason == "pl_01JD0000000000000000000001: AC04"
    assert await debits(simulator) == [-500, -700]


async def test_hc26_all_lines_rejected(bank, payout, simulator):
    await simulator("POST", "faults", {"on": "payout", "kind": "reject_file", "code": "AM04"})
    report = await bank.send_payout(payout(500, 600))
    assert report.status is PayoutStatus.REJECTED
    assert set(report.lines.values()) == {PayoutStatus.REJECTED}
    assert "AM04" in report.reason
    assert await debits(simulator) == []


async def test_hc24_a_returned_payout_comes_back_as_a_marked_credit(bank, payout, simulator, clock):
    await simulator("POST", "faults", {"on": "payout", "kind": "return_line", "line": 0, "days": 1})
    assert (await bank.send_payout(payout(500))).status is PayoutStatus.ACCEPTED
    clock.advance(days=3)
    (statement,) = [s async for s in bank.statements("AE070331234567890123456", date(2026, 11, 24))]
    (entry,) = statement.entries
    assert (entry.amount, entry.end_to_end_id, entry.returned) == (
        Money(500, "AED"), "pl_01JD0000000000000000000000", True,
    )  # fmt: skip


async def test_hc03_a_bank_that_cannot_be_reached_was_not_sent_to(session, payout):
    wire = WireClient(session, name="bank_host", timeout_s=1)
    bank = BankHost(wire, Channel("http://127.0.0.1:1", "key"))
    with pytest.raises(NotSentError):
        await bank.send_payout(payout(500))
    assert (await bank.query_payout("po_1")).status is PayoutStatus.UNKNOWN
    assert not (await bank.check()).available


async def test_an_order_that_cannot_be_written_never_reaches_the_bank(bank, payout, simulator):
    line = dataclasses.replace(payout(500).lines[0], creditor_name="دائرة")
    with pytest.raises(RejectedError):
        await bank.send_payout(payout(lines=[line]))
    assert (await simulator("GET", "book"))["payment_files"] == []


async def test_a_stranger_is_not_let_in(server, session, payout):
    stranger = BankHost(WireClient(session, name="bank_host", timeout_s=1), Channel(str(server.make_url("/")), "guess"))
    assert (await stranger.send_payout(payout(500))).status is PayoutStatus.UNKNOWN
    assert not (await stranger.check()).available


async def test_the_bank_checks_control_sums_itself(server, session, payout, simulator):
    from adapters.formats.pain001 import write_payment_order

    body = write_payment_order(payout(500)).replace(b"<CtrlSum>5.00</CtrlSum>", b"<CtrlSum>5.01</CtrlSum>")
    url = server.make_url("/payment-files/po-01JD0000000000000000000001")
    key = {"Authorization": "Bearer simulated-bank-key"}
    async with session.put(url, data=body, headers=key) as response:
        assert b"<GrpSts>RJCT</GrpSts>" in await response.read()
    assert await lines_of(simulator) == {"pl_01JD0000000000000000000000": (500, "AM10")}
    async with session.put(url.parent / "other", data=b"<no/>", headers=key) as response:
        assert response.status == 400
