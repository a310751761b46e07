"""The contract every payment provider keeps, run against its simulator over HTTP.

A provider joins by standing in the registry and having `samples/`; nothing here knows one by name.
"""

import dataclasses
import json
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from adapters import registry
from adapters.contract import DeclineReason, Outcome, Provider, Restricts
from adapters.errors import NotSentError, OutcomeUnknownError, RejectedError
from adapters.manifest import CAPABILITIES, SettingsError
from ledger.money import Money

PROVIDERS = sorted(registry.PROVIDERS)


def folder_of(name: str) -> Path:
    return Path(import_module(f"adapters.{name}").__file__).parent


SAMPLES = [(name, path) for name in PROVIDERS for path in sorted((folder_of(name) / "samples").glob("*.json"))]
DECLINES = [(name, code) for name in PROVIDERS for code in sorted(registry.PROVIDERS[name].declines)]


async def test_a_provider_is_what_its_manifest_says(stage, name):
    manifest = registry.PROVIDERS[name].manifest
    provider = stage.provider
    assert isinstance(provider, Provider)
    assert (provider.name, provider.methods) == (name, manifest.methods)
    assert {word for word, protocol in CAPABILITIES.items() if isinstance(provider, protocol)} == manifest.capabilities


def test_a_folder_is_complete(name):
    folder = folder_of(name)
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
    if read["next_step"]:
        read["next_step"] = {key: value for key, value in read["next_step"].items() if value is not None}
    for field, expected in sample["report"].items():
        assert read[field] == expected, field


@pytest.mark.parametrize("amount", [Money(700, "JPY"), Money(12_550, "AED"), Money(1, "AED"), Money(1_234_567, "KWD")])
async def test_hc15_amounts_of_every_exponent_survive_or_are_refused_before_they_leave(stages, name, amount):
    async with stages(name, kept_in=amount.currency) as stage:
        if isinstance(stage.provider, Restricts) and stage.provider.refusal(amount) is not None:
            with pytest.raises(RejectedError):
                await stage.provider.start(stage.order(amount=amount))
            assert stage.transcript == []
            return
        reference = await stage.collect(amount=amount)
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
    if stage.recognised:  # starting again asks nobody, so it tells the payer the same once more
        assert third == first
    else:
        assert third.outcome is Outcome.SUCCEEDED
    assert (await stage.charges())["charges"] == 1


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_currency"])
async def test_hc09_an_answer_to_start_about_other_money_never_leads_the_payer_on(stage, fault):
    """Where the answer names an amount, another one is unknown; where it names none, the query will tell."""
    if stage.recognised:
        return  # nobody answers a start
    await stage.fault("create", fault)
    try:
        report = await stage.provider.start(stage.order())
    except OutcomeUnknownError:
        return
    assert (report.outcome, report.captured) == (Outcome.PENDING, None)


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http", "refuse"])
async def test_hc01_hc02_an_unclear_answer_to_start_is_unknown(stage, fault):
    """Whatever happened to the answer: the outcome is unknown, and asking for the truth never charges again."""
    if stage.recognised:
        return  # nobody answers a start
    if fault == "http":
        await stage.fault("create", "http", status=503)
    else:
        await stage.fault("create", fault, seconds=4)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.start(stage.order())
    report = await stage.provider.query(stage.order(), None)
    assert report.outcome is Outcome.PENDING
    assert (await stage.charges())["charges"] == 0


async def test_hc01_a_payment_whose_start_was_lost_is_found_by_our_reference(stage):
    if not stage.recognised:  # else there is no answer to lose: what the payer was told follows from the attempt
        await stage.fault("create", "drop")
        with pytest.raises(OutcomeUnknownError):
            await stage.provider.start(stage.order())
    stage.order()
    await stage.pay()
    report = await stage.provider.query(stage.order(), None)
    assert (report.outcome, report.captured) == (Outcome.SUCCEEDED, stage.order().amount)
    assert (report.provider_reference or await stage.named()) is not None


async def test_hc03_a_provider_that_cannot_be_reached_was_not_sent_to(stages, name, unused_tcp_port):
    async with stages(name, base_url=f"http://127.0.0.1:{unused_tcp_port}") as stage:
        if not stage.recognised:  # else a start needs nobody, and only asking does
            with pytest.raises(NotSentError):
                await stage.provider.start(stage.order())
        health = await stage.provider.check()
        assert (health.available, bool(health.detail)) == (False, True)


async def test_a_refused_start_is_a_refusal(stage):
    if stage.recognised:
        return  # nobody answers a start
    await stage.fault("create", "http", status=422, body='{"errors":[{"message":"no"}]}')
    with pytest.raises(RejectedError) as caught:
        await stage.provider.start(stage.order())
    assert caught.value.status == 422


@pytest.mark.parametrize("fault", ["sleep", "drop", "malformed", "http", "refuse"])
async def test_a_query_without_an_answer_says_nothing(stage, fault):
    started = await stage.provider.start(stage.order())
    await stage.pay()
    await stage.fault("query", fault, seconds=4, status=500)
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
    if stage.recognised:
        return  # a paper's unknown words are warnings of its reader, held in tests/adapters/formats
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
    if stage.recognised:
        return  # a paper never changes; transfers of other amounts are held in tests/adapters/bank_transfer
    reference = await stage.collect()
    await stage.fault("query", fault)
    try:
        report = await stage.provider.query(stage.order(), reference)
    except OutcomeUnknownError:
        return
    assert report.captured != stage.order().amount


@pytest.mark.parametrize(("name", "code"), DECLINES)
async def test_every_decline_code_maps(stages, name, code):
    async with stages(name) as stage:
        report = await stage.declined(code=code)
        assert report.decline == registry.PROVIDERS[name].declines[code]
        assert report.captured is None


async def test_an_unknown_decline_code_is_still_a_decline(stage):
    if stage.recognised:
        return  # nobody declines a transfer: it comes or it does not
    assert (await stage.declined(code="ZZ")).decline == DeclineReason.OTHER


async def test_a_payment_held_by_the_provider_is_pending_until_it_is_not(stage, clock):
    started = await stage.provider.start(stage.order())
    await stage.fault("pay", "pending", outcome="captured", delay_s=600)
    await stage.pay()
    pending = await stage.provider.query(stage.order(), started.provider_reference)
    assert pending.outcome is Outcome.PENDING
    clock.advance(seconds=601)
    report = await stage.provider.query(stage.order(), started.provider_reference)
    assert report.outcome is Outcome.SUCCEEDED
