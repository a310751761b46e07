"""A simulated provider: its wire, its page in two languages, its own book, and faults on command."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from adapters.simulation.books import open_book
from adapters.simulation.deliveries import Deliveries, Delivery, Tampering
from adapters.simulation.faults import Fault, Faults
from adapters.simulation.levers import Levers, read_object
from adapters.simulation.misbehaviour import Dialect, RefusedError, answer, run
from adapters.template.callbacks import sign
from ledger.money import Money

API_KEY: Final = "simulated-template-key"
CALLBACK_SECRET: Final = "simulated-template-secret"  # noqa: S105 (opens nothing but a simulator)
SETTINGS: Final = {"api_key": API_KEY, "callback_secret": CALLBACK_SECRET}

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS payments (
  id TEXT PRIMARY KEY, reference TEXT NOT NULL UNIQUE, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
  callback_url TEXT NOT NULL, return_url TEXT NOT NULL, language TEXT NOT NULL, updated_at TEXT NOT NULL,
  status TEXT NOT NULL, decline_code TEXT, resolve_at TEXT, resolve_to TEXT -- open -> paid | failed | cancelled
);
CREATE TABLE IF NOT EXISTS refunds (
  id TEXT PRIMARY KEY, reference TEXT NOT NULL UNIQUE, payment TEXT NOT NULL REFERENCES payments,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL
);
"""
Row = dict[str, Any]


class Simulator:
    """Handlers of the wire, the page and the levers over one book."""

    def __init__(
        self,
        book_path: str,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        callback_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.book = open_book(book_path, SCHEMA)
        self.faults = Faults()
        self.deliveries = Deliveries(self.faults, Tampering(_forge, self._estrange), session)
        self._clock = clock
        self._random_bytes = random_bytes
        self._callback_url = callback_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/payments", self.create),
            web.get("/payments", self.find),
            web.post("/payments/{id}/cancel", self.cancel),
            web.post("/payments/{id}/refunds", self.refund),
            web.get("/refunds/{reference}", self.find_refund),
            web.get("/ping", self.ping),
            web.get("/pay/{id}", self.page),
            web.post("/pay/{id}", self.submit),
            web.post("/simulator/pay", self.pay),
            web.get("/simulator/charges", self.charges),
            web.get("/simulator/book", self.whole),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)
        body = await read_object(request)

        async def act() -> Row:
            self.book.execute(
                "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, NULL, NULL)"
                " ON CONFLICT (reference) DO NOTHING",
                (
                    f"tp_{self._random_bytes(8).hex()}", body["reference"], body["amount_minor"], body["currency"],
                    body.get("callback_url") or "", body["return_url"], body["language"], self._now(),
                ),
            )  # fmt: skip
            made = self._payment("reference", body["reference"])
            if self.faults.next_is("callback", "before_answer"):
                await self._decide(made, "")
            return self._document(made, request)

        return await self._run(request, "create", act, status=201)

    async def find(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)

        async def act() -> dict[str, list[Row]]:
            found = self._rows("SELECT id FROM payments WHERE reference = ?", request.query.get("reference", ""))
            return {"payments": [self._document(self._payment("id", row["id"]), request) for row in found]}

        return await self._run(request, "query", act)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)

        async def act() -> Row:
            payment = self._payment("id", request.match_info["id"])
            if payment["status"] == "open":
                payment = self._set(payment, "cancelled")
            return self._document(payment, request)

        return await self._run(request, "void", act)

    async def refund(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)
        body = await read_object(request)
        key = request.headers.get("Idempotency-Key", "")
        fault = self.faults.take("refund")
        status = "waiting" if fault and fault.name == "pending" else "done"

        async def act() -> Row:
            payment = self._payment("id", request.match_info["id"])
            if not self._rows("SELECT 1 FROM refunds WHERE reference = ?", key):
                left = payment["amount_minor"] - self._refunded(payment)
                if payment["status"] != "paid" or not 0 < body["amount_minor"] <= left:
                    raise RefusedError("more than is left to refund")
                identifier = f"tr_{self._random_bytes(8).hex()}"
                values = (identifier, key, payment["id"], body["amount_minor"], body["currency"], status)
                self.book.execute("INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?)", values)
            return self._refund(key)

        return await run(request, fault, act, DIALECT, status=201)

    async def find_refund(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)

        async def act() -> Row:
            return self._refund(request.match_info["reference"])

        return await self._run(request, "query", act)

    async def ping(self, request: web.Request) -> web.StreamResponse:
        _authorise(request)
        return answer({"pong": True})

    async def page(self, request: web.Request) -> web.StreamResponse:
        payment = self._payment("id", request.match_info["id"])
        arabic = request.query.get("lang", payment["language"]) == "ar"
        pay, decline = ("ادفع", "ارفض") if arabic else ("Pay", "Decline")
        amount = Money(payment["amount_minor"], payment["currency"])
        language, direction = ("ar", "rtl") if arabic else ("en", "ltr")
        text = (
            f"<!doctype html><html lang='{language}' dir='{direction}'><meta charset='utf-8'><title>{pay}</title>"
            f"<p>{html.escape(payment['reference'])} <bdi dir='ltr'>{amount}</bdi></p>"
            f"<form method='post'><button name='code' value=''>{pay}</button>"
            f"<button name='code' value='do_not_honour'>{decline}</button></form>"
        )
        return web.Response(text=text, content_type="text/html")

    async def submit(self, request: web.Request) -> web.StreamResponse:
        payment = self._payment("id", request.match_info["id"])
        await self._decide(payment, str((await request.post()).get("code", "")))
        raise web.HTTPSeeOther(payment["return_url"])

    async def pay(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        payment = self._payment("reference", str(body.get("reference", "")))
        fault = self.faults.take("pay")
        if fault is not None and fault.name == "pending":
            return answer({"status": self._hold(payment, fault)["status"]})
        return answer({"status": (await self._decide(payment, str(body.get("decline_code", ""))))["status"]})

    async def charges(self, request: web.Request) -> web.Response:
        found = self._rows(
            "SELECT count(DISTINCT p.id) AS charges, count(r.id) AS refunds, max(p.currency) AS currency,"
            " coalesce(max(p.amount_minor), 0) AS captured_minor, coalesce(sum(r.amount_minor), 0) AS refunded_minor"
            " FROM payments p LEFT JOIN refunds r ON r.payment = p.id WHERE p.reference = ? AND p.status = 'paid'",
            request.query.get("reference", ""),
        )
        return answer(found[0])

    async def whole(self, request: web.Request) -> web.Response:  # noqa: ARG002 (a handler's shape)
        payments, refunds = self._rows("SELECT * FROM payments"), self._rows("SELECT * FROM refunds")
        return answer({"payments": payments, "refunds": refunds})

    async def _run(
        self, request: web.Request, call: str, act: Callable[[], Awaitable[Any]], *, status: int = 200
    ) -> web.StreamResponse:
        return await run(request, self.faults.take(call), act, DIALECT, status=status)

    async def _decide(self, payment: Row, code: str) -> Row:
        if payment["status"] != "open":
            return payment
        decided = self._set(payment, "failed" if code else "paid", code or None)
        url = decided["callback_url"] or self._callback_url
        if url:
            body = {"event": self._random_bytes(8).hex(), "payment": self._document(decided, None)}
            await self.deliveries.send([self._delivery(url, body)])
        return decided

    def _delivery(self, url: str, body: Row) -> Delivery:
        content, sent_at = msgspec.json.encode(body), str(int(self._clock().timestamp()))
        headers = {"X-Timestamp": sent_at, "X-Signature": sign(CALLBACK_SECRET, sent_at, content)}
        return Delivery(body["payment"]["reference"], url, headers, content)

    def _estrange(self, delivery: Delivery) -> Delivery:
        body = msgspec.json.decode(delivery.body)
        body["payment"] |= {"id": "tp_unknown", "reference": "unknown-reference"}
        return self._delivery(delivery.url, body)

    def _hold(self, payment: Row, fault: Fault) -> Row:
        until = self._text(self._clock() + timedelta(seconds=fault.number("delay_s", 60)))
        self.book.execute(
            "UPDATE payments SET status = 'processing', resolve_at = ?, resolve_to = ? WHERE id = ?",
            (until, "paid" if fault.text("outcome", "captured") == "captured" else "failed", payment["id"]),
        )
        return self._payment("id", payment["id"])

    def _set(self, payment: Row, status: str, code: str | None = None) -> Row:
        self.book.execute(
            "UPDATE payments SET status = ?, decline_code = ?, updated_at = ?, resolve_at = NULL WHERE id = ?",
            (status, code, self._now(), payment["id"]),
        )
        return self._payment("id", payment["id"])

    def _payment(self, column: str, value: str) -> Row:
        statements = {
            "id": "SELECT * FROM payments WHERE id = ?",
            "reference": "SELECT * FROM payments WHERE reference = ?",
        }
        found = self._rows(statements[column], value)
        if not found:
            raise web.HTTPNotFound
        if found[0]["resolve_at"] and found[0]["resolve_at"] <= self._now():
            return self._set(found[0], found[0]["resolve_to"])
        return found[0]

    def _refund(self, reference: str) -> Row:
        found = self._rows("SELECT id, status, amount_minor, currency FROM refunds WHERE reference = ?", reference)
        if not found:
            raise RefusedError("no such refund", 404)
        return found[0]

    def _refunded(self, payment: Row) -> int:
        statement = "SELECT coalesce(sum(amount_minor), 0) AS total FROM refunds WHERE payment = ?"
        return int(self._rows(statement, payment["id"])[0]["total"])

    def _document(self, payment: Row, request: web.Request | None) -> Row:
        kept = ("id", "reference", "status", "amount_minor", "currency", "decline_code", "updated_at")
        document = {**{name: payment[name] for name in kept}, "refunded_minor": self._refunded(payment)}
        return {**document, "page": f"{request.url.origin()}/pay/{payment['id']}"} if request else document

    def _rows(self, statement: str, *values: object) -> list[Row]:
        return [dict(row) for row in self.book.execute(statement, values)]

    def _now(self) -> str:
        return self._text(self._clock())

    @staticmethod
    def _text(at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _authorise(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bearer {API_KEY}":
        raise web.HTTPUnauthorized


def _forge(delivery: Delivery) -> Delivery:
    return replace(delivery, headers={**delivery.headers, "X-Signature": "0" * 64})


def _refuse(status: int, message: str) -> web.Response:
    return answer({"error": message}, status=status)


def _distort(document: Any, name: str) -> Any:
    """Return the document with another amount, another currency or an unheard-of status."""
    if isinstance(document, dict) and "payments" in document:
        return {"payments": [_distort(payment, name) for payment in document["payments"]]}
    changes = {
        "wrong_amount": {"amount_minor": document.get("amount_minor", 0) + 100},
        "wrong_currency": {"currency": "USD"},
        "unknown_status": {"status": "under_new_review"},
    }
    return {**document, **changes.get(name, {})}


DIALECT: Final = Dialect(_refuse, _distort)


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str = ":memory:",
    callback_url: str | None = None,
    bank_url: str | None = None,  # noqa: ARG001 (every simulator is built alike; this one settles nothing)
    session: aiohttp.ClientSession | None = None,
) -> web.Application:
    """Build the simulator. Time comes from the clock alone."""
    sessions: list[aiohttp.ClientSession] = [session] if session else []
    simulator = Simulator(book_path, clock, random_bytes, callback_url, lambda: sessions[0])

    async def outward(_: web.Application) -> AsyncIterator[None]:
        if session is None:
            sessions.append(aiohttp.ClientSession(trust_env=False))
        yield
        await simulator.deliveries.stop()
        if session is None:
            await sessions.pop().close()
        simulator.book.close()

    app = web.Application()
    app.cleanup_ctx.append(outward)
    for part in (simulator, Levers(simulator.faults, simulator.deliveries)):
        app.router.add_routes(part.routes())
    return app
