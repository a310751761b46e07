"""Cash of a counter: paid on to its department when it was counted, cleared when the bank shows the deposit."""

from datetime import UTC, datetime

from gateway.domain import postings
from gateway.domain import shift as shift_rules
from gateway.domain.postings import DepartmentShare, Evidence
from gateway.domain.shift import COUNTER, Drawer, Shift
from ledger.money import Money

from .conftest import MONDAY, SUNDAY, entry

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SHIFT = Shift("sh_01m80xe2r0cthj1ccvb0yb8k6e", "deira", "omar", Money(200_00, "AED"), AT)


def aed(text):
    return Money.parse(text, "AED")


async def test_cash_waits_in_the_drawer_then_is_paid_out_and_cleared_by_the_statement(world):
    await world.payee("traffic")
    taken = Evidence("pi_1", "pa_1", COUNTER, None, AT, UTC, Drawer("deira", SHIFT.id))
    await world.post(
        shift_rules.opened(SHIFT, SUNDAY),
        postings.captured(taken, [DepartmentShare("traffic", 100_00, 0)], aed("100.00")),
    )
    await world.night()
    assert world.bank.instructed() == {}  # it lies in a drawer

    await world.post(shift_rules.closed(SHIFT, aed("300.00"), aed("300.00"), MONDAY, world.clock()))
    world.bank.state(entry("100.00", batch=shift_rules.deposit_reference(SHIFT.id), day=MONDAY), day=MONDAY)
    await world.night(MONDAY)

    assert list(world.bank.instructed().values()) == [aed("100.00")]
    rows = await world.pool.fetch("SELECT account FROM ledger.open_items WHERE account LIKE 'provider:%'")
    assert rows == []  # the deposit is cleared
    cash = await world.pool.fetchval("SELECT amount_minor FROM ledger.balances WHERE account = 'bank:main:cash'")
    assert cash == 100_00
