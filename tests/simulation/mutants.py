"""Bugs worth finding, planted one at a time: what a tired engineer might write, and the worlds must notice."""

from __future__ import annotations

from typing import Final

from tests.simulation.mutation import Mutant, plant

MUTANTS: Final[tuple[Mutant, ...]] = (
    Mutant(
        "a question that timed out read as declined",
        "gateway.services.ask_provider",
        '        _log.warning("provider_did_not_answer", call=call, provider=attempt.provider, attempt=attempt.id)\n'
        "        return None\n",
        '        _log.warning("provider_did_not_answer", call=call, provider=attempt.provider, attempt=attempt.id)\n'
        "        return PaymentReport(Outcome.DECLINED, word=_word(error))\n",
    ),
    Mutant(
        "VAT owed to the department and to the tax office",
        "gateway.domain.postings",
        "        sums[payable] = sums.get(payable, 0) + share.amount_minor - share.vat_minor\n",
        "        sums[payable] = sums.get(payable, 0) + share.amount_minor\n",
    ),
    Mutant(
        "nobody asks about undecided attempts",
        "gateway.services.sweep",
        "    if not stale:\n        return 0\n",
        "    if stale or not stale:\n        return 0\n",
    ),
    Mutant(
        "the refund cap read without the intent's lock",
        "gateway.services.create_refund",
        "        intent = (await intents.lock(connection, [intent_id])).get(intent_id)\n"
        "        if intent is None or intent.department != department:",
        "        intent = (await intents.read_many(connection, {intent_id})).get(intent_id)\n"
        "        if intent is None or intent.department != department:",
    ),
    Mutant(
        "the refund cap forgets refunds under way",
        "gateway.domain.refund",
        "        return self.amount_minor - self.refunded_minor\n",
        "        return self.amount_minor\n",
    ),
    Mutant(
        "an event queued after the change has been committed, and not at all by a callback",
        "gateway.services.apply_reports",
        "        await events.record(connection, batch.events)\n",
        "",
    ),
    Mutant(
        "a payment taken over without its journal",
        "gateway.services.apply_reports",
        "        await _post(connection, batch, today, now)\n    for finding",
        "    for finding",
    ),
    Mutant(
        "the result of a lost commit assumed to be good",
        "gateway.store.group_commit",
        "                _settle(future, error)\n            return\n        except Exception",
        "                _settle(future, getattr(_[0] if isinstance(_, tuple) else _, 'answer', error))\n"
        "            return\n        except Exception",
    ),
    Mutant(
        "the idempotency key minted by the server",
        "gateway.store.creation",
        "  SELECT caller, route, key, body_sha256, id, status,",
        "  SELECT caller, route, id, body_sha256, id, status,",
    ),
    Mutant(
        "a webhook taken for delivered whatever the answer",
        "gateway.services.deliver_webhooks",
        "    if 200 <= status < 300:",
        "    if 200 <= status < 600:",
    ),
    Mutant(
        "a webhook that timed out taken for delivered",
        "gateway.services.deliver_webhooks",
        "        return Answer(Verdict.RETRY, type(error).__name__)",
        "        return Answer(Verdict.DELIVERED, type(error).__name__)",
    ),
    Mutant(
        "each try of a webhook under an id of its own",
        "gateway.services.deliver_webhooks",
        '        "webhook-id": delivery.event,\n',
        '        "webhook-id": f"{delivery.event}-{delivery.tries}",\n',
    ),
    Mutant(
        "events leave the outbox without becoming deliveries",
        "gateway.store.events",
        "              JOIN gateway.webhook_endpoint w ON w.department = t.department AND w.disabled_at IS NULL\n",
        "              JOIN gateway.webhook_endpoint w ON w.department = t.department AND w.disabled_at IS NOT NULL\n",
    ),
    Mutant(
        "an intent expired without asking the acquirer",
        "gateway.services.expire_intents",
        "        if await _end_attempt(deps, intent_id):\n",
        "        if intent_id:\n",
    ),
    Mutant(
        "late money booked as if it had come in time",
        "gateway.domain.intent",
        "    return not may(status, IntentEvent.CAPTURED)\n",
        "    return False\n",
    ),
    Mutant(
        "a refund that was accepted is not booked",
        "gateway.services.apply_refunds",
        "    if before.booked_at is None and took_it and after.review is None:\n        return accepted\n",
        "    if before.booked_at is None and took_it and after.review is None:\n        return None\n",
    ),
    Mutant(
        "a refund whose answer was lost read as failed",
        "gateway.services.apply_refunds",
        "        report = RefundReport(Outcome.UNKNOWN, word=error.code if isinstance(error, ProviderError) "
        'else "timeout")\n',
        "        report = RefundReport(Outcome.DECLINED, word=error.code if isinstance(error, ProviderError) "
        'else "timeout")\n',
    ),
    Mutant(
        "a payout released without its journals",
        "reconciliation.steps.payouts",
        "        answers = await post_within(connection, entries, recorded_at=now)\n"
        "        journals: list[tuple[str, int]] = []\n",
        "        answers = await post_within(connection, [], recorded_at=now)\n"
        "        journals: list[tuple[str, int]] = []\n",
    ),
    Mutant(
        "the payout's message id minted anew for each send",
        "adapters.bank_host.wire",
        "    def put_payment_file(self, message_id: str, body: bytes) -> Call:\n",
        "    def put_payment_file(self, message_id: str, body: bytes) -> Call:\n"
        "        message_id = message_id[:-1] + str(len(body) % 10)\n",
    ),
    Mutant(
        "a payout that was sent and not answered is rejected",
        "reconciliation.steps.payout_answers",
        '            await payouts.set_status(connection, batch_id, "unknown", reason[:500], night.deps.clock())\n',
        "            lines = await payouts.read_lines(connection, batch_id)\n"
        "            await _owe_again(night, connection, batch, list(lines), reason)\n",
    ),
    Mutant(
        "a department is paid what is not proven yet",
        "reconciliation.steps.payouts",
        'due(row["payable_minor"], row["unproven_minor"], terms_of(row), night.business_date)',
        'due(row["payable_minor"], 0, terms_of(row), night.business_date)',
    ),
    Mutant(
        "a second night does not stand back",
        "reconciliation.store.leases",
        "          WHERE held.expires_at <= $3\n",
        "          WHERE held.expires_at <= $3 OR true\n",
    ),
    Mutant(
        "a lost database told as our own failure",
        "gateway.deps",
        "    except DATABASE_DOWN as error:\n",
        "    except ZeroDivisionError as error:\n",
    ),
)


def plant_named(name: str) -> None:
    """Plant one mutant, by its number from 1 or by the beginning of its name."""
    chosen = [mutant for number, mutant in enumerate(MUTANTS, 1) if name == str(number) or mutant.name.startswith(name)]
    if len(chosen) != 1:
        raise SystemExit(f"{name!r} names {len(chosen)} mutants")
    plant(chosen[0])
