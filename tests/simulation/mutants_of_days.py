"""Bugs planted in what a day goes through: intents, attempts, callbacks, events, webhooks."""

from __future__ import annotations

from typing import Final

from tests.simulation.mutation import Edit, Mutant
from tests.simulation.world.plan import Profile

OF_DAYS: Final[tuple[Mutant, ...]] = (
    Mutant(
        "a question that timed out read as declined",
        (
            Edit(
                "gateway.services.providers.ask_provider",
                '        _log.warning("provider_did_not_answer", call=call, provider=attempt.provider, '
                "attempt=attempt.id)\n"
                "        return None\n",
                '        _log.warning("provider_did_not_answer", call=call, provider=attempt.provider, '
                "attempt=attempt.id)\n"
                "        return PaymentReport(Outcome.DECLINED, word=_word(error))\n",
            ),
        ),
        (
            Profile.WALLETS,
            Profile.CALLBACKS,
        ),
    ),
    Mutant(
        "VAT owed to the department and to the tax office",
        (
            Edit(
                "gateway.domain.postings",
                "        sums[payable] = sums.get(payable, 0) + share.amount_minor - share.vat_minor\n",
                "        sums[payable] = sums.get(payable, 0) + share.amount_minor\n",
            ),
        ),
        (Profile.CALM,),
    ),
    Mutant(
        "nobody asks about undecided attempts",
        (
            Edit(
                "gateway.services.attempts.sweep",
                "    if not stale:\n        return 0\n",
                "    if stale or not stale:\n        return 0\n",
            ),
        ),
        (
            Profile.CALLBACKS,
            Profile.WALLETS,
        ),
    ),
    Mutant(
        "a payment taken over without its journal",
        (
            Edit(
                "gateway.services.attempts.apply_reports",
                "        await _post(connection, batch, today, now)\n    for finding",
                "    for finding",
            ),
        ),
        (Profile.CALM,),
    ),
    Mutant(
        "the result of a lost commit assumed to be good",
        (
            Edit(
                "gateway.store.group_commit",
                "                _settle(future, error)\n            return\n        except Exception",
                "                _settle(future, getattr(_[0] if isinstance(_, tuple) else _, 'answer', "
                "error))\n"
                "            return\n"
                "        except Exception",
            ),
        ),
        (Profile.COMMITS,),
    ),
    Mutant(
        "the idempotency key minted by the server",
        (
            Edit(
                "gateway.store.creation",
                "  SELECT caller, route, key, body_sha256, id, status,",
                "  SELECT caller, route, id, body_sha256, id, status,",
            ),
        ),
        (
            Profile.STORM,
            Profile.CALM,
        ),
    ),
    Mutant(
        "a webhook taken for delivered whatever the answer",
        (
            Edit(
                "gateway.services.webhooks.deliver_webhooks",
                "    if 200 <= status < 300:",
                "    if 200 <= status < 600:",
            ),
        ),
        (
            Profile.STORM,
            Profile.CALLBACKS,
        ),
    ),
    Mutant(
        "a webhook that timed out taken for delivered",
        (
            Edit(
                "gateway.services.webhooks.deliver_webhooks",
                "        return Answer(Verdict.RETRY, type(error).__name__)",
                "        return Answer(Verdict.DELIVERED, type(error).__name__)",
            ),
        ),
        (
            Profile.STORM,
            Profile.CALLBACKS,
        ),
    ),
    Mutant(
        "each try of a webhook under an id of its own",
        (
            Edit(
                "gateway.services.webhooks.deliver_webhooks",
                '        "webhook-id": delivery.event,\n',
                '        "webhook-id": f"{delivery.event}-{delivery.tries}",\n',
            ),
        ),
        (
            Profile.SILENCE,
            Profile.STORM,
        ),
    ),
    Mutant(
        "events leave the outbox without becoming deliveries",
        (
            Edit(
                "gateway.store.events",
                "              JOIN gateway.webhook_endpoint w ON w.department = t.department AND "
                "w.disabled_at IS NULL\n",
                "              JOIN gateway.webhook_endpoint w ON w.department = t.department AND "
                "w.disabled_at IS NOT NULL\n",
            ),
        ),
        (Profile.CALM,),
    ),
    Mutant(
        "an intent expired without asking the acquirer",
        (
            Edit(
                "gateway.services.intents.expire_intents",
                "last.status not in LIVE or (last.review is None and await give_up(deps, intent, last)):\n",
                "last is not None:\n",
            ),
        ),
        (
            Profile.CROWD,
            Profile.STORM,
        ),
    ),
    Mutant(
        "late money booked as if it had come in time",
        (
            Edit(
                "gateway.domain.intent",
                "    return not may(status, IntentEvent.CAPTURED)\n",
                "    return False\n",
            ),
            Edit(
                "gateway.domain.intent",
                "    (_S.PROCESSING, _E.EXPIRED): _S.EXPIRED,\n",
                "    (_S.PROCESSING, _E.EXPIRED): _S.EXPIRED,\n"
                "    (_S.EXPIRED, _E.CAPTURED): _S.PAID,\n"
                "    (_S.CANCELLED, _E.CAPTURED): _S.PAID,\n",
            ),
        ),
        (
            Profile.CALM,
            Profile.CALLBACKS,
        ),
    ),
    Mutant(
        "a lost database told as our own failure",
        (
            Edit(
                "gateway.deps",
                "    except DATABASE_DOWN as error:\n",
                "    except ZeroDivisionError as error:\n",
            ),
        ),
        (
            Profile.COMMITS,
            Profile.STORM,
        ),
    ),
    Mutant(
        "an event queued after the change has been committed",
        (
            Edit(
                "gateway.services.attempts.apply_reports",
                "        await events.record(connection, batch.events)\n",
                "",
            ),
            Edit(
                "gateway.services.attempts.apply_reports",
                "    for finding, result in zip(findings, results, strict=True):\n"
                "        _count(batch, finding, result)\n",
                "    async with deps.connection() as connection:\n"
                "        await events.record(connection, batch.events)\n"
                "    for finding, result in zip(findings, results, strict=True):\n"
                "        _count(batch, finding, result)\n",
            ),
        ),
        (
            Profile.COMMITS,
            Profile.CALLBACKS,
            Profile.STORM,
        ),
    ),
    Mutant(
        "a start that timed out read as declined",
        (
            Edit(
                "gateway.services.providers.ask_provider",
                "    except (OutcomeUnknownError, ProviderError, TimeoutError, OSError) as error:\n"
                '        return _counted(attempt, "start", PaymentReport(Outcome.UNKNOWN, word=_word(error)))\n',
                "    except (OutcomeUnknownError, ProviderError, TimeoutError, OSError) as error:\n"
                '        return _counted(attempt, "start", PaymentReport(Outcome.DECLINED, '
                "word=_word(error)))\n",
            ),
        ),
        (Profile.WALLETS,),
    ),
    Mutant(
        "a payment the provider does not find read as never charged",
        (
            Edit(
                "gateway.services.providers.ask_provider",
                "    return None if report.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT) else report\n",
                '    if report.word == "NOT_FOUND":\n'
                "        return replace(report, outcome=Outcome.DECLINED)\n"
                "    return None if report.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT) else report\n",
            ),
        ),
        (Profile.WALLETS,),
    ),
    Mutant(
        "a key of its own for each call",
        (
            Edit(
                "adapters.gsma.wire",
                '            "X-CorrelationID": correlation_of(reference),\n',
                '            "X-CorrelationID": correlation_of(f"{reference}-{at.timestamp()}"),\n',
            ),
        ),
        (Profile.WALLETS,),
    ),
    Mutant(
        "what was not answered is sent again under a new key",
        (
            Edit(
                "gateway.services.attempts.start_payment",
                "        and attempt.method in _LINK_METHODS\n",
                "",
            ),
            Edit(
                "gateway.services.attempts.start_payment",
                "        and attempt.provider_reference is None\n        and now - attempt.started_at >= _START_OVER\n",
                "        and attempt.provider_reference is None\n",
            ),
            Edit(
                "adapters.gsma.wire",
                '            "X-CorrelationID": correlation_of(reference),\n',
                '            "X-CorrelationID": correlation_of(reference if operation != "create" else '
                'f"{reference}-{at.timestamp()}"),\n',
            ),
        ),
        (Profile.WALLETS,),
    ),
    Mutant(
        "a callback counted as seen before it is applied",
        (
            Edit(
                "gateway.services.attempts.apply_events",
                "        received = await inbox.claim(connection, now, now + _LEASE, limit)\n",
                "        received = await inbox.claim(connection, now, now + _LEASE, limit)\n"
                "        await inbox.settle(connection, [(each.provider, each.event) for each in "
                'received], "applied")\n',
            ),
        ),
        (Profile.CALLBACKS,),
    ),
    Mutant(
        "a second attempt beside a live one",
        (
            Edit(
                "gateway.services.attempts.start_payment",
                "        if last is not None and last.status in LIVE:\n            return intent, last, False\n",
                "        if last is not None and last.status is AttemptStatus.STARTING:\n"
                "            return intent, last, False\n",
            ),
            Edit(
                "gateway.domain.intent",
                "    (_S.PROCESSING, _E.ATTEMPT_DIED): _S.REQUIRES_PAYMENT,\n",
                "    (_S.PROCESSING, _E.ATTEMPT_DIED): _S.REQUIRES_PAYMENT,\n"
                "    (_S.PROCESSING, _E.ATTEMPT_STARTED): _S.PROCESSING,\n",
            ),
        ),
        (
            Profile.WALLETS,
            Profile.CALM,
            Profile.STORM,
        ),
    ),
    Mutant(
        "receipt numbers counted and not taken",
        (
            Edit(
                "gateway.store.intents",
                '            """INSERT INTO gateway.receipt_counter AS c (department, year, last) VALUES '
                "($1, $2, $3)\n"
                "               ON CONFLICT (department, year) DO UPDATE SET last = c.last + "
                'excluded.last RETURNING last""",\n',
                '            """SELECT count(*) + $3 FROM gateway.intent WHERE department = $1 AND '
                "receipt_number IS NOT NULL\n"
                '                AND $2::integer > 0""",\n',
            ),
        ),
        (Profile.CROWD,),
    ),
    Mutant(
        "an attempt saved after the provider was called",
        (
            Edit(
                "gateway.services.attempts.begin_attempt",
                "    status = intent_rules.advance(intent.status, IntentEvent.ATTEMPT_STARTED)\n"
                "    await attempts.insert(connection, attempt)\n",
                "    status = intent_rules.advance(intent.status, IntentEvent.ATTEMPT_STARTED)\n"
                "    await ask_provider.start(deps, intent, attempt)\n"
                "    await attempts.insert(connection, attempt)\n",
            ),
            Edit(
                "gateway.services.attempts.begin_attempt",
                "from gateway.services.notices import attempt_event, intent_event\n",
                "from gateway.services.providers import ask_provider\n"
                "from gateway.services.notices import attempt_event, intent_event\n",
            ),
        ),
        (
            Profile.COMMITS,
            Profile.STORM,
            Profile.CALLBACKS,
        ),
    ),
)
