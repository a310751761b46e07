"""Every request, answer and callback between adapter and simulator, held against the official OpenAPI document."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from adapters import registry
from adapters.contract import Outcome, PaymentOrder, RefundOrder
from adapters.errors import RejectedError
from adapters.gsma.mapping import DECLINES, DUPLICATE
from adapters.http import open_session
from ledger.money import Money

ROOT = Path(__file__).parents[3]
SPEC = next(
    (
        path
        for parent in ROOT.parents
        if (path := parent / "shared/specs/gsma/mobile-money-api-1.2.0-merchant-payments.yaml").is_file()
    ),
    None,
)

pytestmark = pytest.mark.skipif(SPEC is None, reason="the GSMA specification is not beside the project")


@pytest.fixture(scope="module")
def spec() -> dict:
    return yaml.load(SPEC.read_text(), Loader=yaml.CSafeLoader)


def check(spec: dict, schema: dict, value: object) -> None:
    """Validate against a schema of the document, with its references."""
    whole = {"allOf": [schema], "components": spec["components"]}
    errors = list(OAS30Validator(whole, format_checker=oas30_format_checker).iter_errors(value))
    assert errors == [], [error.message for error in errors]


def resolve(spec: dict, node: dict) -> dict:
    if "$ref" not in node:
        return node
    found: dict = spec
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def operation(spec: dict, method: str, path: str) -> dict:
    """Find the operation of a path; literal paths come before templates."""
    for template in sorted(spec["paths"], key=lambda each: each.count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method in spec["paths"][template]:
            item = spec["paths"][template]
            return {**item[method], "parameters": item.get("parameters", []) + item[method].get("parameters", [])}
    raise AssertionError(f"{method} {path} is not in the specification")


@pytest.fixture
async def conversation(clock, random_bytes):
    """Run a whole life of a payment and its refund, and keep what was said."""
    said: list[dict] = []

    @web.middleware
    async def listen(request: web.Request, handler):
        body = await request.read()
        answer = await handler(request)
        if not request.path.startswith("/simulator"):
            said.append(
                {
                    "method": request.method.lower(),
                    "path": request.path,
                    "query": dict(request.query),
                    "headers": dict(request.headers),
                    "body": yaml.safe_load(body) if body else None,
                    "status": answer.status,
                    "answer": yaml.safe_load(answer.body) if answer.body else None,
                }
            )
        return answer

    callbacks: list[tuple[dict, dict]] = []

    async def receive(request: web.Request) -> web.Response:
        callbacks.append((dict(request.headers), yaml.safe_load(await request.read())))
        return web.Response(status=204)

    ours = web.Application()
    ours.router.add_put("/callbacks/gsma", receive)
    gateway = TestServer(ours)
    await gateway.start_server()
    registered = registry.PROVIDERS["gsma"]
    app = registered.simulator(clock=clock, random_bytes=random_bytes)
    app.middlewares.append(listen)
    server = TestServer(app)
    await server.start_server()
    base_url = str(server.make_url("")).rstrip("/")
    async with open_session() as session:
        provider = registered.build(
            {**registered.simulator_settings, "base_url": base_url},
            session=session,
            clock=clock,
            random_bytes=random_bytes,
        )

        def order(reference: str, amount: Money) -> PaymentOrder:
            return PaymentOrder(
                reference,
                amount,
                "Trade licence " * 20,
                "ar",
                "https://pay.example/return",
                "https://pay.example/cancel",
                str(gateway.make_url("/callbacks/gsma")),
                clock() + timedelta(hours=1),
                payer_mobile="+971501234567",
            )

        async def press(reference: str, code: str = "") -> None:
            body = {"reference": reference, "decline_code": code}
            await (await session.post(f"{base_url}/simulator/pay", json=body)).read()
            await (await session.post(f"{base_url}/simulator/drain")).read()

        for number, amount in enumerate(
            (Money(12_550, "AED"), Money(20_000, "AED"), Money(1, "AED"), Money(700, "JPY"))
        ):
            paid = order(f"pa_{number}", amount)
            await provider.start(paid)
            await provider.query(paid, None)
            await press(paid.reference)
            report = await provider.query(paid, None)
            assert report.outcome is Outcome.SUCCEEDED
            refund = RefundOrder(f"re_{number}", paid.reference, report.provider_reference, amount)
            assert (await provider.refund(refund)).outcome is Outcome.SUCCEEDED
            await provider.query_refund(refund)
            await provider.start(paid)  # known already
            with pytest.raises(RejectedError):
                await provider.refund(
                    RefundOrder(f"re_more_{number}", paid.reference, report.provider_reference, amount)
                )
        declined = order("pa_declined", Money(500, "AED"))
        await provider.start(declined)
        await press("pa_declined", "insufficientFunds")
        await provider.query(declined, None)
        await provider.query(order("pa_never", Money(500, "AED")), None)
        await provider.check()
        clock.advance(days=1)
        assert [file async for file in provider.settlement_files((clock() - timedelta(days=1)).date())]
    yield said, callbacks
    await server.close()
    await gateway.close()


async def test_every_request_and_answer_is_what_the_specification_says(spec, conversation):
    said, _ = conversation
    seen = set()
    for exchange in said:
        found = operation(spec, exchange["method"], exchange["path"])
        if exchange["body"] is not None:
            content = resolve(spec, found["requestBody"])["content"]["application/json"]
            check(spec, content["schema"], exchange["body"])
        for parameter in (resolve(spec, each) for each in found["parameters"]):
            value = (exchange["headers"] if parameter["in"] == "header" else exchange["query"]).get(parameter["name"])
            if value is not None and parameter["in"] in ("header", "query"):
                kind = resolve(spec, parameter["schema"]).get("type")
                check(spec, parameter["schema"], int(value) if kind == "integer" else value)
        answers = {str(status): each for status, each in found["responses"].items()}[str(exchange["status"])]
        check(spec, resolve(spec, answers)["content"]["application/json"]["schema"], exchange["answer"])
        seen.add((found["operationId"], exchange["status"]))
    assert len(seen) >= 10, seen


async def test_every_callback_is_what_the_specification_says(spec, conversation):
    _, callbacks = conversation
    collect = spec["paths"]["/transactions/type/{transactionType}"]["post"]["callbacks"]
    (success,) = collect["transactionsSuccessEvent"].values()
    (failure,) = collect["transactionsFailureEvent"].values()
    kinds = set()
    for headers, body in callbacks:
        event = failure if "errorCode" in body else success
        content = resolve(spec, event["put"]["requestBody"])["content"]["application/json"]
        check(spec, content["schema"], body)
        for parameter in (resolve(spec, each) for each in event["put"]["parameters"]):
            if parameter["name"] in headers:
                check(spec, parameter["schema"], headers[parameter["name"]])
        kinds.add("errorCode" in body)
    assert kinds == {True, False}


def test_every_error_code_of_the_specification_has_its_reason(spec):
    codes = spec["components"]["schemas"]["errorObject"]["properties"]["errorCode"]["enum"]
    assert set(codes) - {DUPLICATE} == set(DECLINES)
