"""What a department is owed in a currency no payout leaves in is a break: once, for each currency, until it is gone."""

from __future__ import annotations

from ledger.accounts import department_payable
from ledger.entry import Entry, credit, debit
from ledger.money import Money
from reconciliation.break_words import sentence
from reconciliation.breaks import BreakType, Language

from .conftest import MONDAY, TUESDAY


async def test_a_balance_no_payout_can_leave_for_is_a_break_until_it_is_gone(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"), currency="USD")
    await world.capture("pa_2", ("traffic", "5.000"), currency="KWD")

    await world.night(step="payouts")
    await world.night(step="payouts")

    both = [("owed_in_other_currency", "traffic:KWD", "5.000"), ("owed_in_other_currency", "traffic:USD", "100.00")]
    assert await world.breaks() == both
    words = {"department": "traffic", "amount": "USD 100.00", "ours": "AED"}
    assert sentence(BreakType.OWED_IN_OTHER_CURRENCY, words, Language.ENGLISH) == (
        "traffic is owed USD 100.00; payouts leave in AED alone, so that it waits."
    )

    hundred = Money(100_00, "USD")
    await world.post(
        Entry(
            reference="treasury:1", kind="adjustment", business_date=MONDAY, effective_at=world.clock(),
            postings=(debit(department_payable("traffic"), hundred), credit("suspense:unidentified", hundred, "t-1")),
        )
    )  # fmt: skip
    await world.night(MONDAY, step="breaks")
    assert [one for one in await world.breaks() if one in both] == both[:1]
    await world.night(TUESDAY, step="payouts")
    assert [one for one in await world.breaks() if one in both] == both[:1]
