"""The contract's part on what follows a payment: refunds, voids, settlement, and what is never told."""

import re
from datetime import date, timedelta

import pytest

from adapters import registry
from adapters.contract import Method, Outcome, RefundOrder
from adapters.errors import OutcomeUnknownError, ProviderError, RejectedError
from ledger.money import Money


def refund(provider_reference: str, amount: Money, reference: str = "re_01", **known) -> RefundOrder:
    return RefundOrder(reference, "pa_01", provider_reference, amount, **known)


async def test_two_equal_partial_refunds_are_two(stage):
    if not stage.can("refunds"):
        return
    reference = await stage.collect()
    first = await stage.provider.refund(refund(reference, Money(50, "AED"), other_refunds=frozenset()))
    assert first.amount == Money(50, "AED")
    known = frozenset({first.provider_reference})
    second = await stage.provider.refund(refund(reference, Money(50, "AED"), "re_02", other_refunds=known))
    assert second.provider_reference not in known
    assert (await stage.charges())["refunded_minor"] == 100
    with pytest.raises(ProviderError):
        await stage.provider.refund(refund(reference, Money(12_500, "AED"), "re_03"))


async def test_hc02_a_refund_whose_answer_was_lost_is_found_and_not_made_again(stage):
    if not stage.can("refunds"):
        return
    reference = await stage.collect()
    order = refund(reference, Money(50, "AED"), other_refunds=frozenset())
    await stage.fault("refund", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    found = await stage.provider.query_refund(order)
    again = await stage.provider.refund(order)
    assert again.amount == Money(50, "AED")
    assert again.provider_reference == (found.provider_reference or again.provider_reference)
    assert again.outcome in {Outcome.SUCCEEDED, Outcome.PENDING}
    assert (await stage.charges())["refunded_minor"] == 50


async def test_hc02_a_lost_refund_is_never_called_not_found(stage):
    """A caller that cannot name the payment's other refunds must not be told to send this one again."""
    if not stage.can("refunds"):
        return
    reference = await stage.collect()
    order = refund(reference, Money(50, "AED"))
    await stage.fault("refund", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    try:
        found = await stage.provider.query_refund(order)
    except OutcomeUnknownError:
        return
    if found.provider_reference is None:
        await stage.provider.refund(order)  # then sending it again must be harmless
        assert (await stage.charges())["refunded_minor"] == 50


async def test_hc02_a_refund_that_never_arrived_is_not_found(stage):
    if not stage.can("refunds"):
        return
    reference = await stage.collect()
    order = refund(reference, Money(50, "AED"), other_refunds=frozenset())
    await stage.fault("refund", "refuse")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    assert (await stage.provider.query_refund(order)).outcome is Outcome.PENDING
    assert (await stage.charges())["refunded_minor"] == 0


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http"])
async def test_an_unclear_answer_to_a_refund_is_unknown(stage, fault):
    if not stage.can("refunds"):
        return
    reference = await stage.collect()
    await stage.fault("refund", fault, seconds=4, status=502)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(refund(reference, Money(50, "AED")))


async def test_hc12_a_voided_payment_can_never_be_charged(stage):
    if not stage.can("voids"):
        return
    started = await stage.provider.start(stage.order())
    report = await stage.provider.void(stage.order(), started.provider_reference)
    assert (report.outcome, report.captured, report.reversed) == (Outcome.SUCCEEDED, None, True)
    await stage.pay()
    assert (await stage.charges())["charges"] == 0
    after = await stage.provider.query(stage.order(), started.provider_reference)
    assert after.outcome is Outcome.DECLINED


async def test_captured_money_is_not_voided(stage):
    if not stage.can("voids"):
        return
    reference = await stage.collect()
    with pytest.raises(RejectedError):
        await stage.provider.void(stage.order(), reference)


async def test_settlement_reports_every_movement_once(stage, clock):
    if not stage.can("settles"):
        return
    reference = await stage.collect()
    moved = {reference}
    if stage.can("refunds"):
        moved.add((await stage.provider.refund(refund(reference, Money(50, "AED")))).provider_reference)
    today = date(2026, 11, 22)
    assert [file async for file in stage.provider.settlement_files(today)] == []
    clock.advance(days=1)
    files = [file async for file in stage.provider.settlement_files(today)]
    again = [file async for file in stage.provider.settlement_files(today)]
    assert files == again
    assert [file async for file in stage.provider.settlement_files(today + timedelta(days=-1))] == []
    (file,) = files
    assert (file.provider, file.business_date, file.currency) == (stage.name, today, stage.order().amount.currency)
    assert {line.provider_reference for line in file.lines} >= moved
    assert sum(line.net.amount_minor for line in file.lines) == file.total_net.amount_minor
    assert file.batch_reference


async def test_secrets_and_contacts_never_reach_the_transcript_or_an_error(stage, name):
    said = []
    manifest = registry.PROVIDERS[name].manifest
    secrets = [*manifest.secrets(manifest.read(stage.settings)), "fatima@example.ae", "+971501234567"]
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.provider.query(stage.order(), started.provider_reference)
    tries = [("create", "malformed"), ("create", "drop"), ("create", "http"), ("token", "http")]
    if stage.recognised:  # start calls nobody, so asking is what may tell too much
        tries = [("query", "malformed"), ("query", "drop"), ("query", "http")]
    for call, fault in tries:
        await stage.fault(call, fault, status=400, body=" ".join(secrets))
        order = stage.order(f"pa_{call}_{fault}")
        try:
            await (stage.provider.query(order, None) if call == "query" else stage.provider.start(order))
        except ProviderError as error:
            said.append(f"{error!r} {error}")
    said += [repr(exchange) for exchange in stage.transcript]
    assert len(stage.transcript) > 5
    assert [secret for secret in secrets for text in said if secret in text] == []
    tokens = {text for text in said if re.search(r"access_token\b", text) and "[redacted]" not in text}
    assert tokens == set()


async def test_methods_are_the_contracts(name):
    assert registry.PROVIDERS[name].manifest.methods <= frozenset(Method)
