# mypy: ignore-errors
"""Creating an intent in FastAPI, pydantic and asyncpg: one request, one statement, the same rows.

Started by `mizan bench api` under uvicorn. It checks the key by its hash in a dictionary, the body by pydantic, prices
the line, and writes what Mizan writes with Mizan's own statement, so that only the way there differs.
"""

import hashlib
import json
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import asyncpg
import msgspec
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.bench.statement import Statement

STATEMENT = msgspec.json.decode(os.environ["MIZAN_BENCH_STATEMENT"], type=Statement)
KEYS = {bytes.fromhex(sha256): department for sha256, department in json.loads(os.environ["MIZAN_BENCH_KEYS"]).items()}
SERVICES = json.loads(os.environ["MIZAN_BENCH_SERVICES"])
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Amount(Body):
    amount: int = Field(ge=1, le=10**12)
    currency: str = Field(pattern="^[A-Z]{3}$")


class Line(Body):
    service: str = Field(min_length=1, max_length=63)
    quantity: int = Field(default=1, ge=1, le=10_000)
    amount: Amount | None = None


class Payer(Body):
    language: Literal["ar", "en"] = "ar"
    email: str | None = Field(default=None, max_length=254)
    mobile: str | None = Field(default=None, pattern=r"^\+[1-9][0-9]{7,14}$")


class CreateIntent(Body):
    reference: str = Field(min_length=1, max_length=100)
    lines: list[Line] = Field(min_length=1, max_length=100)
    payer: Payer = Payer()
    metadata: dict[str, str] = Field(default={}, max_length=20)


pool = None


async def keep(_):
    """Leave a released connection as it is: the peer gets the same saving as Mizan."""


@asynccontextmanager
async def lifespan(_):
    global pool  # noqa: PLW0603 - as FastAPI's own examples have it
    pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=keep, server_settings={"role": "mizan_service"}
    )
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan)


async def department(authorization: Annotated[str, Header()]):
    found = KEYS.get(hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest())
    if found is None:
        raise HTTPException(401)
    return found


def mint(prefix):
    number = int.from_bytes(int(datetime.now(UTC).timestamp() * 1000).to_bytes(6) + os.urandom(10))
    digits = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"


@app.post("/v1/payment-intents", status_code=201)
async def create(
    asked: CreateIntent,
    request: Request,
    owner: Annotated[str, Depends(department)],
    idempotency_key: Annotated[str, Header()],
):
    now = datetime.now(UTC)
    lines = []
    for number, line in enumerate(asked.lines, start=1):
        service = SERVICES.get(line.service)
        if service is None:
            raise HTTPException(422)
        amount = service["amount_minor"] * line.quantity
        vat = (2 * amount * service["vat_basis_points"] + 10_000) // 20_000
        lines.append({"number": number, **service, "quantity": line.quantity, "amount": amount, "vat": vat})
    total = {"amount": sum(line["amount"] for line in lines), "currency": "AED"}
    intent_id, event_id = mint("pi"), mint("ev")
    document = {
        "id": intent_id, "object": "payment_intent", "status": "requires_payment", "amount": total,
        "amount_refunded": {"amount": 0, "currency": "AED"}, "amount_disputed": {"amount": 0, "currency": "AED"},
        "amount_refundable": {"amount": 0, "currency": "AED"},
        "reference": asked.reference, "lines": lines, "payer": asked.payer.model_dump(), "return_url": None,
        "metadata": asked.metadata, "live": False, "late_payment": False, "duplicate_of": None, "last_attempt": None,
        "receipt_number": None, "paid_at": None, "created_at": now.isoformat(),
        "expires_at": (now + timedelta(hours=24)).isoformat(),
        "checkout_url": f"http://127.0.0.1/pay/{intent_id}",
    }  # fmt: skip
    answer = json.dumps(document).encode()
    event = {"payment_intent": intent_id, "reference": asked.reference, "status": "requires_payment", "amount": total}
    arguments = STATEMENT.arguments(
        intent=intent_id, event=event_id, key=idempotency_key, department=owner, reference=asked.reference,
        answer=answer, event_data=json.dumps(event), body_sha256=hashlib.sha256(await request.body()).digest(), now=now,
    )  # fmt: skip
    if not await pool.fetch(STATEMENT.text, *arguments):
        raise HTTPException(409)  # a replay would be read here; the measurement sends none
    location = {"Location": f"/v1/payment-intents/{intent_id}"}
    return Response(answer, status_code=201, media_type="application/json", headers=location)
