"""A department's account and terms change by what is given alone, and whoever approves sees what would change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciliation.errors import NotAllowedError
from reconciliation.payee_changes import describe_change, details_with
from reconciliation.payees import decide_payee_change, list_payees, propose_payee_change

from .conftest import IBAN


async def _change(world, given, *, reason="a reason"):
    details = await details_with(world.deps, "traffic", "AED", "", given)
    return await propose_payee_change(world.deps, details, by="amal", reason=reason)


FIRST = {
    "legal_name": "Traffic Department", "iban": IBAN["traffic"], "schedule": "weekly", "weekday": 3, "proof": "banked",
    "minimum_minor": 100_00, "holdback_minor": 50_00, "fee_bearer": "department", "chargebacks_by_treasury": True,
    "remittance_email": "books@traffic.example", "bic": "EBILAEAD",
}  # fmt: skip


async def test_what_is_not_given_stays_and_the_approver_sees_what_changes(world):
    first = await _change(world, FIRST)
    await decide_payee_change(world.deps, first, by="bilal", approve=True)
    (line,) = await list_payees(world.deps)
    assert line == (
        f"traffic  AED  {IBAN['traffic']}  Traffic Department  weekly on Thursday, banked, at least AED 100.00,"
        " AED 50.00 held back, bears the fees, treasury bears lost disputes, advice to books@traffic.example"
    )

    second = await _change(world, {"iban": IBAN["courts"], "bic": ""}, reason="a new bank")
    assert await describe_change(world.deps, second) == [
        f"{second}  traffic AED  by amal, to be approved: a new bank",
        f"  iban: {IBAN['traffic']} -> {IBAN['courts']}",
        "  bic: EBILAEAD -> none",
    ]
    await decide_payee_change(world.deps, second, by="bilal", approve=True)
    world.clock.advance(hours=48)
    await world.night(step="payouts")

    (line,) = await list_payees(world.deps)
    assert line.endswith(
        f"{IBAN['courts']}  Traffic Department  weekly on Thursday, banked, at least AED 100.00, AED 50.00 held back,"
        " bears the fees, treasury bears lost disputes, advice to books@traffic.example"
    )


async def test_a_new_iban_beside_the_old_bic_is_refused(world):
    first = await _change(world, FIRST)
    await decide_payee_change(world.deps, first, by="bilal", approve=True)
    with pytest.raises(NotAllowedError, match="BIC EBILAEAD is of the old IBAN"):
        await _change(world, {"iban": IBAN["courts"]})


async def test_the_first_registration_needs_a_name_and_an_iban(world):
    with pytest.raises(NotAllowedError, match="its legal_name and iban are needed"):
        await _change(world, {"schedule": "weekly"})


async def test_a_payee_that_is_no_department_is_refused(world):
    class Two:
        async def has(self, _connection, code):
            return code in {"health", "courts"}

    world.deps = replace(world.deps, departments=Two())
    with pytest.raises(NotAllowedError, match="there is no department 'traffic'"):
        await _change(world, FIRST)
