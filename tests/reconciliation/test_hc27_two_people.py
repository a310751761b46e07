"""HC-27: nobody approves their own payout, bank details or resolution; the database itself refuses it."""

import re
from dataclasses import replace

import asyncpg
import pytest

from adapters.contract import PayeeCheck, PayeeMatch
from adapters.errors import NotSentError, OutcomeUnknownError
from reconciliation.breaks import Action
from reconciliation.deps import Policy
from reconciliation.errors import NotAllowedError, NotFoundError, SamePersonError
from reconciliation.payees import PayeeDetails, decide_payee_change, list_payees, propose_payee_change
from reconciliation.payout_decisions import decide_payout, payouts_to_decide
from reconciliation.resolutions import (
    Target,
    comment,
    decide_resolution,
    propose_resolution,
    resolutions_to_decide,
)

from .conftest import IBAN, MONDAY, aed, entry, line, settlement


async def only_break(world, kind):
    return await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = $1", kind)


async def test_hc27_a_payout_is_not_approved_by_its_maker(world, owner):
    world.deps = replace(world.deps, policy=Policy(look_back_days=1))
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    (pending,) = await payouts_to_decide(world.deps)

    with pytest.raises(SamePersonError):
        await decide_payout(world.deps, pending.batch_id, by="night", approve=True)
    with pytest.raises(NotAllowedError):
        await decide_payout(world.deps, pending.batch_id, by="policy", approve=True)
    for checker, wall in (("night", "payout_maker_is_not_checker"), ("policy", "payout_policy_has_a_limit")):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await owner.execute("UPDATE reconciliation.payout_batch SET status = 'approved', checker = $1", checker)
        assert refused.value.constraint_name == wall
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "UPDATE reconciliation.payout_batch SET status = 'released', released_at = now(), book_date = '2026-11-22'"
        )
    assert refused.value.constraint_name == "payout_is_approved_before_release"
    assert world.bank.files == {}


async def test_hc27_two_checkers_at_once_release_one_payout(world):
    world.deps = replace(world.deps, policy=Policy(look_back_days=1))
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    (pending,) = await payouts_to_decide(world.deps)

    await decide_payout(world.deps, pending.batch_id, by="huda", approve=True)
    with pytest.raises(NotAllowedError):
        await decide_payout(world.deps, pending.batch_id, by="omar", approve=False)
    await world.night(step="payouts")
    await world.night(step="payouts")

    assert len(world.bank.files) == 1


async def test_hc27_bank_details_change_only_by_two_people_and_after_a_while(world, owner):
    await world.payee("traffic")
    thief = PayeeDetails("traffic", "AED", "Traffic Department", IBAN["courts"])
    change = await propose_payee_change(world.deps, thief, by="amal", reason="new account")

    with pytest.raises(SamePersonError):
        await decide_payee_change(world.deps, change, by="amal", approve=True)
    with pytest.raises(NotAllowedError, match="pending already"):
        await propose_payee_change(world.deps, thief, by="bilal", reason="again")
    await decide_payee_change(world.deps, change, by="bilal", approve=True)
    with pytest.raises(NotAllowedError, match="approved already"):
        await decide_payee_change(world.deps, change, by="huda", approve=False)

    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    (file,) = world.bank.files.values()
    assert file.lines[0].creditor_iban == IBAN["traffic"]  # the cooling-off time is not over

    world.clock.advance(hours=48)
    await world.capture("pa_2", ("traffic", "50.00"), day=MONDAY)
    world.provider.put(settlement([line(1, "O-pa_2", "50.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    await world.night(MONDAY)
    assert list(world.bank.files.values())[-1].lines[0].creditor_iban == IBAN["courts"]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute("UPDATE reconciliation.payee SET iban = $1", IBAN["health"])
    assert refused.value.constraint_name == "payee_follows_its_change"
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute("UPDATE reconciliation.payee_change SET checker = maker")
    assert refused.value.constraint_name == "payee_maker_is_not_checker"


@pytest.mark.parametrize("same", ["amal", " amal", "AMAL ", "Amal", "", "  ", "\uff21mal", "am\u0430l", "am\u200bal"])
async def test_hc27_a_space_a_capital_or_a_look_alike_makes_no_second_person(world, owner, same):
    details = PayeeDetails("traffic", "AED", "Traffic Department", IBAN["traffic"])
    change = await propose_payee_change(world.deps, details, by="amal", reason="first registration")
    with pytest.raises(SamePersonError):
        await decide_payee_change(world.deps, change, by=same, approve=True)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "UPDATE reconciliation.payee_change SET checker = $1, checked_at = made_at, decision = 'refused'", same
        )
    assert refused.value.constraint_name == "payee_maker_is_not_checker"


async def test_hc27_every_table_that_names_two_people_holds_them_apart(owner):
    """Read from the catalogue, so that a table that comes later is held to it too."""
    tables = await owner.fetch(
        "SELECT m.table_schema || '.' || m.table_name AS name FROM information_schema.columns m"
        " JOIN information_schema.columns c USING (table_schema, table_name)"
        " WHERE m.column_name = 'maker' AND c.column_name = 'checker' ORDER BY 1"
    )
    for table in tables:
        walls = await owner.fetchval(
            "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE conrelid = $1::regclass",
            table["name"],
        )
        assert "ledger.person_compared(checker) <> ledger.person_compared(maker)" in walls, table["name"]
        assert "ledger.person_compared(maker) <> ''" in walls, table["name"]
    assert len(tables) >= 9


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"iban": "AE840261001015033304102"}, "check digits"),
        ({"iban": "AE84"}, "check digits"),
        ({"legal_name": "دائرة المرور"}, "legal_name"),
        ({"bic": "NOTABIC"}, "bic"),
        ({"purpose": "gov"}, "purpose"),
        ({"department": "Traffic!"}, "department's code"),
        ({"minimum_minor": 0}, "minimum"),
    ],
)
async def test_bank_details_that_cannot_stand_are_refused(world, change, why):
    details = replace(PayeeDetails("traffic", "AED", "Traffic Department", IBAN["traffic"]), **change)
    with pytest.raises(NotAllowedError, match=why):
        await propose_payee_change(world.deps, details, by="amal", reason="first registration")


class AskedBank:
    """A provider that asks payees' banks, and what it will be told."""

    def __init__(self, said: PayeeCheck | Exception) -> None:
        self.said = said
        self.asked: list[tuple[str, str]] = []

    async def confirm_payee(self, iban: str, name: str) -> PayeeCheck:
        self.asked.append((iban, name))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("said", "words", "denied"),
    [
        (PayeeCheck(PayeeMatch.YES, "T****** D*********"), "the bank confirms the name (T****** D*********)", False),
        (PayeeCheck(PayeeMatch.PARTIAL, "T******"), "the bank has a similar name (T******)", False),
        (PayeeCheck(PayeeMatch.NO, "A. N. Other"), "the bank has another name (A. N. Other)", True),
        (PayeeCheck(PayeeMatch.UNKNOWN_ACCOUNT), "the bank does not know the account", True),
        (NotSentError("down"), "the bank could not be asked", False),
        (OutcomeUnknownError("odd"), "the bank could not be asked", False),
    ],
    ids=str,
)
async def test_hc27_the_payees_bank_is_asked_before_anybody_approves(world, said, words, denied):
    bank = AskedBank(said)
    world.deps = replace(world.deps, confirming=bank)
    details = PayeeDetails("traffic", "AED", "Traffic Department", " ".join(IBAN["traffic"]))
    change = await propose_payee_change(world.deps, details, by="amal", reason="first registration")
    assert bank.asked == [(IBAN["traffic"], "Traffic Department")]
    (line,) = await list_payees(world.deps)
    assert line.endswith(f"to be approved; {words}")
    if denied:
        with pytest.raises(NotAllowedError, match=re.escape(words)):
            await decide_payee_change(world.deps, change, by="bilal", approve=True)
    await decide_payee_change(world.deps, change, by="bilal", approve=True, despite_bank=denied)
    (line,) = await list_payees(world.deps)
    assert IBAN["traffic"] in line


async def test_hc27_a_change_its_bank_denies_can_be_refused(world):
    world.deps = replace(world.deps, confirming=AskedBank(PayeeCheck(PayeeMatch.NO)))
    details = PayeeDetails("traffic", "AED", "Traffic Department", IBAN["traffic"])
    change = await propose_payee_change(world.deps, details, by="amal", reason="first registration")
    await decide_payee_change(world.deps, change, by="bilal", approve=False)
    assert await list_payees(world.deps) == []


async def test_hc27_a_write_off_needs_two_people_and_a_limit(world, owner):
    world.deps = replace(world.deps, policy=Policy(look_back_days=1, write_off_limits=(aed("5.00"),)))
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "99.00"), line(2, "O-pa_2", "90.00")]))
    await world.night()
    rows = await world.pool.fetch(
        "SELECT id FROM reconciliation.break WHERE type = 'amount' ORDER BY amount_minor DESC"
    )
    small, large = (row["id"] for row in rows)

    with pytest.raises(NotAllowedError, match="above the write-off limit"):
        await propose_resolution(world.deps, large, Action.WRITE_OFF, by="amal", reason="small")
    proposal = await propose_resolution(world.deps, small, Action.WRITE_OFF, by="amal", reason="not worth a letter")
    with pytest.raises(SamePersonError):
        await decide_resolution(world.deps, proposal, by="amal", approve=True)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(
            "UPDATE reconciliation.resolution SET checker = maker, decision = 'approved', checked_at = made_at"
        )
    assert refused.value.constraint_name == "resolution_maker_is_not_checker"
    with pytest.raises(NotAllowedError, match="waits for a decision"):
        await propose_resolution(world.deps, small, Action.WRITE_OFF, by="omar", reason="again")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)

    assert await world.journals("break_written_off") == [
        f"resolution:{small} | provider:alpha:receivable | -1.00 | pa_1",
        f"resolution:{small} | treasury:write_offs | 1.00 |",
    ]
    history = await world.pool.fetch(
        "SELECT actor, action FROM reconciliation.break_event WHERE break_id = $1 ORDER BY sequence", small
    )
    assert [tuple(row) for row in history] == [
        ("night", "raised"), ("amal", "proposed write_off"), ("bilal", "approved write_off"),
    ]  # fmt: skip
    assert ("amount", "pa_1", "-1.00") not in await world.breaks()


async def test_a_match_by_hand_clears_suspense_against_the_batch(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", remittance="the reference was lost"))
    await world.night()
    found = await only_break(world, "unknown_bank_credit")
    target = Target("provider:alpha:in_transit", "BATCH-1")

    with pytest.raises(NotAllowedError, match="names the item"):
        await propose_resolution(world.deps, found, Action.MATCH_BY_HAND, by="amal", reason="same sum")
    with pytest.raises(NotAllowedError, match="opposite sides"):
        await propose_resolution(
            world.deps,
            found,
            Action.MATCH_BY_HAND,
            by="amal",
            reason="x",
            target=Target("suspense:unidentified", "1:1"),
        )
    with pytest.raises(NotAllowedError, match="does not end by correct_payee; it may by match_by_hand, ask_bank"):
        await propose_resolution(world.deps, found, Action.CORRECT_PAYEE, by="amal", reason="anything")
    with pytest.raises(NotAllowedError, match="cannot be accepted away"):
        await propose_resolution(world.deps, found, Action.ACCEPT, by="amal", reason="fine")
    proposal = await propose_resolution(
        world.deps,
        found,
        Action.MATCH_BY_HAND,
        by="amal",
        reason="the provider confirmed it by telephone",
        target=target,
    )
    (waiting,) = await resolutions_to_decide(world.deps)
    foreseen = [(one.account, one.amount.decimal(), one.item) for one in waiting.entry.postings]
    assert foreseen == [
        ("suspense:unidentified", "100.00", "1:1"),
        ("provider:alpha:in_transit", "-100.00", "BATCH-1"),
    ]
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)

    assert await world.balances() == {"bank:main:cash": "100.00", "department:traffic:payable": "-100.00"}
    assert await world.breaks() == []
    with pytest.raises(NotAllowedError, match="resolved already"):
        await propose_resolution(world.deps, found, Action.REQUERY, by="amal", reason="late")


async def test_a_refused_proposal_leaves_the_break_open(world):
    world.bank.state(entry("1.00", remittance="?"))
    await world.night()
    found = await only_break(world, "unknown_bank_credit")
    proposal = await propose_resolution(world.deps, found, Action.WRITE_OFF, by="amal", reason="tiny")

    await decide_resolution(world.deps, proposal, by="bilal", approve=False, note="find the sender first")
    await comment(world.deps, found, by="amal", text="wrote to the bank")

    assert await world.breaks() == [("unknown_bank_credit", "1:1", "1.00")]
    assert (await world.balances())["suspense:unidentified"] == "-1.00"
    history = await world.pool.fetch("SELECT actor, action, note FROM reconciliation.break_event ORDER BY sequence")
    assert [tuple(row) for row in history][-2:] == [
        ("bilal", "refused write_off", "find the sender first"),
        ("amal", "commented", "wrote to the bank"),
    ]


async def test_what_does_not_exist_is_not_found(world):
    with pytest.raises(NotFoundError):
        await decide_payout(world.deps, "po_none", by="huda", approve=True)
    with pytest.raises(NotFoundError):
        await decide_resolution(world.deps, "rs_none", by="huda", approve=True)
    with pytest.raises(NotFoundError):
        await propose_resolution(world.deps, "br_none", Action.ACCEPT, by="huda", reason="x")
    with pytest.raises(NotFoundError):
        await decide_payee_change(world.deps, "pc_none", by="huda", approve=True)
    with pytest.raises(NotFoundError):
        await comment(world.deps, "br_none", by="huda", text="x")


async def test_hc27_the_service_may_not_change_evidence(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()

    for statement in (
        "UPDATE reconciliation.settlement_line SET gross_minor = 1",
        "DELETE FROM reconciliation.settlement_line",
        "UPDATE reconciliation.statement_entry SET amount_minor = 1",
        "UPDATE reconciliation.settlement_line SET item = NULL, rule = NULL, score = NULL",
        "DELETE FROM reconciliation.match_entry",
        "UPDATE reconciliation.match_entry SET outcome = 'matched'",
        "UPDATE reconciliation.settlement_file SET total_net_minor = 1",
        "DELETE FROM reconciliation.break_event",
        "DELETE FROM reconciliation.audit",
        "UPDATE reconciliation.payout_line SET amount_minor = 1",
        "UPDATE reconciliation.payout_line SET creditor_iban = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.pool.execute(statement)
