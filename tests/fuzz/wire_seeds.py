"""Good messages of every kind: what whoever looks for damage begins with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import adapters
from adapters.messages.smpp.pdu import Command, Pdu, read_submitted, receipt_body, submit_body
from adapters.messages.smpp.segments import Segment

CONSENT: Final = "01936d0a-0000-7000-8000-000000000001"
_META: Final = {
    "EventDateTime": "2026-11-22T06:00:00Z", "EventResource": "/payments", "EventType": "Resource.Updated",
    "ConsentId": CONSENT,
}  # fmt: skip


def _bytes(*documents: Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def samples(name: str) -> list[bytes]:
    """Give the answers of a provider's own samples."""
    folder = Path(adapters.__file__).parent / name / "samples"
    return _bytes(*(json.loads(path.read_text("utf-8"))["answer"] for path in sorted(folder.glob("*.json"))))


def ngenius() -> list[bytes]:
    order = {"reference": "order-1", "merchantOrderReference": "pa_01", "outletId": "outlet-1"}
    event = {"eventId": "e1", "eventName": "CAPTURED", "outletId": "outlet-1", "order": order}
    return _bytes(event, {**event, "eventName": "NEW"}, {**event, "order": {"reference": "o"}})


def adyen() -> list[bytes]:
    item: dict[str, Any] = {
        "pspReference": "QFQTPCQ8HXSKGK82", "merchantAccountCode": "Government", "merchantReference": "pa_01",
        "eventCode": "AUTHORISATION", "eventDate": "2026-11-22T10:00:00+04:00", "success": "true",
        "amount": {"currency": "AED", "value": 12_550}, "paymentMethod": "visa", "reason": "033899:1111:03/2030",
        "originalReference": "", "additionalData": {"cardSummary": "1111", "authCode": "033899"},
    }  # fmt: skip
    refund = {
        **item,
        "eventCode": "REFUND",
        "originalReference": "X",
        "success": "false",
        "reason": "Insufficient balance",
    }
    return _bytes(
        *(
            {"live": "false", "notificationItems": [{"NotificationRequestItem": each} for each in items]}
            for items in ([item], [refund], [item, refund], [{**item, "success": "false"}])
        )
    )


def gsma() -> list[bytes]:
    paid = {
        "transactionReference": "T1", "transactionStatus": "completed", "type": "merchantpay", "amount": "125.5",
        "currency": "AED", "requestingOrganisationTransactionReference": "pa_01",
    }  # fmt: skip
    return _bytes(paid, {"errorCategory": "businessRule", "errorCode": "insufficientFunds"})


def gsma_with_headers() -> list[bytes]:
    return [
        b"X-Date: 2026-11-22T05:59:59.000Z\nX-CorrelationID: 01936d0a-0000-7000-8000-000000000001\n\n" + each
        for each in gsma()
    ]


def daraja() -> list[bytes]:
    told = {"MerchantRequestID": "m", "CheckoutRequestID": "ws_CO_1", "ResultCode": 0, "ResultDesc": "ok"}
    items = {
        "CallbackMetadata": {
            "Item": [{"Name": "Amount", "Value": 1.0}, {"Name": "MpesaReceiptNumber", "Value": "NLJ7RT61SV"}]
        }
    }
    bodies = _bytes(
        {"Body": {"stkCallback": {**told, **items}}}, {"Body": {"stkCallback": {**told, "ResultCode": "1032"}}}
    )
    return [b"/callbacks/daraja/pa_01%2F\n" + body for body in bodies]


def template() -> list[bytes]:
    payment = {"id": "p1", "reference": "pa_01", "status": "paid", "amount_minor": 12_550, "currency": "AED"}
    return _bytes({"event": "e1", "payment": payment}, {"event": "e2", "payment": {**payment, "status": "odd"}})


def template_with_headers() -> list[bytes]:
    return [b"X-Timestamp: 1795327200\nX-Signature: 00ff\n\n" + each for each in template()]


def altareq() -> list[bytes]:
    payment = {
        "PaymentId": "p-1", "ConsentId": CONSENT, "Status": "AcceptedCreditSettlementCompleted",
        "Instruction": {"Amount": {"Amount": "125.50", "Currency": "AED"}}, "StatusUpdateDateTime": "2026-11-22T06:00:00Z",
        "PaymentTransactionId": "E2E", "RejectReasonCode": [{"Code": "AANI.AM04", "Message": "no"}],
    }  # fmt: skip
    consent = {
        "ConsentId": CONSENT,
        "Status": "Authorized",
        "StatusUpdateDateTime": "2026-11-22T06:00:00Z",
        "CreditorReference": "pa_01",
    }
    return _bytes(
        {"Data": payment, "Meta": _META}, {"Data": {**payment, "Status": "Rejected"}, "Meta": _META},
        {"Data": consent, "Meta": _META}, {"Data": {}, "Meta": _META}, {"Meta": _META},
    )  # fmt: skip


def tokens() -> list[bytes]:
    jws_head = b'{"alg":"PS256","kid":"simulated-bank-signing"}'
    jwe_head = b'{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"x"}'
    return [
        jws_head + b"\n{}\nsignature",
        b'{"alg":"none"}\n{}\n',
        b'{"alg":"PS256","kid":"simulated-bank-signing","crit":["b64"],"b64":false}\n{}\nx',
        jwe_head + b"\nkey\niv0123456789\ntext\ntag0123456789abc",
        b'{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}\n\n\n\n',
        b"eyJhbGciOiJQUzI1NiJ9.e30.c2ln",
        b"a.b.c.d.e",
    ]


def key_sets() -> list[bytes]:
    rsa = {"kty": "RSA", "kid": "x", "n": "AQ", "e": "AQAB", "use": "enc"}
    return _bytes(
        {"keys": [rsa]}, {"keys": [{**rsa, "d": "AQ"}, {"kty": "EC"}]}, {"keys": []}, {"keys": [{**rsa, "kid": 7}]}
    )


def gsma_lists() -> list[bytes]:
    paid = {
        "transactionReference": "T1", "transactionStatus": "completed", "type": "merchantpay", "amount": "125.5", "currency": "AED",
        "creationDate": "2026-11-22T05:59:59.000Z", "requestingOrganisationTransactionReference": "pa_01",
        "fees": [{"feeType": "vat", "feeAmount": "0.50", "feeCurrency": "AED"}],
    }  # fmt: skip
    return _bytes([paid, {**paid, "type": "reversal"}], [{**paid, "amount": None}], {"link": "/transactions/T1"})


def daraja_lists() -> list[bytes]:
    moved = {
        "transactionId": "NLJ7RT61SV", "trxDate": "2026-11-22T10:00:00+03:00", "amount": "125.0",
        "transactiontype": "c2b-pay-bill-debit", "billreference": "ABC",
    }  # fmt: skip
    return _bytes(
        {"ResponseCode": "1000", "Response": [[moved, {**moved, "amount": 1.5, "trxDate": "2026-11-22 10:00:00"}]]},
        {"ResponseCode": 1001, "Response": "[[]]"},
    )


def smpp() -> list[bytes]:
    text = submit_body("Mizan", "+971500000000", Segment(0, linked=False, octets=b"hello"), wants_receipt=True)
    receipt = receipt_body(read_submitted(text), "1", "DELIVRD")
    return [Pdu(Command.DELIVER_SM, 0, 1, body).pack() for body in (receipt, text)]
