"""The banks of the simulation, and how they word what they say: documents, signatures, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from aiohttp import web
from joserfc import jws

from adapters.altareq.keys import SIGNING, Ring, decrypt
from adapters.altareq.simulator.book import Row
from adapters.altareq.simulator.credentials import CLIENT_ID, Vault
from adapters.simulation.misbehaviour import UNHEARD_OF, Dialect
from ledger.money import Money

PAYMENTS: Final = "/open-finance/payment/v2.1"
PAYEES: Final = "/open-finance/confirmation-of-payee/v2.1"
JWT: Final = "application/jwt"
SIGNATURE_LIFE_S: Final = 300


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the simulation's payer, and what a payment from it comes to."""

    iban: str
    en: str
    ar: str
    reject_code: str | None = None
    resolve_s: int | None = None


@dataclass(frozen=True, slots=True)
class SimulatedBank:
    code: str
    en: str
    ar: str
    colour: str

    @property
    def issuer(self) -> str:
        return f"https://auth1.{self.code}.openfinance.example"

    @property
    def resources(self) -> str:
        return f"https://rs1.{self.code}.openfinance.example{PAYMENTS}"


BANKS: Final[Mapping[str, SimulatedBank]] = {
    bank.code: bank
    for bank in (
        SimulatedBank("falcon", "Falcon Bank", "بنك الصقر", "#7a1f2b"),
        SimulatedBank("pearl", "Pearl Commercial Bank", "بنك اللؤلؤ التجاري", "#1f3d7a"),
        SimulatedBank("oasis", "Oasis Islamic Bank", "مصرف الواحة الإسلامي", "#0b5d4b"),
    )
}

ACCOUNTS: Final[Mapping[str, Account]] = {
    account.iban: account
    for account in (
        Account("AE280339000000000000011", "Current account", "حساب جارٍ"),
        Account("AE980339000000000000012", "Savings account, nearly empty", "حساب توفير شبه فارغ", "AANI.AM04"),
        Account("AE710339000000000000013", "Account that takes two minutes", "حساب يستغرق دقيقتين", None, 120),
    )
}
DEFAULT_ACCOUNT: Final = next(iter(ACCOUNTS))


class Notary:
    """Signs what the banks say, and opens what they are sent."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._signing = vault.key("bank-signing")
        self._stranger = vault.key("signing")
        self._encryption = vault.key("bank-encryption")
        self._clock = clock
        self._clients = Ring()
        public = {**vault.key("signing").as_dict(private=False), "use": "sig"}
        self._clients.learn(msgspec.json.encode({"keys": [public]}))
        self._to_clients = Ring()
        public = {**vault.key("encryption").as_dict(private=False), "use": "enc"}
        self._to_clients.learn(msgspec.json.encode({"keys": [public]}))

    def read(self, compact: str) -> dict[str, Any]:
        """Verify a client's token and return its claims."""
        return msgspec.json.decode(self._clients.verify(compact, self._clock()), type=dict[str, Any])

    def open_pii(self, compact: str) -> dict[str, Any]:
        """Decrypt what is encrypted to the bank, and verify the client's signature inside."""
        inner = jws.deserialize_compact(decrypt(compact, self._encryption).encode(), self._stranger, algorithms=SIGNING)
        return msgspec.json.decode(inner.payload, type=dict[str, Any])

    def sign(self, message: Any, issuer: str, *, forged: bool = False) -> str:
        now = int(self._clock().timestamp())
        claims = {"iss": issuer, "aud": [CLIENT_ID], "iat": now, "nbf": now - 10, "exp": now + SIGNATURE_LIFE_S}
        key = self._stranger if forged else self._signing
        header = {"alg": "PS256", "kid": "simulated-bank-signing"}
        return jws.serialize_compact(header, msgspec.json.encode({**claims, "message": message}), key, SIGNING)

    def sign_for_payees(self, message: Any, issuer: str) -> bytes:
        """Sign an answer about a payee: that part of the standard names its audience as one string."""
        now = int(self._clock().timestamp())
        claims = {"iss": issuer, "aud": CLIENT_ID, "iat": now, "nbf": now - 10, "exp": now + SIGNATURE_LIFE_S}
        header = {"alg": "PS256", "kid": "simulated-bank-signing"}
        content = msgspec.json.encode({**claims, "message": message})
        return jws.serialize_compact(header, content, self._signing, SIGNING).encode()

    def seal_event(self, message: Any, issuer: str, *, forged: bool = False) -> bytes:
        return self._to_clients.encrypt(self.sign(message, issuer, forged=forged)).encode()

    def dialect(self, bank: SimulatedBank) -> Dialect:
        """Return how one bank answers: every document signed, refusals too."""

        def write(document: Any) -> bytes:
            return self.sign(document, bank.issuer).encode()

        def refuse(status: int, reason: str) -> web.Response:
            code = reason if "." in reason else f"Simulated.{reason}"
            errors = {"Errors": [{"Code": code, "Message": "refused by the simulated bank"}]}
            return web.Response(status=400 if status == 422 else status, body=write(errors), content_type=JWT)  # noqa: PLR2004 (the menu's own refusal)

        return Dialect(refuse=refuse, distort=distort, content_type=JWT, write=write)


def distort(document: Any, fault: str) -> Any:
    """Spoil what a document says, where it says such a thing."""
    data = document.get("Data", {}) if isinstance(document, dict) else {}
    if fault == "unknown_status" and "Status" in data:
        return {**document, "Data": {**data, "Status": UNHEARD_OF}}
    if fault in {"wrong_amount", "wrong_currency"} and "Instruction" in data:
        amount = data["Instruction"]["Amount"]
        changed = {"Amount": "999999.99"} if fault == "wrong_amount" else {"Currency": "USD"}
        return {**document, "Data": {**data, "Instruction": {"Amount": {**amount, **changed}}}}
    return document


def amount_of(row: Row) -> dict[str, str]:
    return {"Amount": Money(row["amount_minor"], row["currency"]).decimal(), "Currency": row["currency"]}


def consent_data(row: Row) -> dict[str, Any]:
    data = {
        "ConsentId": row["consent_id"],
        "IsSingleAuthorization": True,
        "Permissions": ["ReadRefundAccount"],
        "ExpirationDateTime": row["expires_at"],
        "Status": row["status"],
        "CreationDateTime": row["created_at"],
        "StatusUpdateDateTime": row["status_at"],
        "ControlParameters": {
            "ConsentSchedule": {"SinglePayment": {"Type": "SingleInstantPayment", "Amount": amount_of(row)}}
        },
        "DebtorReference": row["description"],
        "CreditorReference": row["our_reference"],
        "PaymentPurposeCode": row["purpose"],
    }
    return {**data, "RevokedBy": row["revoked_by"]} if row["revoked_by"] else data


def consent_message(row: Row, payment_id: str | None) -> dict[str, Any]:
    resources = BANKS[row["bank"]].resources
    related = [f"{resources}/payments/{payment_id}"] if payment_id else []
    links = {"Self": f"{resources}/payment-consents/{row['consent_id']}", "Related": related}
    return {"Data": consent_data(row), "Links": links}


def payment_data(row: Row) -> dict[str, Any]:
    data = {
        "PaymentId": row["payment_id"],
        "ConsentId": row["consent_id"],
        "PaymentTransactionId": row["transaction_id"],
        "Status": row["status"],
        "StatusUpdateDateTime": row["status_at"],
        "CreationDateTime": row["created_at"],
        "Instruction": {"Amount": amount_of(row)},
        "PaymentPurposeCode": row["purpose"],
        "DebtorReference": row["description"],
        "OpenFinanceBilling": msgspec.json.decode(row["billing"]),
    }
    if row["status"] == "Rejected":
        code = row["reject_code"]
        code = code if "." in code else f"AANI.{code}"
        data["RejectReasonCode"] = [{"Code": code, "Message": "rejected by the simulated bank"}]
    return data


def payment_message(row: Row) -> dict[str, Any]:
    resources = BANKS[row["bank"]].resources
    links = {
        "Self": f"{resources}/payments/{row['payment_id']}",
        "Related": f"{resources}/payment-consents/{row['consent_id']}",
    }
    return {"Data": payment_data(row), "Links": links}


def event(resource: str, data: Mapping[str, Any], at: str, *, created: bool) -> dict[str, Any]:
    meta = {
        "EventDateTime": at,
        "EventResource": resource,
        "EventType": "Resource.Created" if created else "Resource.Updated",
        "ConsentId": data["ConsentId"],
    }
    return {"Data": data, "Meta": meta}
