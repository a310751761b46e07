"""What passes between this adapter and its simulator, decoded, held against the standard's own documents."""

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from aiohttp import web
from jsonschema.validators import validator_for
from openapi_schema_validator import OAS30Validator

from adapters.altareq.keys import decrypt
from adapters.altareq.simulator import credentials
from adapters.altareq.simulator.credentials import open_vault
from adapters.contract import Outcome, PayeeMatch
from adapters.errors import RejectedError

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "altareq"
PII = "PersonalIdentifiableInformation"

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the specifications are not at hand")


def document(name: str) -> dict:
    return yaml.safe_load((SPECS / f"uae-{name}-openapi.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def specs() -> dict:
    """Read the documents, with one erratum of theirs set right.

    Two of them word the instants of a payment consent as an object that holds one; `bank-initiation`, which owns the
    consent, and their own text and examples say a plain instant.
    """
    names = ("authorization-endpoints", "bank-initiation", "webhook-template", "confirmation-of-payee")
    found = {name: document(name) for name in names}
    for name in ("authorization-endpoints", "webhook-template"):
        schemas = found[name]["components"]["schemas"]
        for wrapped in ("AECreationDateTime", "AEStatusUpdateDateTime"):
            assert schemas[wrapped]["type"] == "object"
            schemas[wrapped] = schemas[f"AEConsentStatus.{wrapped}"]
    return found


def errors_of(spec: dict, schema: str, value: object) -> list[str]:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": spec["components"]}
    assert validator_for(whole) is not None
    return [f"{list(each.absolute_path)} {each.message[:200]}" for each in OAS30Validator(whole).iter_errors(value)]


def payload(compact: str) -> dict:
    from joserfc import jws

    return json.loads(jws.extract_compact(compact.encode()).payload)


@pytest.fixture
async def said(stages, keys, monkeypatch):
    """Run a whole life of payments over mutual TLS, and keep every message both ways, decoded."""
    vault = open_vault(keys / "altareq")
    heard: list[tuple[str, str, dict | str, int, bytes, dict]] = []

    @web.middleware
    async def listen(request: web.Request, handler):
        body = await request.read()
        answer = await handler(request)
        heard.append(
            (request.method, request.path, body.decode("latin-1"), answer.status, answer.body, dict(request.headers))
        )
        return answer

    made = web.Application

    def application(*args, **options):
        return made(*args, **{**options, "middlewares": [listen, *options.get("middlewares", ())]})

    monkeypatch.setattr("adapters.altareq.simulator.web.Application", application)
    async with stages("altareq") as stage:
        await stage.collect("pa_paid")
        await stage.declined("pa_poor", code="AM04")
        await stage.declined("pa_no", code="access_denied")
        given_up = stage.order("pa_gone")
        await stage.provider.start(given_up)
        await stage.provider.void(given_up, "")
        account = await stage.provider.refund_account(stage.order("pa_paid"))
        assert account.iban.startswith("AE")
        check = await stage.provider.confirm_payee("AE460261001234567890123", "Department of Economy and Tourism")
        assert (check.match, bool(check.masked_name)) == (PayeeMatch.YES, True)
        nobody = await stage.provider.confirm_payee("AE000000000000000000000", "Nobody")
        assert nobody.match is PayeeMatch.UNKNOWN_ACCOUNT
        await stage.drain()
        yield heard, [body for _, body in stage.listener.received], vault


def test_pushed_requests_are_what_the_standard_says(said, specs):
    heard, _, vault = said
    spec = specs["authorization-endpoints"]
    pushed = [dict(parse_qsl(body)) for method, path, body, *_ in heard if path.endswith("/par")]
    assert len(pushed) == 4
    for form in pushed:
        request = payload(form["request"])
        # The document writes the type of the assertion as it stands in a form, percent signs and all.
        whole = {**form, "client_assertion_type": form["client_assertion_type"].replace(":", "%3A"), "request": request}
        assert errors_of(spec, "AEPushedAuthorizationRequestsV21.PushedAuthorizationRequestBody", whole) == []
        sealed = request["authorization_details"][0]["consent"][PII]
        assert sealed.count(".") == 4
        pii = payload(decrypt(sealed, vault.key("bank-encryption")))
        name = "AEBankServiceInitiationRichAuthorizationRequests.AEDomesticPaymentPII"
        assert errors_of(spec, name, pii) == []
        opened = copy.deepcopy(whole)
        opened["request"]["authorization_details"][0]["consent"][PII] = pii
        assert errors_of(spec, "AEPushedAuthorizationRequestsV21.PushedAuthorizationRequestBody", opened) == []
        assertion = payload(form["client_assertion"])
        assert assertion["iss"] == assertion["sub"] == request["client_id"]
        assert assertion["exp"] - assertion["iat"] <= 300
        assert request["exp"] - request["nbf"] <= 600
        assert form["request"].split(".")[0] != ""


def test_answers_of_the_authorization_servers_are_what_the_standard_says(said, specs):
    heard, _, _ = said
    spec = specs["authorization-endpoints"]
    kinds = {"client_credentials": "AEClientCredentialsGrantTokenResponseProperties"}
    kinds["authorization_code"] = "AEAuthorizationCodeGrantTokenResponseProperties"
    asked = {"client_credentials": "ClientCredentialsGrantTokenRequestProperties"}
    asked["authorization_code"] = "AuthorizationCodeGrantTokenRequestProperties"
    seen = set()
    for _, path, body, status, answered, _ in heard:
        if path.endswith("/par") and status == 200:
            assert (
                errors_of(spec, "AEPushedAuthorizationRequests.AEPushedAuthorizationResponseBody", json.loads(answered))
                == []
            )
        if path.endswith("/token") and status == 200:
            form = dict(parse_qsl(body))
            grant = form["grant_type"]
            form["client_assertion_type"] = form["client_assertion_type"].replace(":", "%3A")
            assert errors_of(spec, asked[grant], form) == []
            assert errors_of(spec, kinds[grant], json.loads(answered)) == []
            seen.add(grant)
    assert seen == set(kinds)


def test_payments_and_consents_are_what_the_standard_says(said, specs):
    heard, _, vault = said
    spec = specs["bank-initiation"]
    answers = {
        ("POST", r".*/payments"): "AEPaymentIdResponseSigned",
        ("GET", r".*/payments/[^/]+"): "AEPaymentIdResponseSigned",
        ("GET", r".*/payment-consents/[^/]+"): "AEPaymentConsentResponseSigned",
        ("GET", r".*/payment-consents/[^/]+/refund"): "AEPaymentConsentRefundResponseSigned",
    }
    requests = {("POST", r".*/payments"): "AEPaymentRequestSigned"}
    requests["PATCH", r".*/payment-consents/[^/]+"] = "AEPatchPaymentConsentSigned"
    seen = set()
    for method, path, body, status, answered, headers in heard:
        if "/open-finance/payment/" not in path:
            continue
        assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-fapi-interaction-id"])
        for (verb, pattern), schema in requests.items():
            if verb == method and re.fullmatch(pattern, path):
                claims = payload(body)
                assert errors_of(spec, schema, claims) == []
                seen.add(schema)
                if verb == "POST":
                    assert 0 < len(headers["x-idempotency-key"]) <= 40
                    pii = payload(decrypt(claims["message"]["Data"][PII], vault.key("bank-encryption")))
                    assert errors_of(spec, "AEBankServiceInitiation.AEDomesticPaymentPIIProperties", pii) == []
        for (verb, pattern), schema in answers.items():
            if verb == method and re.fullmatch(pattern, path) and status < 300:
                assert errors_of(spec, schema, payload(answered.decode())) == []
                seen.add((verb, schema))
        if method == "GET" and path.endswith("/payments"):
            told = payload(answered.decode())["message"]
            schema = "AEIdempotencyKeyQuery" if status == 200 else "AEError400Response"
            assert errors_of(spec, schema, told) == []
            seen.add(schema)
    assert len(seen) == 8


def test_events_are_what_the_standard_says(said, specs):
    _, events, vault = said
    spec = specs["webhook-template"]
    seen = set()
    for body in events:
        claims = payload(decrypt(body.decode(), vault.key("encryption")))
        message = claims["message"]
        kind = (
            "AEWebhookPaymentInitiationEventProperties"
            if "PaymentId" in message["Data"]
            else "AEWebhookConsentedEventProperties"
        )
        assert errors_of(spec, kind, message) == []
        assert errors_of(spec, "AEWebhookEventSigned", {**claims, "message": {"Meta": message["Meta"]}}) == []
        seen.add((kind, message["Data"]["Status"]))
    assert {status for _, status in seen} >= {"Authorized", "Rejected", "Revoked", "AcceptedCreditSettlementCompleted"}


def test_confirmation_of_payee_is_what_the_standard_says(said, specs):
    heard, _, _ = said
    spec = specs["confirmation-of-payee"]
    seen = 0
    for _, path, body, status, answered, _ in heard:
        names = {"/discovery": "DiscoverConfirmationSource", "/confirmation": "NameConfirmation"}
        name = next((name for end, name in names.items() if path.endswith(end)), None)
        if name is None:
            continue
        assert errors_of(spec, f"{name}RequestBodySigned", payload(body)) == []
        if status == 200:
            assert errors_of(spec, f"{name}ResponseBodySigned", payload(answered.decode())) == []
            seen += 1
    assert seen == 3


async def test_nobody_gets_in_without_a_certificate(stages, keys):
    """The token and payment addresses take no connection without the client's certificate."""
    import aiohttp

    async with stages("altareq") as stage:
        async with stage.session.get(f"{stage.base_url}/banks/falcon/.well-known/openid-configuration") as answer:
            token_endpoint = (await answer.json())["token_endpoint"]
        assert token_endpoint.startswith("https://")
        context = __import__("ssl").create_default_context(cafile=credentials(keys / "altareq")["ca_certificate"])
        with pytest.raises((aiohttp.ClientError, OSError)):
            async with aiohttp.ClientSession() as session, session.post(token_endpoint, ssl=context, data={}) as answer:
                await answer.read()


async def test_a_payment_that_differs_from_its_consent_is_refused(stages):
    async with stages("altareq") as stage:
        order = stage.order("pa_other")
        started = await stage.provider.start(order)
        assert urlsplit(started.next_step.url).query.count("request_uri") == 1
        answer = await stage.control("pay", {"reference": "pa_other"})
        notice = stage.provider.read_return(dict(parse_qsl(urlsplit(answer["return_to"]).query)))
        dearer = stage.order("pa_other", stage.order().amount + stage.order().amount)
        report = await stage.provider.finish(dearer, notice.continuation)
        assert (report.outcome, report.captured) == (Outcome.DECLINED, None)
        assert (await stage.charges("pa_other"))["charges"] == 0
        with pytest.raises(RejectedError):
            await stage.provider.start(stage.order("pa_nobank", payer_bank=None))
        assert stage.order().expires_at - stage.clock() == timedelta(hours=1)
