"""Texts as a phone would show them, through a simulated SMS centre on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.messages.smpp.client import SmppSender, SmsCentre
from adapters.messages.smpp.pdu import Receipt, Status
from adapters.messages.smpp.segments import GSM_CODING, UCS2_CODING, join, segments
from adapters.messages.smpp.simulator import DROP, SILENT, Centre

ARABIC = "تم دفع AED 1,250.50 إلى دائرة الاقتصاد والسياحة، رقم الإيصال ECONOMY-2026-0000001. "
LINK = "https://pay.example/pay/01m80xe2r0ch614epyqjka3fawc19784bcde0293680466104014d13dfc"


@dataclass(frozen=True)
class Text:
    text: str
    id: str = "ms_01"
    channel: str = "sms"
    recipient: str = "+971501234567"
    language: str = "ar"
    subject: str = ""


@dataclass
class Line:
    centre: Centre
    sender: SmppSender


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with Centre() as centre:
        address = SmsCentre("127.0.0.1", centre.port, user="mizan", timeout_s=2.0, enquire_s=0.05)
        sender = SmppSender(address)
        yield Line(centre, sender)
        await sender.close()


async def test_a_long_arabic_text_arrives_whole(line: Line):
    await line.sender.send(Text(ARABIC + LINK))
    assert line.centre.texts() == [("971501234567", ARABIC + LINK)]
    assert len(line.centre.submitted) == 3
    assert {each.segment.coding for each in line.centre.submitted} == {UCS2_CODING}
    assert {each.sender for each in line.centre.submitted} == {"GovPay"}


async def test_a_delivery_receipt_is_kept_until_it_is_taken(line: Line):
    reference = await line.sender.send(Text("Paid"))
    await line.sender.send(Text("One more answer, so that the first one's receipt has arrived"))
    receipts = line.sender.take_receipts(10)
    assert receipts[0] == Receipt(reference, "DELIVRD", "000")
    assert Receipt(reference, "DELIVRD", "000") not in line.sender.take_receipts(10)


async def test_a_receipt_is_answered_only_once_it_is_confirmed_and_on_its_own_connection(line: Line):
    await line.sender.send(Text("Paid"))
    await line.sender.send(Text("One more answer, so that the first one's receipt has arrived"))
    [first, *_] = line.sender.take_receipts(10)
    assert line.centre.confirmed == []
    await line.sender.confirm_receipt(first)
    await line.sender.confirm_receipt(first)
    await line.sender.send(Text("One more answer, so that the confirmation has arrived"))
    assert line.centre.confirmed == [1]

    [lost, *_] = line.sender.take_receipts(10)
    await line.sender.close()
    await line.sender.send(Text("On a new connection"))
    await line.sender.confirm_receipt(lost)
    await line.sender.send(Text("One more answer, so that a confirmation would have arrived"))
    assert line.centre.confirmed == [1]


async def test_many_texts_share_one_connection_and_do_not_mix(line: Line):
    said = [f"{number} {ARABIC * 3}" for number in range(20)]
    for text in said:
        await line.sender.send(Text(text))
    assert [text for _, text in line.centre.texts()] == said


async def test_busy_unknown_and_lost_are_told_apart(line: Line):
    line.centre.faults.extend([Status.THROTTLED, Status.INVALID_DESTINATION, SILENT])
    with pytest.raises(NotSentError):
        await line.sender.send(Text("1"))
    with pytest.raises(RejectedError):
        await line.sender.send(Text("2"))
    with pytest.raises(OutcomeUnknownError):
        await line.sender.send(Text("3"))


async def test_a_broken_connection_is_opened_again(line: Line):
    line.centre.faults.append(DROP)
    with pytest.raises(OutcomeUnknownError):
        await line.sender.send(Text("1"))
    await line.sender.send(Text("2"))
    assert line.centre.texts() == [("971501234567", "2")]


async def test_a_centre_that_is_away_or_refuses_us_took_nothing(line: Line):
    stranger = SmppSender(SmsCentre("127.0.0.1", line.centre.port, user="stranger", timeout_s=2.0))
    with pytest.raises(NotSentError):
        await stranger.send(Text("1"))
    await line.centre.stop()
    with pytest.raises(NotSentError):
        await stranger.send(Text("1"))
    await stranger.close()


async def test_the_link_is_kept_alive(line: Line):
    await line.sender.send(Text("1"))
    await asyncio.sleep(0.2)
    await line.sender.send(Text("2"))
    assert len(line.centre.texts()) == 2


def test_short_latin_texts_cost_one_segment_and_one_octet_a_letter():
    [only] = segments("Paid AED 10.00 [receipt 1] €", 1)
    assert (only.coding, only.linked) == (GSM_CODING, False)
    assert len(only.octets) == len("Paid AED 10.00 [receipt 1] €") + 3
    assert len(segments("a" * 160, 1)) == 1
    assert len(segments("a" * 161, 1)) == 2
    assert len(segments("ن" * 70, 1)) == 1
    assert len(segments("ن" * 71, 1)) == 2


@given(st.text(alphabet=st.sampled_from("abc ﷼€[]نةه😀é\n"), min_size=1, max_size=600))
def test_any_text_comes_together_again_and_every_part_fits(text: str):
    parts = segments(text, 7)
    assert join(parts) == text
    for part in parts:
        assert len(part.octets) <= (160 if part.coding == GSM_CODING else 140)
