"""The simulated bank's file channel and the levers that make it fail.

| route | what |
|---|---|
| `PUT /payment-files/{message_id}` | take a pain.001; same id, same bytes: same file; other bytes: 409 |
| `GET /payment-files/{message_id}/status` | the pain.002 on it |
| `GET /statements/{iban}/{day}` | the names of that day's statement files; `?close=1` ends the day now |
| `GET /statements/{iban}/{day}/{name}` | one camt.053 |
| `GET /notifications/{iban}/{day}` | the names of that day's notifications, one for each credit so far |
| `GET /notifications/{iban}/{day}/{name}` | one camt.054 |
| `GET /internet-bank`, `POST /internet-bank` | a payer's own bank: send a transfer, well or badly written |
| `POST /simulator/credits` | book somebody's credit (a debit where negative), once per `credit_id` |
| `POST /simulator/faults`, `DELETE /simulator/faults` | order from the menu, or clear what was ordered |
| `POST /simulator/close` | close days up to and including `day` |
| `GET /simulator/book` | everything that really happened |
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from typing import Any, Final

from aiohttp import web

from adapters.bank_host.simulator.bank import Bank, ConflictError, NotOursError
from adapters.bank_host.simulator.faults import Fault, UnknownFaultError
from adapters.bank_host.simulator.internet_bank import InternetBank
from adapters.bank_host.simulator.orders import UnreadableOrderError

BANK: Final = web.AppKey("bank", Bank)
API_KEY: Final = web.AppKey("api_key", str)
BODY_BYTES_MAX: Final = 256 * 1024 * 1024
NEVER_S: Final = 3600.0

DEFAULT_API_KEY: Final = "simulated-bank-key"


def build_app(
    *,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    book_path: str,
    account_iban: str,
    opening_balance_minor: int = 0,
    currency: str = "AED",
    account_owner: str = "Government Treasury",
    booking_delay_days: int = 1,
    business_days_only: bool = False,
    api_key: str = DEFAULT_API_KEY,
) -> web.Application:
    """Build the bank of one account. A payout is debited `booking_delay_days` after it came in, or on its own date."""
    bank = Bank(
        clock=clock,
        random_bytes=random_bytes,
        book_path=book_path,
        account_iban=account_iban,
        account_owner=account_owner,
        currency=currency,
        opening_balance_minor=opening_balance_minor,
        booking_delay_days=booking_delay_days,
        business_days_only=business_days_only,
    )
    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_guard])
    app[BANK] = bank
    app[API_KEY] = api_key
    app.router.add_put("/payment-files/{message_id}", take_payment_file)
    app.router.add_get("/payment-files/{message_id}/status", give_status)
    app.router.add_get("/statements/{iban}/{day}", list_statements)
    app.router.add_get("/statements/{iban}/{day}/{name}", give_statement)
    app.router.add_get("/notifications/{iban}/{day}", list_notifications)
    app.router.add_get("/notifications/{iban}/{day}/{name}", give_notification)
    app.router.add_routes(InternetBank(bank).routes())
    app.router.add_post("/simulator/credits", book_credit)
    app.router.add_post("/simulator/faults", order_fault)
    app.router.add_delete("/simulator/faults", clear_faults)
    app.router.add_post("/simulator/close", close_days)
    app.router.add_get("/simulator/book", show_book)

    async def shut_the_book(_: web.Application) -> AsyncIterator[None]:
        yield
        bank.book.close()

    app.cleanup_ctx.append(shut_the_book)
    return app


@web.middleware
async def _guard(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Let only the customer in, and answer a mistake of his as one."""
    if not request.path.startswith(("/simulator/", "/internet-bank")):
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {request.app[API_KEY]}".encode()):
            return web.json_response({"error": "not a customer of this bank"}, status=401)
    try:
        response: web.StreamResponse = await handler(request)
    except (UnreadableOrderError, UnknownFaultError, ValueError, KeyError, TypeError) as error:
        return web.json_response({"error": str(error)}, status=400)
    except NotOursError as error:
        return web.json_response({"error": str(error)}, status=404)
    except ConflictError as error:
        return web.json_response({"error": str(error)}, status=409)
    return response


async def _before(request: web.Request, fault: Fault | None) -> web.StreamResponse | None:
    """Serve the faults that keep the bank from doing anything."""
    if fault is None:
        return None
    if fault.kind == "sleep":
        await asyncio.sleep(float(fault.details.get("seconds", 1)))
    elif fault.kind == "drop_before":
        _drop(request)
    elif fault.kind == "http":
        return web.Response(status=fault.number("status", 503), text=fault.text("body", ""))
    return None


def _drop(request: web.Request) -> None:
    """Cut the line without a word; what the handler returns afterwards reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("the simulated line was cut")


async def take_payment_file(request: web.Request) -> web.StreamResponse:
    bank = request.app[BANK]
    fault = bank.faults.take("payout")
    body = await request.read()
    if (answer := await _before(request, fault)) is not None:
        return answer
    message_id = request.match_info["message_id"]
    is_new = bank.take_order(message_id, body, fault)
    kind = fault.kind if fault else ""
    if kind == "drop_after":
        _drop(request)
    elif kind == "never_answer":
        await asyncio.sleep(NEVER_S)
    elif kind == "malformed":
        return web.Response(status=200, body=b"<Document><half", content_type="application/xml")
    report = bank.status(message_id, word="ZZZZ" if kind == "unknown_word" else None)
    return web.Response(status=202 if is_new else 200, body=report, content_type="application/xml")


async def give_status(request: web.Request) -> web.StreamResponse:
    bank = request.app[BANK]
    fault = bank.faults.take("status")
    if (answer := await _before(request, fault)) is not None:
        return answer
    message_id = request.match_info["message_id"]
    if bank.is_silent(message_id):
        await asyncio.sleep(NEVER_S)
    kind = fault.kind if fault else ""
    if kind == "malformed":
        return web.Response(body=b"\x00\xff not a report", content_type="application/xml")
    report = bank.status(message_id, word="ZZZZ" if kind == "unknown_word" else None)
    return web.Response(body=report, content_type="application/xml")


async def list_statements(request: web.Request) -> web.StreamResponse:
    def close_and_list(bank: Bank) -> list[tuple[str, str]]:
        if request.query.get("close") == "1":
            bank.close_days(_day(request))
        return bank.statement_files(request.match_info["iban"], _day(request))

    return await _list(request, close_and_list)


async def _list(request: web.Request, files: Callable[[Bank], list[tuple[str, str]]]) -> web.StreamResponse:
    bank = request.app[BANK]
    fault = bank.faults.take("listing")
    if (answer := await _before(request, fault)) is not None:
        return answer
    if fault is not None and fault.kind == "malformed":
        return web.Response(body=b"{half", content_type="application/json")
    return web.json_response({"files": [{"name": name, "sha256": digest} for name, digest in files(bank)]})


async def list_notifications(request: web.Request) -> web.StreamResponse:
    return await _list(request, lambda bank: bank.notification_files(request.match_info["iban"], _day(request)))


async def give_notification(request: web.Request) -> web.StreamResponse:
    bank, iban, name = request.app[BANK], request.match_info["iban"], request.match_info["name"]
    body = bank.notification_file(iban, _day(request), name)
    return web.Response(body=body, content_type="application/xml")


async def give_statement(request: web.Request) -> web.StreamResponse:
    bank = request.app[BANK]
    body = bank.statement_file(request.match_info["iban"], _day(request), request.match_info["name"])
    return web.Response(body=body, content_type="application/xml")


async def book_credit(request: web.Request) -> web.StreamResponse:
    wish = await _object(request)
    booking, is_new = request.app[BANK].book_credit(wish)
    answer = {"bank_reference": booking.bank_reference, "booked_on": booking.booked_on.isoformat()}
    return web.json_response(answer, status=201 if is_new else 200)


async def order_fault(request: web.Request) -> web.StreamResponse:
    fault = request.app[BANK].faults.order(await _object(request))
    return web.json_response({"on": fault.on, "kind": fault.kind, "times": fault.times}, status=201)


async def clear_faults(request: web.Request) -> web.StreamResponse:
    request.app[BANK].faults.clear()
    return web.Response(status=204)


async def close_days(request: web.Request) -> web.StreamResponse:
    day = date.fromisoformat(str((await _object(request))["day"]))
    closed = request.app[BANK].close_days(day)
    return web.json_response({"closed": [day.isoformat() for day in closed]})


async def show_book(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[BANK].everything())


def _day(request: web.Request) -> date:
    return date.fromisoformat(request.match_info["day"])


async def _object(request: web.Request) -> dict[str, Any]:
    value = json.loads(await request.read())
    if not isinstance(value, dict):
        raise TypeError("an object is expected")
    return value
