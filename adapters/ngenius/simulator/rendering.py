"""The book's orders as the real gateway words them: HAL documents in JSON."""

from __future__ import annotations

from typing import Any, Final

from adapters.ngenius.simulator.book import Book, Row

CANCELLABLE: Final = frozenset({"STARTED", "AWAIT_3DS"})


def amount(currency: str, value: int) -> dict[str, Any]:
    return {"currencyCode": currency, "value": value}


def order_document(book: Book, order: Row, origin: str, page_origin: str) -> dict[str, Any]:
    """Render an order with its payment."""
    itself = _address(order, origin)
    links: dict[str, Any] = {
        "self": {"href": itself},
        "payment": {"href": f"{page_origin}/page/{order['page_code']}"},
    }
    if order["state"] in CANCELLABLE:
        links["cancel"] = {"href": f"{itself}/cancel"}
    return {
        "_id": f"urn:order:{order['reference']}",
        "_links": links,
        "type": "SINGLE",
        "action": order["action"],
        "amount": amount(order["currency"], order["amount_minor"]),
        "language": order["language"],
        "merchantOrderReference": order["merchant_reference"],
        "merchantAttributes": {"redirectUrl": order["redirect_url"], "cancelUrl": order["cancel_url"]},
        "reference": order["reference"],
        "outletId": order["outlet"],
        "createDateTime": order["created_at"],
        "paymentMethods": {"card": ["VISA", "MASTERCARD"]},
        "referrer": "urn:Ecom:" + order["page_code"],
        "_embedded": {"payment": [payment_document(book, order, origin)]},
    }


def payment_document(book: Book, order: Row, origin: str) -> dict[str, Any]:
    """Render a payment with its captures and refunds."""
    itself = f"{_address(order, origin)}/payments/{order['payment']}"
    captures = book.movements(order["reference"], "capture")
    refunds = book.movements(order["reference"], "refund")
    document: dict[str, Any] = {
        "_id": f"urn:payment:{order['payment']}",
        "_links": {"self": {"href": itself}},
        "state": order["state"],
        "amount": amount(order["currency"], order["amount_minor"]),
        "updateDateTime": order["updated_at"],
        "outletId": order["outlet"],
        "orderReference": order["reference"],
        "merchantOrderReference": order["merchant_reference"],
    }
    if order["card"]:
        document["paymentMethod"] = {
            "name": order["scheme"],
            "pan": order["card"],
            "expiry": "2030-12",
            "cardholderName": "TEST CARDHOLDER",
        }
    if order["result_code"]:
        document["authResponse"] = {
            "authorizationCode": order["authorisation_code"],
            "success": order["result_code"] == "00",
            "resultCode": order["result_code"],
            "resultMessage": "Successful approval" if order["result_code"] == "00" else "Declined",
            "rrn": order["rrn"],
            "mid": "1201501",
        }
    if order["trans_status"]:
        eci = "05" if order["trans_status"] == "Y" else "07"
        document["3ds2"] = {"transStatus": order["trans_status"], "eci": eci, "version": "2.2.0"}
    embedded: dict[str, Any] = {}
    if order["action"] == "PURCHASE":
        if captures:
            document["_links"]["cnp:cancel"] = {"href": f"{itself}/refund"}
    else:
        if order["state"] == "AUTHORISED":
            document["_links"]["cnp:capture"] = {"href": f"{itself}/captures"}
            document["_links"]["cnp:cancel"] = {"href": f"{itself}/cancel"}
        if captures:
            embedded["cnp:capture"] = [_capture(order, itself, row) for row in captures]
    if refunds:
        embedded["cnp:refund"] = [_refund(order, itself, captures, row) for row in refunds]
    if embedded:
        document["_embedded"] = embedded
    return document


def _address(order: Row, origin: str) -> str:
    return f"{origin}/transactions/outlets/{order['outlet']}/orders/{order['reference']}"


def _capture(order: Row, payment: str, row: Row) -> dict[str, Any]:
    itself = f"{payment}/captures/{row['identifier']}"
    return {
        "_links": {"self": {"href": itself}, "cnp:refund": {"href": f"{itself}/refund"}},
        "amount": amount(order["currency"], row["amount_minor"]),
        "createdTime": row["created_at"],
        "state": row["state"],
    }


def _refund(order: Row, payment: str, captures: list[Row], row: Row) -> dict[str, Any]:
    capture = captures[0]["identifier"] if captures else "none"
    return {
        "_links": {"self": {"href": f"{payment}/captures/{capture}/refund/{row['identifier']}"}},
        "amount": amount(order["currency"], row["amount_minor"]),
        "createdTime": row["created_at"],
        "state": row["state"],
    }
