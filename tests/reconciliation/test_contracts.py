"""What is agreed with a provider changes by two people; what finance says of a day is kept with who said it."""

from __future__ import annotations

from collections import Counter
from datetime import date

import asyncpg
import pytest

from adapters.contract import LineKind
from reconciliation.contracts import decide_contract, list_contracts, propose_contract
from reconciliation.errors import NotAllowedError, SamePersonError
from reconciliation.provider_terms import NOT_AGREED, FeeTerms, ProviderTerms

from .conftest import MONDAY, SUNDAY, line, settlement, sign


async def test_a_contract_is_proposed_by_one_and_approved_by_another(world):
    proposed = await propose_contract(
        world.deps, "alpha", MONDAY, {"fee_basis_points": 150, "fee_fixed_minor": 100}, by="amal", reason="renewed"
    )
    assert (await list_contracts(world.deps))[1:] == [
        f"{proposed}  alpha  from 2026-11-23  by amal, to be approved: renewed",
        "    fee basis points: none -> 150",
        "    fee fixed minor: 0 -> 100",
    ]
    with pytest.raises(NotAllowedError, match="waits for a decision already"):
        await propose_contract(world.deps, "alpha", SUNDAY, {}, by="amal", reason="again")
    for same in ("amal", " Amal "):
        with pytest.raises(SamePersonError):
            await decide_contract(world.deps, proposed, by=same, approve=True)
    await decide_contract(world.deps, proposed, by="bilal", approve=True)
    with pytest.raises(NotAllowedError, match="is approved already"):
        await decide_contract(world.deps, proposed, by="huda", approve=False)

    assert (await list_contracts(world.deps))[1] == (
        "alpha  from 2026-11-23  file 1, settled 1, credited 1 working days;"
        " fee 1.50 % + AED 1.00 and VAT of 5.00 % on it"
    )
    said = await world.pool.fetch("SELECT action FROM reconciliation.audit WHERE subject = 'alpha'")
    assert Counter(row["action"] for row in said) == {"contract_proposed": 2, "contract_approved": 2}


async def test_the_database_itself_wants_two_people_and_one_decision(world):
    proposed = await propose_contract(world.deps, "alpha", MONDAY, {"file_days": 3}, by="amal", reason="renewed")
    decide = (
        "UPDATE reconciliation.provider_contract SET checker = $2, checked_at = made_at, decision = $3 WHERE id = $1"
    )
    with pytest.raises(asyncpg.CheckViolationError, match="contract_maker_is_not_checker"):
        await world.pool.execute(decide, proposed, "AMAL", "approved")
    await world.pool.execute(decide, proposed, "bilal", "refused")
    with pytest.raises(asyncpg.CheckViolationError, match="is refused already"):
        await world.pool.execute(decide, proposed, "bilal", "approved")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.pool.execute("UPDATE reconciliation.provider_contract SET file_days = 9")


async def test_a_contract_of_a_stranger_or_without_sense_is_refused(world):
    with pytest.raises(NotAllowedError, match="there is no provider 'alfa'; there are alpha"):
        await propose_contract(world.deps, "alfa", MONDAY, {}, by="amal", reason="new")
    with pytest.raises(NotAllowedError, match="does not stand"):
        await propose_contract(world.deps, "alpha", MONDAY, {"fee_fixed_minor": 5}, by="amal", reason="no share")
    with pytest.raises(NotAllowedError, match="does not stand"):
        await propose_contract(world.deps, "alpha", MONDAY, {"file_days": 3}, by="amal", reason=" ")


def test_a_fixed_fee_is_of_its_own_currency_alone():
    terms = ProviderTerms(fees=FeeTerms(basis_points=100, fixed_minor=50), currency="AED")
    assert terms.fees_in("AED") == FeeTerms(basis_points=100, fixed_minor=50)
    assert terms.fees_in("KWD") == FeeTerms(basis_points=100)
    assert NOT_AGREED.fees_in("AED") is None


async def test_of_two_versions_that_begin_on_one_day_the_later_decided_holds(world):
    for days in (3, 5):
        await sign(world.deps, "alpha", ProviderTerms(file_days=days), date(2026, 12, 1))
        world.clock.advance(hours=1)
    assert (await list_contracts(world.deps))[1].startswith("alpha  from 2026-12-01  file 5,")


async def test_of_a_payment_settled_gross_nothing_may_be_kept(world):
    terms = ProviderTerms(fees=FeeTerms(basis_points=100), settles="gross", settlement_days=1)
    await sign(world.deps, "alpha", terms, SUNDAY)
    assert (await list_contracts(world.deps))[-1].endswith(
        "fee 1.00 % and VAT of 5.00 % on it, billed: payments are settled gross"
    )
    for attempt in ("pa_1", "pa_2"):
        await world.capture(attempt, ("traffic", "100.00"))
    bill = line(3, None, "0", fee="2.00", net="-2.00", kind=LineKind.FEE)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "100.00", fee="1.00"), bill]))

    await world.night()

    assert await world.breaks() == [("fee", "alpha:1:2", "1.00")]
    balances = await world.balances()
    assert (balances["treasury:provider_fees"], balances["provider:alpha:in_transit"]) == ("3.00", "197.00")


async def test_a_version_goes_on_as_the_last_where_it_says_nothing_of_gross_or_net(world):
    await sign(world.deps, "alpha", ProviderTerms(settles="gross"), SUNDAY)
    proposed = await propose_contract(world.deps, "alpha", MONDAY, {"file_days": 3}, by="amal", reason="slower")
    assert (await list_contracts(world.deps))[-1] == "    file days: 1 -> 3"
    await decide_contract(world.deps, proposed, by="bilal", approve=True)
    assert "settled gross" in (await list_contracts(world.deps))[-1]
    with pytest.raises(NotAllowedError, match="does not stand"):
        await propose_contract(world.deps, "alpha", MONDAY, {"settles": "half"}, by="amal", reason="x")
