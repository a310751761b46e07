"""A payment we make ourselves is made once, whatever is lost between the payer's consent and its answer."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from adapters.contract import DeclineReason, Outcome
from adapters.errors import CallbackRefusedError, OutcomeUnknownError


@pytest.fixture
async def stage(stages):
    async with stages("altareq", timeout_s="1.5") as stage:
        yield stage


async def consent(stage, reference: str = "pa_01", **arguments) -> str:
    """Start, consent at the bank, and return what the payer's browser brings back."""
    await stage.provider.start(stage.order(reference))
    answer = await stage.control("pay", {"reference": reference, **arguments})
    notice = stage.provider.read_return(dict(parse_qsl(urlsplit(answer["return_to"]).query)))
    return notice.continuation


async def test_the_same_continuation_twice_is_one_payment(stage):
    continuation = await consent(stage)
    first = await stage.provider.finish(stage.order(), continuation)
    second = await stage.provider.finish(stage.order(), continuation)
    assert first.outcome is second.outcome is Outcome.SUCCEEDED
    assert first.provider_reference == second.provider_reference
    assert (await stage.charges())["charges"] == 1


@pytest.mark.parametrize("fault", ["drop", "sleep", "malformed", "http"])
async def test_hc02_a_payment_whose_answer_was_lost_is_found_and_not_made_again(stage, fault):
    continuation = await consent(stage)
    arguments = {"status": 502, "acts": True} if fault == "http" else {"seconds": 4}
    await stage.fault("capture", fault, **arguments)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.finish(stage.order(), continuation)
    report = await stage.provider.finish(stage.order(), continuation)
    assert (report.outcome, report.captured) == (Outcome.SUCCEEDED, stage.order().amount)
    assert (await stage.charges())["charges"] == 1


async def test_hc17_a_code_used_up_by_a_process_that_died_ends_in_a_proven_decline(stage, clock):
    """The token was lost with the process: no payment can be made any more, and only the bank's word makes it dead."""
    continuation = await consent(stage)
    await stage.fault("token", "ok")  # our own token, with which it is looked up first
    await stage.fault("token", "drop")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.finish(stage.order(), continuation)
    waiting = await stage.provider.finish(stage.order(), continuation)
    assert (waiting.outcome, waiting.word) == (Outcome.PENDING, "Authorized")  # somebody may be making it right now
    clock.advance(seconds=181)
    report = await stage.provider.query(stage.order(), None)
    assert (report.outcome, report.word, report.decline) == (Outcome.DECLINED, "Revoked", DeclineReason.TIMED_OUT)
    assert (await stage.charges())["charges"] == 0


async def test_a_payer_who_never_comes_back_is_pending_then_proven_dead(stage, clock):
    await consent(stage)
    assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.PENDING
    clock.advance(seconds=181)
    assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.DECLINED
    assert (await stage.charges())["charges"] == 0


async def test_a_payment_that_never_arrived_is_not_declined_before_the_bank_says_so(stage, clock):
    continuation = await consent(stage)
    await stage.fault("capture", "refuse")
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.finish(stage.order(), continuation)
    assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.PENDING
    clock.advance(seconds=181)
    await stage.fault("void", "http", status=500)
    with pytest.raises(OutcomeUnknownError):
        await stage.provider.query(stage.order(), None)  # not revoked, so not dead
    assert (await stage.provider.query(stage.order(), None)).outcome is Outcome.DECLINED
    assert (await stage.charges())["charges"] == 0


async def test_a_cancelled_consent_takes_no_payment(stage):
    continuation = await consent(stage)
    voided = await stage.provider.void(stage.order(), "")
    assert (voided.outcome, voided.reversed) == (Outcome.SUCCEEDED, True)
    report = await stage.provider.finish(stage.order(), continuation)
    assert report.outcome is Outcome.DECLINED
    assert (await stage.charges())["charges"] == 0


async def test_a_link_that_has_expired_is_fetched_again_for_the_same_consent(stage, clock):
    first = await stage.provider.start(stage.order())
    assert first.next_step.expires_at > clock()
    clock.advance(seconds=100)
    assert first.next_step.expires_at < clock()
    second = await stage.provider.start(stage.order())
    assert second.next_step.url != first.next_step.url
    assert len((await stage.book())["consents"]) == 1


async def test_a_code_of_another_issuer_is_never_sent_anywhere(stage):
    await consent(stage)
    foreign = urlencode({"code": "stolen", "iss": "https://evil.example"})
    before = len(stage.transcript)
    report = await stage.provider.finish(stage.order(), foreign)
    assert report.outcome is Outcome.PENDING
    assert not any("stolen" in str(exchange) for exchange in stage.transcript[before:])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "c", "iss": "i"},
        {"state": "pa_01.0000", "code": "c", "iss": "i"},
        {"state": "pa_01", "code": "c", "iss": "i"},
        {"state": "", "error": "access_denied"},
        {"state": "x" * 5000, "code": "c", "iss": "i"},
    ],
)
async def test_hc07_a_return_that_is_not_ours_is_refused(stage, query):
    with pytest.raises(CallbackRefusedError):
        stage.provider.read_return(query)


async def test_amounts_come_back_in_the_money_they_were_asked_in(stage):
    continuation = await consent(stage)
    await stage.fault("capture", "wrong_amount")
    report = await stage.provider.finish(stage.order(), continuation)
    assert report.captured is not None
    assert report.captured != stage.order().amount  # shown to the caller, who compares
