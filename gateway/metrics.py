"""What the gateway counts. Labels are closed sets: never a department, a reference or a payer."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter("mizan_api_requests_total", "API requests answered", ["route", "status"])
REQUEST_SECONDS: Final = Histogram(
    "mizan_api_request_seconds",
    "Time to answer an API request",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
REFUSED: Final = Counter("mizan_api_refused_total", "Requests refused before any work was done", ["reason"])
IN_FLIGHT: Final = Gauge("mizan_api_in_flight", "API requests being worked on")

INTENTS: Final = Counter("mizan_intents_total", "Changes of intents", ["event"])
ATTEMPTS: Final = Counter("mizan_attempts_total", "Edges taken by attempts", ["provider", "edge"])
REPORTS: Final = Counter(
    "mizan_reports_total", "Providers' truths applied, by what they changed", ["provider", "result"]
)
CALLBACKS: Final = Counter("mizan_callbacks_total", "Callbacks received", ["provider", "result"])
PROVIDER_CALLS: Final = Counter("mizan_provider_calls_total", "Calls to providers", ["provider", "call", "result"])
PROVIDER_SECONDS: Final = Histogram(
    "mizan_provider_call_seconds",
    "Time a provider took to answer, or to fail",
    ["provider", "call"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CIRCUIT: Final = Gauge(
    "mizan_provider_circuit", "Circuit of an operation: 0 closed, 1 half-open, 2 open", ["provider", "call"]
)
DRAINED: Final = Gauge("mizan_provider_drained", "1 while a provider is given no new payments", ["provider"])
UNRECOGNISED: Final = Counter("mizan_provider_words_unknown_total", "Words of providers nobody knows", ["provider"])
REVIEWS: Final = Counter("mizan_reviews_total", "Attempts and refunds put before a person", ["reason"])
REFUNDS: Final = Counter("mizan_refunds_total", "Edges taken by refunds", ["provider", "edge"])
WAITING: Final = Gauge("mizan_waiting_items", "Things that wait to be decided or sent", ["queue"])
OLDEST_SECONDS: Final = Gauge("mizan_waiting_oldest_seconds", "Age of the oldest thing that waits", ["queue"])
DELIVERIES: Final = Counter("mizan_webhook_deliveries_total", "Webhook deliveries tried", ["result"])
MESSAGES: Final = Counter("mizan_messages_total", "Messages to payers tried", ["channel", "result"])
