"""The contract every payment provider keeps, run against its simulator over HTTP.

A provider joins by standing in the registry and having `samples/`; nothing here knows one by name.
"""

import dataclasses
import json
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

import adapters
from adapters import registry
from adapters.contract import DeclineReason, Method, Outcome, Provider, RefundOrder
from adapters.errors import CallbackRefusedError, NotSentError, OutcomeUnknownError, ProviderError, RejectedError
from adapters.manifest import CAPABILITIES, SettingsError
from ledger.money import Money

PROVIDERS = sorted(registry.PROVIDERS)
FOLDER = Path(adapters.__file__).parent
SAMPLES = [(name, path) for name in PROVIDERS for path in sorted((FOLDER / name / "samples").glob("*.json"))]
DECLINES = [(name, code) for name in PROVIDERS for code in sorted(registry.PROVIDERS[name].declines)]


@pytest.fixture(params=PROVIDERS)
def name(request) -> str:
    return request.param


@pytest.fixture
async def stage(stages, name):
    async with stages(name, timeout_s="0.5") as stage:
        yield stage


async def paid(stage, reference: str = "pa_01", amount: Money | None = None) -> str:
    """Start and pay one order; return the provider's reference."""
    order = stage.order(reference, amount)
    started = await stage.provider.start(order)
    await stage.pay(reference)
    report = await stage.provider.query(order, started.provider_reference)
    assert report.outcome is Outcome.SUCCEEDED
    return report.provider_reference


async def test_a_provider_is_what_its_manifest_says(stage, name):
    manifest = registry.PROVIDERS[name].manifest
    provider = stage.provider
    assert isinstance(provider, Provider)
    assert (provider.name, provider.methods) == (name, manifest.methods)
    assert {word for word, protocol in CAPABILITIES.items() if isinstance(provider, protocol)} == manifest.capabilities


def test_a_folder_is_complete(name):
    folder = FOLDER / name
    for file in ("__init__.py", "manifest.py", "client.py", "wire.py", "mapping.py", "callbacks.py", "README.md"):
        assert (folder / file).is_file(), file
    assert len(list((folder / "samples").glob("*.json"))) >= 5
    readme = (folder / "README.md").read_text()
    for chapter in ("## Settings", "## Calls", "## Exactly once", "## Checked against", "## Not proven"):
        assert chapter in readme, chapter
    for setting in registry.PROVIDERS[name].manifest.settings:
        assert f"`{setting.name}`" in readme, setting.name


def test_a_missing_or_unknown_setting_is_named(name):
    manifest = registry.PROVIDERS[name].manifest
    whole = {setting.name: "value-that-is-long-enough" for setting in manifest.settings if setting.required}
    for missing in whole:
        with pytest.raises(SettingsError, match=missing):
            manifest.read({key: value for key, value in whole.items() if key != missing})
    with pytest.raises(SettingsError, match="no_such_key"):
        manifest.read({**whole, "no_such_key": "x"})


@pytest.mark.parametrize(("name", "path"), SAMPLES, ids=lambda value: getattr(value, "stem", value))
def test_samples_are_read_as_expected(name, path):
    sample = json.loads(path.read_text())
    report = registry.PROVIDERS[name].read_answer(json.dumps(sample["answer"]).encode())
    read = json.loads(msgspec.json.encode(dataclasses.asdict(report)))
    read["facts"] = {key: read["facts"].get(key) for key in sample["report"].get("facts", {})}
    for field, expected in sample["report"].items():
        assert read[field] == expected, field


@pytest.mark.parametrize("amount", [Money(700, "JPY"), Money(12_550, "AED"), Money(1, "AED"), Money(1_234_567, "KWD")])
async def test_hc15_amounts_of_every_exponent_survive(stage, amount):
    reference = await paid(stage, amount=amount)
    report = await stage.provider.query(stage.order(amount=amount), reference)
    assert report.captured == amount
    booked = await stage.charges()
    assert (booked["captured_minor"], booked["currency"]) == (amount.amount_minor, amount.currency)


async def test_hc02_the_same_key_twice_is_one_charge(stage):
    first = await stage.provider.start(stage.order())
    second = await stage.provider.start(stage.order())
    assert first.provider_reference == second.provider_reference
    await stage.pay()
    third = await stage.provider.start(stage.order())
    assert third.outcome is Outcome.SUCCEEDED
    assert (await stage.charges())["charges"] == 1


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http", "refuse", "wrong_amount", "wrong_currency"])
async def test_hc01_hc02_hc09_an_unclear_answer_to_start_is_unknown(stage, fault):
    """Whatever happened to the answer: the outcome is unknown, and asking for the truth never charges again."""
    if fault == "http":
        await stage.fault("create", "http", status=503)
    else:
        await stage.fault("create", fault, seconds=2)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(stage.order())
    report = await stage.provider.query(stage.order(), None)
    assert report.outcome is Outcome.PENDING
    assert (await stage.charges())["charges"] == 0


async def test_hc01_a_payment_whose_start_was_lost_is_found_by_our_reference(stage):
    await stage.fault("create", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(stage.order())
    await stage.pay()
    report = await stage.provider.query(stage.order(), None)
    assert (report.outcome, report.captured) == (Outcome.SUCCEEDED, stage.order().amount)
    assert report.provider_reference is not None


async def test_hc03_a_provider_that_cannot_be_reached_was_not_sent_to(stages, name, unused_tcp_port):
    async with stages(name, base_url=f"http://127.0.0.1:{unused_tcp_port}") as stage:
        with pytest.raises(NotSentError):
            await stage.provider.start(stage.order())
        health = await stage.provider.check()
        assert (health.available, bool(health.detail)) == (False, True)


async def test_a_refused_start_is_a_refusal(stage):
    await stage.fault("create", "http", status=422, body='{"errors":[{"message":"no"}]}')
    with pytest.raises(RejectedError) as caught:
        await stage.provider.start(stage.order())
    assert caught.value.status == 422


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http", "refuse"])
async def test_a_query_without_an_answer_says_nothing(stage, fault):
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.fault("query", fault, seconds=2, status=500)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.query(stage.order(), started.provider_reference)
    again = await stage.provider.query(stage.order(), started.provider_reference)
    assert again.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("status", [400, 401, 403, 409, 429])
async def test_a_query_refused_is_not_a_decline(stage, status):
    started = await stage.provider.start(stage.order())
    await stage.fault("query", "http", times=2, status=status)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.query(stage.order(), started.provider_reference)


async def test_hc11_an_unknown_word_is_pending_and_counted(stage):
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.fault("query", "unknown_status")
    report = await stage.provider.query(stage.order(), started.provider_reference)
    assert (report.outcome, report.unrecognised, report.captured) == (Outcome.PENDING, True, None)
    assert report.word


async def test_not_found_is_pending_never_declined(stage):
    report = await stage.provider.query(stage.order("pa_never_sent"), None)
    assert (report.outcome, report.provider_reference) == (Outcome.PENDING, None)


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_hc09_another_amount_or_currency_is_shown_to_the_caller(stage, fault):
    """The adapter reports what the provider says; it never puts our own amount in its mouth."""
    reference = await paid(stage)
    await stage.fault("query", fault)
    try:
        report = await stage.provider.query(stage.order(), reference)
    except OutcomeUnknownError:
        return
    assert report.captured != stage.order().amount


@pytest.mark.parametrize(("name", "code"), DECLINES)
async def test_every_decline_code_maps(stages, name, code):
    async with stages(name) as stage:
        started = await stage.provider.start(stage.order())
        await stage.pay(decline_code=code)
        report = await stage.provider.query(stage.order(), started.provider_reference)
        assert (report.outcome, report.decline) == (Outcome.DECLINED, registry.PROVIDERS[name].declines[code])
        assert report.captured is None


async def test_an_unknown_decline_code_is_still_a_decline(stage):
    started = await stage.provider.start(stage.order())
    await stage.pay(decline_code="ZZ")
    report = await stage.provider.query(stage.order(), started.provider_reference)
    assert (report.outcome, report.decline) == (Outcome.DECLINED, DeclineReason.OTHER)


async def test_a_payment_held_by_the_provider_is_pending_until_it_is_not(stage, clock):
    started = await stage.provider.start(stage.order())
    await stage.fault("pay", "pending", outcome="captured", delay_s=600)
    await stage.pay()
    pending = await stage.provider.query(stage.order(), started.provider_reference)
    assert pending.outcome is Outcome.PENDING
    clock.advance(seconds=601)
    report = await stage.provider.query(stage.order(), started.provider_reference)
    assert report.outcome is Outcome.SUCCEEDED


async def test_hc06_a_callback_before_the_answer_names_our_reference(stage, listener):
    await stage.fault("callback", "before_answer")
    await stage.provider.start(stage.order())
    await stage.drain()
    headers, body = listener.received[0]
    notice = stage.provider.read_callback(headers, body)[0]
    assert notice.reference == "pa_01"


async def received(stage, listener) -> tuple[dict[str, str], bytes]:
    await stage.provider.start(stage.order())
    await stage.pay()
    await stage.drain()
    return listener.received[-1]


async def test_a_callback_is_read_and_proves_only_what_is_signed(stage, listener, name):
    headers, body = await received(stage, listener)
    notices = stage.provider.read_callback(headers, body)
    assert len(notices) == 1
    notice = notices[0]
    assert notice.proven is registry.PROVIDERS[name].manifest.callbacks_proven
    assert notice.event_id
    assert notice.reference == "pa_01" or notice.provider_reference
    if not notice.proven:
        assert notice.report is None
    replayed = stage.provider.read_callback(headers, body)
    assert replayed[0].event_id == notice.event_id  # the inbox knows a replay by its event


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b'{"order": 1}', b"[" * 50_000])
async def test_hc07_a_callback_nobody_can_read_is_refused(stage, listener, body):
    headers, _ = await received(stage, listener)
    with pytest.raises(CallbackRefusedError):
        stage.provider.read_callback(headers, body)


async def test_hc07_a_forged_callback_is_refused(stage, listener, name):
    """Take away or change each header that carries the proof; where the body is signed, change the body."""
    headers, body = await received(stage, listener)
    manifest = registry.PROVIDERS[name].manifest
    secrets = manifest.secrets(manifest.read(stage.settings))
    proof = [header for header, value in headers.items() if any(secret in value for secret in secrets)]
    for header in proof:
        without = {key: value for key, value in headers.items() if key != header}
        for forged in (
            without,
            {**without, header: "x"},
            {**without, header: ""},
            {**headers, header.upper() + " ": "x"},
        ):
            if forged.get(header) == headers[header]:
                continue
            with pytest.raises(CallbackRefusedError):
                stage.provider.read_callback(forged, body)
    if manifest.callbacks_proven:
        with pytest.raises(CallbackRefusedError):
            stage.provider.read_callback(headers, body.replace(b"12550", b"92550"))
    assert proof or manifest.callbacks_proven


@pytest.mark.parametrize("fault", ["duplicate", "concurrent"])
async def test_hc04_a_repeated_callback_is_one_event(stage, listener, fault):
    await stage.fault("callback", fault, count=5)
    await received(stage, listener)
    notices = [stage.provider.read_callback(headers, body)[0] for headers, body in listener.received]
    assert len(notices) > len({notice.event_id for notice in notices})


async def test_hc07_a_callback_about_nothing_of_ours_is_only_a_hint(stage, listener):
    await stage.fault("callback", "unknown_reference")
    headers, body = await received(stage, listener)
    notice = stage.provider.read_callback(headers, body)[0]
    assert notice.reference != "pa_01"


def capable(stage, word: str) -> bool:
    return word in registry.PROVIDERS[stage.name].manifest.capabilities


def refund(provider_reference: str, amount: Money, reference: str = "re_01", **known) -> RefundOrder:
    return RefundOrder(reference, "pa_01", provider_reference, amount, **known)


async def test_two_equal_partial_refunds_are_two(stage):
    if not capable(stage, "refunds"):
        return
    reference = await paid(stage)
    first = await stage.provider.refund(refund(reference, Money(50, "AED"), other_refunds=frozenset()))
    assert first.amount == Money(50, "AED")
    known = frozenset({first.provider_reference})
    second = await stage.provider.refund(refund(reference, Money(50, "AED"), "re_02", other_refunds=known))
    assert second.provider_reference not in known
    assert (await stage.charges())["refunded_minor"] == 100
    with pytest.raises(ProviderError):
        await stage.provider.refund(refund(reference, Money(12_500, "AED"), "re_03"))


async def test_hc02_a_refund_whose_answer_was_lost_is_found_and_not_made_again(stage):
    if not capable(stage, "refunds"):
        return
    reference = await paid(stage)
    order = refund(reference, Money(50, "AED"), other_refunds=frozenset())
    await stage.fault("refund", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    found = await stage.provider.query_refund(order)
    assert (found.outcome, found.amount) == (Outcome.SUCCEEDED, Money(50, "AED"))
    again = await stage.provider.refund(order)
    assert again.provider_reference == found.provider_reference
    assert (await stage.charges())["refunded_minor"] == 50


async def test_hc02_a_lost_refund_is_never_called_not_found(stage):
    """A caller that cannot name the payment's other refunds must not be told to send this one again."""
    if not capable(stage, "refunds"):
        return
    reference = await paid(stage)
    order = refund(reference, Money(50, "AED"))
    await stage.fault("refund", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    try:
        assert (await stage.provider.query_refund(order)).provider_reference is not None
    except OutcomeUnknownError:
        return


async def test_hc02_a_refund_that_never_arrived_is_not_found(stage):
    if not capable(stage, "refunds"):
        return
    reference = await paid(stage)
    order = refund(reference, Money(50, "AED"), other_refunds=frozenset())
    await stage.fault("refund", "refuse")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(order)
    assert (await stage.provider.query_refund(order)).outcome is Outcome.PENDING
    assert (await stage.charges())["refunded_minor"] == 0


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http"])
async def test_an_unclear_answer_to_a_refund_is_unknown(stage, fault):
    if not capable(stage, "refunds"):
        return
    reference = await paid(stage)
    await stage.fault("refund", fault, seconds=2, status=502)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.refund(refund(reference, Money(50, "AED")))


async def test_hc12_a_voided_payment_can_never_be_charged(stage):
    if not capable(stage, "voids"):
        return
    started = await stage.provider.start(stage.order())
    report = await stage.provider.void(stage.order(), started.provider_reference)
    assert (report.outcome, report.captured, report.reversed) == (Outcome.SUCCEEDED, None, True)
    await stage.pay()
    assert (await stage.charges())["charges"] == 0
    after = await stage.provider.query(stage.order(), started.provider_reference)
    assert after.outcome is Outcome.DECLINED


async def test_captured_money_is_not_voided(stage):
    if not capable(stage, "voids"):
        return
    reference = await paid(stage)
    with pytest.raises(RejectedError):
        await stage.provider.void(stage.order(), reference)


async def test_settlement_reports_every_movement_once(stage, clock):
    if not capable(stage, "settles"):
        return
    reference = await paid(stage)
    made = await stage.provider.refund(refund(reference, Money(50, "AED")))
    today = date(2026, 11, 22)
    assert [file async for file in stage.provider.settlement_files(today)] == []
    clock.advance(days=1)
    files = [file async for file in stage.provider.settlement_files(today)]
    again = [file async for file in stage.provider.settlement_files(today)]
    assert files == again
    assert [file async for file in stage.provider.settlement_files(today + timedelta(days=-1))] == []
    (file,) = files
    assert (file.provider, file.business_date, file.currency) == (stage.name, today, "AED")
    assert {line.provider_reference for line in file.lines} >= {reference, made.provider_reference}
    assert sum(line.net.amount_minor for line in file.lines) == file.total_net.amount_minor
    assert file.batch_reference


async def test_secrets_and_contacts_never_reach_the_transcript_or_an_error(stage, name):
    said = []
    manifest = registry.PROVIDERS[name].manifest
    secrets = [*manifest.secrets(manifest.read(stage.settings)), "fatima@example.ae", "+971501234567"]
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.provider.query(stage.order(), started.provider_reference)
    for call, fault in (("create", "malformed"), ("create", "drop"), ("create", "http"), ("token", "http")):
        await stage.fault(call, fault, status=400, body=" ".join(secrets))
        try:
            await stage.provider.start(stage.order(f"pa_{call}_{fault}"))
        except ProviderError as error:
            said.append(f"{error!r} {error}")
    said += [repr(exchange) for exchange in stage.transcript]
    assert len(stage.transcript) > 5
    assert [secret for secret in secrets for text in said if secret in text] == []
    tokens = {text for text in said if "access_token" in text and "[redacted]" not in text}
    assert tokens == set()


async def test_methods_are_the_contracts(name):
    assert registry.PROVIDERS[name].manifest.methods <= frozenset(Method)
