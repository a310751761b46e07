"""What the gateway does by itself, again and again: the list ops.worker loops over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.deps import Deps
from gateway.services.attempts.apply_events import apply_events
from gateway.services.attempts.hear_announcements import hear_announcements
from gateway.services.attempts.late_payments import settle_late_payments
from gateway.services.attempts.sweep import sweep
from gateway.services.housekeeping import forget_assertions, forget_idempotency_keys, seal_webhook_secrets
from gateway.services.intents.expire_intents import expire_intents
from gateway.services.measure_backlog import measure_backlog
from gateway.services.messages.note_deliveries import note_deliveries
from gateway.services.messages.send_messages import send_emails, send_texts
from gateway.services.providers.circuits import measure_providers
from gateway.services.refunds.apply_refunds import apply_refunds
from gateway.services.refunds.end_collection import expire_collections
from gateway.services.seal_contacts import seal_contacts
from gateway.services.webhooks.deliver_webhooks import deliver_webhooks
from gateway.services.webhooks.tell_bookings import tell_bookings

_Work = Callable[[Deps, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work: `run` takes at most a batch and says how much it took, so that nothing to do is 0."""

    name: str
    work: _Work
    batch_max: int
    every_s: float

    async def run(self, deps: Deps) -> int:
        return await self.work(deps, self.batch_max)


JOBS: Final[Sequence[Job]] = (
    Job("apply callbacks", apply_events, batch_max=200, every_s=0.25),
    Job("hear what banks announce", hear_announcements, batch_max=500, every_s=5.0),
    Job("ask about undecided attempts", sweep, batch_max=100, every_s=5.0),
    Job("close intents whose time is over", expire_intents, batch_max=100, every_s=5.0),
    Job("send and follow refunds", apply_refunds, batch_max=50, every_s=1.0),
    Job("end cash refunds nobody came for", expire_collections, batch_max=50, every_s=600.0),
    Job("decide about late payments", settle_late_payments, batch_max=50, every_s=30.0),
    Job("tell departments what was booked", tell_bookings, batch_max=2_000, every_s=1.0),
    Job("deliver webhooks", deliver_webhooks, batch_max=200, every_s=0.5),
    Job("send letters", send_emails, batch_max=100, every_s=0.5),
    Job("send texts", send_texts, batch_max=100, every_s=0.5),
    Job("note what became of messages", note_deliveries, batch_max=200, every_s=0.5),
    Job("measure what waits", measure_backlog, batch_max=1, every_s=15.0),
    Job("forget old assertions", forget_assertions, batch_max=1_000, every_s=60.0),
    Job("measure how providers stand", measure_providers, batch_max=1, every_s=5.0),
    Job("seal payers' contacts", seal_contacts, batch_max=2_000, every_s=60.0),
    Job("seal webhook secrets", seal_webhook_secrets, batch_max=1_000, every_s=600.0),
    Job("forget old idempotency keys", forget_idempotency_keys, batch_max=1_000, every_s=600.0),
)
