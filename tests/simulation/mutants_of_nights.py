"""Bugs planted in refunds, and in what a night goes through: settlement, payouts, the bank."""

from __future__ import annotations

from typing import Final

from tests.simulation.mutation import Edit, Mutant
from tests.simulation.world.plan import Profile

OF_NIGHTS: Final[tuple[Mutant, ...]] = (
    Mutant(
        "the refund cap read without the intent's lock",
        (
            Edit(
                "gateway.services.refunds.create_refund",
                "        intent = (await intents.lock(connection, [intent_id])).get(intent_id)\n"
                "        if intent is None or intent.department != department:",
                "        intent = (await intents.read_many(connection, {intent_id})).get(intent_id)\n"
                "        if intent is None or intent.department != department:",
            ),
        ),
        (Profile.REFUNDS,),
    ),
    Mutant(
        "the refund cap forgets refunds under way",
        (
            Edit(
                "gateway.domain.refund",
                "        return self.amount_minor - self.refunded_minor\n",
                "        return self.amount_minor\n",
            ),
        ),
        (Profile.REFUNDS,),
    ),
    Mutant(
        "a refund that was accepted is not booked",
        (
            Edit(
                "gateway.services.refunds.apply_refunds",
                "    if before.booked_at is None and took_it and after.review is None:\n        return accepted\n",
                "    if before.booked_at is None and took_it and after.review is None:\n        return None\n",
            ),
        ),
        (Profile.REFUNDS,),
    ),
    Mutant(
        "a refund whose answer was lost read as failed",
        (
            Edit(
                "gateway.services.refunds.apply_refunds",
                "        report = RefundReport(Outcome.UNKNOWN, word=error.code if isinstance(error, "
                'ProviderError) else "timeout")\n',
                "        report = RefundReport(Outcome.DECLINED, word=error.code if isinstance(error, "
                'ProviderError) else "timeout")\n',
            ),
        ),
        (Profile.REFUNDS,),
    ),
    Mutant(
        "a refund sent again although it may have arrived",
        (
            Edit(
                "gateway.services.refunds.apply_refunds",
                "    if refund.sent_at is None:\n"
                "        return await _call(deps, refund.provider, provider, order, send=True)\n",
                "    if refund.sent_at is None or refund.status is RefundStatus.REQUESTED:\n"
                "        return await _call(deps, refund.provider, provider, order, send=True)\n",
            ),
            Edit(
                "adapters.ngenius.client",
                "        found = _find_refund(payment, order)\n"
                "        if found is not None:\n"
                "            return found\n",
                "",
            ),
        ),
        (Profile.REFUNDS,),
    ),
    Mutant(
        "a payout of which only the first line is booked",
        (
            Edit(
                "reconciliation.steps.payouts",
                "        answers = await post_within(connection, entries, recorded_at=now)\n",
                "        answers = await post_within(connection, entries[:1], recorded_at=now) * len(entries)\n",
            ),
        ),
        (Profile.CALM,),
    ),
    Mutant(
        "a payout put under an address that is not its own message id",
        (
            Edit(
                "adapters.bank_host.wire",
                "    def put_payment_file(self, message_id: str, body: bytes) -> Call:\n",
                "    def put_payment_file(self, message_id: str, body: bytes) -> Call:\n"
                "        message_id = message_id[:-1] + str(len(body) % 10)\n",
            ),
        ),
        (Profile.CALM,),
    ),
    Mutant(
        "a payout that was sent and not answered is rejected",
        (
            Edit(
                "reconciliation.steps.payout_answers",
                '            await payouts.set_status(connection, batch_id, "unknown", reason[:500], '
                "night.deps.clock())\n",
                "            lines = await payouts.read_lines(connection, batch_id)\n"
                "            await _owe_again(night, connection, batch, list(lines), "
                "PayoutReport(PayoutStatus.REJECTED, {}, reason))\n",
            ),
        ),
        (Profile.NIGHTS,),
    ),
    Mutant(
        "a department is paid what is not proven yet",
        (
            Edit(
                "reconciliation.steps.payouts",
                'due(row["payable_minor"], unproven_minor, terms, night.business_date, drafted_before)',
                'due(row["payable_minor"], 0, terms, night.business_date, drafted_before)',
            ),
        ),
        (Profile.CROWD,),
    ),
    Mutant(
        "a second night does not stand back",
        (
            Edit(
                "reconciliation.store.leases",
                "          WHERE held.expires_at <= $3\n",
                "          WHERE held.expires_at <= $3 OR true\n",
            ),
        ),
        (
            Profile.CALM,
            Profile.NIGHTS,
        ),
    ),
    Mutant(
        "the payout's message id minted when it is sent",
        (
            Edit(
                "reconciliation.steps.payouts",
                '            report = await bank.query_payout(batch["id"])\n'
                '            if await apply_answer(night, batch["id"], report):\n'
                '                counts["sent"] += 1\n'
                "                return\n"
                "        report = await bank.send_payout(file)\n",
                '            report = await bank.query_payout(batch["id"])\n'
                '            if await apply_answer(night, batch["id"], report):\n'
                '                counts["sent"] += 1\n'
                "                return\n"
                '        minted = mint("po", night.deps.clock(), night.deps.random_bytes)\n'
                '        report = await bank.send_payout(__import__("dataclasses").replace(file, '
                "message_id=minted))\n",
            ),
        ),
        (Profile.NIGHTS,),
    ),
)
