"""Every address of the API, in one table."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.api import (
    callers,
    catalogue,
    docs,
    finance,
    intents,
    oauth,
    openapi,
    own_catalogue,
    payment_links,
    payouts,
    refunds,
    webhooks,
)
from gateway.api.calls import RATES, answering
from gateway.deps import Deps
from gateway.web.admission import Admission, Handler
from gateway.web.rates import Rates
from gateway.web.turns import TURNS, Turns

ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/v1/payment-intents", intents.create),
    ("GET", "/v1/payment-intents", intents.list_page),
    ("GET", "/v1/payment-intents/{id}", intents.read),
    ("POST", "/v1/payment-intents/{id}", intents.update),
    ("GET", "/v1/payment-intents/{id}/events", intents.events),
    ("POST", "/v1/payment-intents/{id}/cancel", intents.cancel),
    ("POST", "/v1/payment-intents/{id}/capture", intents.capture),
    ("POST", "/v1/payment-intents/{id}/send-receipt", intents.send_receipt),
    ("GET", "/v1/payment-intents/{id}/attempts", intents.attempts),
    ("POST", "/v1/payment-intents/{id}/refunds", refunds.create),
    ("GET", "/v1/payment-intents/{id}/refunds", refunds.of_intent),
    ("GET", "/v1/refunds", refunds.list_page),
    ("GET", "/v1/refunds/{id}", refunds.read),
    ("POST", "/v1/payment-links", payment_links.create),
    ("GET", "/v1/payment-links", payment_links.list_page),
    ("GET", "/v1/payment-links/{id}", payment_links.read),
    ("GET", "/v1/payment-links/{id}/qr.svg", payment_links.square_code),
    ("POST", "/v1/payment-links/{id}/disable", payment_links.disable),
    ("POST", "/v1/quotes", catalogue.quote),
    ("GET", "/v1/payment-parts", catalogue.parts),
    ("GET", "/v1/payment-parts/{id}", catalogue.part),
    ("POST", "/v1/refunds/{id}/approve", refunds.approve),
    ("POST", "/v1/refunds/{id}/refuse", refunds.refuse),
    ("POST", "/v1/refunds/{id}/cancel", refunds.cancel),
    ("POST", "/v1/refund-batches", refunds.create_batch),
    ("POST", "/v1/refund-batches/{id}/approve", refunds.approve_batch),
    ("POST", "/v1/refund-batches/{id}/refuse", refunds.refuse_batch),
    ("GET", "/v1/balances", payouts.balances),
    ("GET", "/v1/payouts", payouts.list_page),
    ("GET", "/v1/payouts/{id}", payouts.read),
    ("GET", "/v1/reports/{name}", payouts.report),
    ("GET", "/v1/finance/reports", finance.list_page),
    ("GET", "/v1/finance/reports/{name}", finance.report),
    ("GET", "/v1/services", catalogue.services),
    ("GET", "/v1/services/{code}", catalogue.service),
    ("GET", "/v1/bundles", catalogue.bundles),
    ("GET", "/v1/bundles/{code}", catalogue.bundle),
    ("GET", "/v1/catalogue", own_catalogue.read),
    ("GET", "/v1/catalogue/{table}.csv", own_catalogue.table),
    ("POST", "/v1/catalogue", own_catalogue.import_rows),
    ("POST", "/v1/tariff-proposals", own_catalogue.propose),
    ("GET", "/v1/tariff-proposals", own_catalogue.list_page),
    ("GET", "/v1/tariff-proposals/{id}", own_catalogue.read_proposal),
    ("GET", "/v1/events", catalogue.events),
    ("POST", "/v1/webhook-endpoints", webhooks.create),
    ("GET", "/v1/webhook-endpoints", webhooks.list_page),
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret", webhooks.rotate),
    ("POST", "/v1/webhook-endpoints/{id}/replay", webhooks.replay),
    ("GET", "/v1/webhook-endpoints/{id}", webhooks.read),
    ("POST", "/v1/webhook-endpoints/{id}/disable", webhooks.disable),
    ("POST", "/v1/webhook-endpoints/{id}/enable", webhooks.enable),
    ("POST", "/v1/webhook-endpoints/{id}/test", webhooks.test),
    ("GET", "/v1/webhook-endpoints/{id}/deliveries", webhooks.deliveries),
    ("POST", "/v1/api-keys", callers.create_key),
    ("GET", "/v1/api-keys", callers.list_keys),
    ("GET", "/v1/api-keys/{id}", callers.read_key),
    ("POST", "/v1/api-keys/{id}/rotate", callers.rotate_key),
    ("POST", "/v1/api-keys/{id}/revoke", callers.revoke_key),
    ("POST", "/v1/oauth-clients", callers.create_client),
    ("GET", "/v1/oauth-clients", callers.list_clients),
    ("GET", "/v1/oauth-clients/{id}", callers.read_client),
    ("POST", "/v1/oauth-clients/{id}/keys", callers.replace_client_keys),
    ("POST", "/v1/oauth-clients/{id}/disable", callers.disable_client),
    ("POST", "/v1/oauth/token", oauth.token),
    ("GET", "/v1/webhook-keys", oauth.webhook_keys),
    ("GET", "/v1/openapi.json", openapi.serve),
    ("GET", "/v1/docs", docs.serve),
    ("GET", "/.well-known/jwks.json", oauth.keys),
    ("GET", "/.well-known/oauth-authorization-server", oauth.metadata),
)

PUBLIC: Final = frozenset(
    {
        "/v1/oauth/token", "/v1/webhook-keys", "/v1/openapi.json", "/v1/docs", "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
    }
)  # fmt: skip
"""What is open to everybody; every other address asks who calls."""


def add_api(app: web.Application, deps: Deps) -> None:
    """Put the API into the application, under one bound of requests in flight."""
    limits = deps.limits
    app[RATES] = Rates()
    app[TURNS] = Turns(limits.in_flight_max, share=limits.in_flight_per_department, wait_s=limits.turn_wait_s)
    # Those that wait for their turn are counted here, and those whose caller is not known yet.
    admission = Admission(2 * limits.in_flight_max)
    app[finance.READERS] = Admission(limits.finance_reports_at_once)
    for method, path, handler in ROUTES:
        wrapped = answering(handler, admission, f"{method} {path}")
        if method == "GET":
            app.router.add_get(path, wrapped, allow_head=False)
        else:
            app.router.add_route(method, path, wrapped)
