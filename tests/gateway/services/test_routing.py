"""Where payments go: rules from a file, providers at rest, circuits that open, and when another provider is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters import registry
from adapters.contract import Method, Redirect
from adapters.http import open_session
from gateway.domain.attempt import AttemptStatus
from gateway.domain.circuit import FAILURES_MAX, CircuitState, state_of
from gateway.domain.errors import InvalidError, MethodUnavailableError
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.catalogue.import_catalogue import read_csv
from gateway.services.payers.read_checkout import read_checkout
from gateway.services.providers.drain_provider import count_under_way, drain_provider, resume_provider, standing_of
from gateway.services.providers.import_routing import describe, import_routing
from gateway.store import attempts
from gateway.store.switchboard import AGE_MAX, SwitchboardCache

HEADING = "method,department,service,currency,amount_from,amount_to,scheme,language,providers\n"


@pytest.fixture
async def two(open_town, clock, random_bytes):
    """A town with a second name for the same acquirer, so that a choice can be seen."""
    town = await open_town()
    values = {"base_url": town.acquirer, "timeout_s": "5", **registry.PROVIDERS["ngenius"].simulator_settings}
    async with open_session() as session:
        other = registry.build("ngenius", values, session=session, clock=clock, random_bytes=random_bytes)
        providers = {**town.deps.providers, "other": other}
        town.deps = replace(town.deps, providers=providers, routing={Method.CARD: ("ngenius", "other")})
        yield town


async def rules(town, text: str, **options):
    return await import_routing(town.deps, read_csv(HEADING + text), by="noor", **options)


async def asked(town, intent) -> list[tuple[str, str]]:
    query = "SELECT provider, status FROM gateway.attempt WHERE intent = $1 ORDER BY id"
    rows = await town.deps.pool.fetch(query, intent["id"])
    return [(row["provider"], row["status"]) for row in rows]


async def view_of(town, intent):
    return await read_checkout(town.deps, links.token_of(town.deps, intent["id"]))


async def test_a_rule_sends_a_payment_to_its_provider(two):
    imported = await rules(two, "card,economy,,AED,100.00,110.00,,,other\n")
    assert (imported.version, imported.faults) == (1, ())
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("other", "pending")]


async def test_payments_no_rule_fits_go_where_the_settings_say(two):
    await rules(two, "card,,,,,,MASTERCARD,,other\ncard,,,KWD,,,,,other\ncard,,,,,,,en,other\n")
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("ngenius", "pending")]


async def test_a_method_a_rule_closes_is_not_offered(two):
    await rules(two, "card,,licence,,,,,,none\n")
    intent = await two.intent()
    view = await view_of(two, intent)
    assert (view.methods, view.resting) == ((), ())
    with pytest.raises(MethodUnavailableError):
        await two.start(intent)


async def test_every_bad_line_is_named_and_nothing_is_taken(two):
    text = (
        "card,nowhere,,,,,,,ngenius\n"
        "cash,,,,,,,,ngenius\n"
        "card,,,,5.00,,,,ngenius\n"
        "card,,,AED,5.001,,,,ngenius\n"
        "card,,,AED,5,4,,,ngenius\n"
        "card,,,,,,,fr,ngenius\n"
        "card,,,,,,,,nobody:3\n"
        "card,,,,,,,,ngenius:90 > > other\n"
        "card,,,,,,,,ngenius ngenius\n"
        "card,,,,,,,,\n"
        "card,,,QQQ,,,,,ngenius\n"
        "card,,,,,,,,ngenius\n"
        "card,economy,,,,,,,other\n"
    )
    imported = await rules(two, text)
    assert [(fault.line, fault.field) for fault in imported.faults] == [
        (2, "department"),
        (3, "method"),
        (4, "amount_from"),
        (5, "amount_from"),
        (6, "amount_to"),
        (7, "language"),
        (8, "providers"),
        (9, "providers"),
        (10, "providers"),
        (11, "providers"),
        (12, "currency"),
        (14, "method"),
    ]
    assert await two.deps.pool.fetchval("SELECT count(*) FROM gateway.routing") == 0


async def test_what_is_shown_reads_as_what_was_taken_and_a_rehearsal_changes_nothing(two):
    text = "card,economy,licence,AED,1.00,200.00,VISA,ar,ngenius:90 other:10\ncard,,,,,,,,other:1 > ngenius:1\n"
    rehearsed = await rules(two, text, dry_run=True)
    assert (len(rehearsed.rules), rehearsed.version) == (2, None)
    assert (await two.deps.switchboard.get()).routing is None
    imported = await rules(two, text)
    again = await import_routing(two.deps, describe(imported.rules), by="noor")
    assert (again.rules, again.version) == (imported.rules, 2)


async def test_a_drained_provider_gets_nothing_new_and_its_payments_are_finished(two):
    first = await two.intent()
    await two.start(first)
    assert await drain_provider(two.deps, "ngenius", until=None, by="noor") == []
    assert await count_under_way(two.deps, "ngenius") == 1
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("other", "pending")]
    await two.pay(first)
    await two.work()
    assert (await two.read(first))["status"] == "paid"

    assert await drain_provider(two.deps, "other", until=None, by="noor") == [Method.CARD]
    intent = await two.intent()
    view = await view_of(two, intent)
    assert (view.methods, view.resting) == ((), (Method.CARD,))
    await resume_provider(two.deps, "ngenius", by="noor")
    assert (await view_of(two, intent)).methods == (Method.CARD,)


async def test_a_drain_ends_by_itself_and_never_lies_in_the_past(two, clock):
    await drain_provider(two.deps, "ngenius", until=clock() + timedelta(hours=1), by="noor")
    await drain_provider(two.deps, "other", until=None, by="noor")
    intent = await two.intent()
    assert (await view_of(two, intent)).methods == ()
    clock.advance(hours=1)
    assert (await view_of(two, intent)).methods == (Method.CARD,)
    with pytest.raises(InvalidError):
        await drain_provider(two.deps, "ngenius", until=clock(), by="noor")


# An old token, refused with 401, is fetched anew and refused once more.
@pytest.mark.parametrize(("status", "times"), [(401, 2), (403, 1), (429, 1)])
async def test_a_provider_that_turns_us_away_is_passed_over(two, status, times):
    await two.fault("create", "http", times=times, status=status)
    intent = await two.intent()
    assert isinstance((await two.start(intent)).next_step, Redirect)
    assert await asked(two, intent) == [("ngenius", "declined"), ("other", "pending")]


async def test_a_refusal_of_the_payment_itself_is_not_passed_on(two):
    await two.fault("create", "decline")
    intent = await two.intent()
    started = await two.start(intent)
    assert (started.intent, started.attempt) == (IntentStatus.REQUIRES_PAYMENT, AttemptStatus.DECLINED)
    assert await asked(two, intent) == [("ngenius", "declined")]


async def test_what_is_unknown_is_never_passed_on(two):
    await two.fault("create", "http", status=500)
    intent = await two.intent()
    started = await two.start(intent)
    assert started.attempt is AttemptStatus.UNKNOWN
    assert await asked(two, intent) == [("ngenius", "unknown")]


async def fail_until_open(town) -> None:
    await town.fault("create", "http", times=FAILURES_MAX, status=500)
    for _ in range(FAILURES_MAX):
        await town.start(await town.intent())


async def test_a_provider_that_keeps_failing_is_left_alone_until_a_probe_succeeds(two, clock):
    await fail_until_open(two)
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("other", "pending")]
    board = await two.deps.switchboard.get()
    assert state_of(board.circuit("ngenius", "start"), clock()) is CircuitState.OPEN
    assert list(standing_of(board, "ngenius", clock()).circuits) == ["start"]

    clock.advance(seconds=31)
    intent = await two.intent()
    assert isinstance((await two.start(intent)).next_step, Redirect)
    assert await asked(two, intent) == [("ngenius", "pending")]
    assert (await two.deps.switchboard.get()).circuit("ngenius", "start").retry_at is None


async def test_another_process_knows_what_one_has_learnt_and_does_not_probe_beside_it(two, clock, pool):
    await fail_until_open(two)

    def connect():
        return pool.acquire()

    elsewhere = replace(two.deps, switchboard=SwitchboardCache(connect, clock))
    two.deps = elsewhere
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("other", "pending")]
    clock.advance(seconds=31)
    async with pool.acquire() as connection:
        await connection.execute(
            "UPDATE gateway.circuit SET probe_until = $1 WHERE provider = 'ngenius'", clock() + timedelta(seconds=45)
        )
    intent = await two.intent()
    await two.start(intent)
    assert await asked(two, intent) == [("other", "pending")]


async def test_with_nobody_else_an_open_circuit_closes_the_method_and_time_opens_it(town, clock):
    await fail_until_open(town)
    intent = await town.intent()
    view = await view_of(town, intent)
    assert (view.methods, view.resting) == ((), (Method.CARD,))
    clock.advance(seconds=31)
    assert (await view_of(town, intent)).methods == (Method.CARD,)


async def test_questions_rest_too_while_a_provider_does_not_answer_and_are_asked_again(town, clock):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("query", "http", times=FAILURES_MAX, status=500)
    for _ in range(FAILURES_MAX):
        await town.work()
        clock.advance(seconds=40)
        async with town.deps.pool.acquire() as connection:
            await attempts.schedule(connection, {(await town.attempt_of(intent))["id"]: clock()})
    await town.pay(intent)
    clock.advance(minutes=6)
    await town.work()
    assert (await town.read(intent))["status"] == "paid"


async def test_a_healthy_provider_costs_no_write(town):
    await town.start(await town.intent())
    assert await town.deps.pool.fetchval("SELECT count(*) FROM gateway.circuit") == 0


async def test_a_fail_over_within_one_millisecond_keeps_the_order_of_the_attempts(two):
    for _ in range(FAILURES_MAX - 1):
        await two.fault("create", "http", status=429)
        intent = await two.intent()
        await two.start(intent)
        assert (await two.attempt_of(intent))["status"] == "pending"


async def test_a_switchboard_is_read_again_when_it_is_old(two, clock):
    await two.deps.switchboard.get()
    await two.deps.pool.execute(
        "INSERT INTO gateway.provider_drain VALUES ('ngenius', true, NULL, 'noor', $1)", clock()
    )
    assert not (await two.deps.switchboard.get()).drained("ngenius", clock())
    clock.advance(seconds=AGE_MAX.total_seconds())
    assert (await two.deps.switchboard.get()).drained("ngenius", clock())
