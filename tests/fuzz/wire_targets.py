"""The readers of what comes over the network: callbacks, events, returns, answers, tokens, keys."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from joserfc import jwe, jws
from joserfc.jwk import RSAKey

from adapters import registry
from adapters.adyen import callbacks as adyen
from adapters.altareq import callbacks as altareq
from adapters.altareq.calls import read_error_code
from adapters.altareq.keys import SIGNING, Ring, Seal, SealError
from adapters.altareq.simulator.credentials import Vault, open_vault
from adapters.altareq.wire import Derived
from adapters.contract import Provider
from adapters.daraja import callbacks as daraja
from adapters.daraja.settlement import settlement_file
from adapters.daraja.wire import read_page
from adapters.errors import CallbackRefusedError, OutcomeUnknownError
from adapters.gsma import callbacks as gsma
from adapters.gsma.settlement import settlement_files
from adapters.gsma.wire import correlation_of, read_error, read_link, read_transactions
from adapters.http import open_session
from adapters.messages.smpp.pdu import WireError, read_pdu, read_receipt, read_submitted
from adapters.ngenius import callbacks as ngenius
from adapters.ngenius.wire import read_payment, read_reports, read_search
from adapters.template import callbacks as template
from tests.fuzz import wire_seeds as seeds
from tests.fuzz.target import Target

NOW: Final = datetime(2026, 11, 22, 6, tzinfo=UTC)
DAY: Final = date(2026, 11, 22)
KEY: Final = "a-callback-key-value"
HMAC_KEY: Final = bytes.fromhex("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056")
_REFUSED: Final = (CallbackRefusedError,)
_UNKNOWN: Final = (OutcomeUnknownError,)
_WORDS: Final = (
    b'"', b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"\\u0000", b"\\ud800", b"\\uDC00\\uD800", b"-1",
    b"1e400", b"NaN", b"9223372036854775808", b"0.001", b"99999999999999999999999999", b"[[[[[[[[", b'{"":', b"AED",
    b"KWD", b"ZZZ", b"2026-11-22T10:00:00Z", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"/../",
    b"%00", b"?", b"#", b"http://", b"\xff", b"\xed\xa0\x80",
)  # fmt: skip


def _ngenius(data: bytes) -> object:
    return ngenius.read_callback({"X-Hook": KEY}, data, header_name="X-Hook", header_value=KEY, outlet="outlet-1")


def _adyen(data: bytes) -> object:
    """Sign every item that can be signed, so that what lies behind the signature is reached."""
    try:
        document = msgspec.json.decode(data)
        for wrapper in document["notificationItems"]:
            item = wrapper["NotificationRequestItem"]
            item.setdefault("additionalData", {})["hmacSignature"] = adyen.sign(
                msgspec.convert(item, adyen.WireItem), HMAC_KEY
            )
        data = msgspec.json.encode(document)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    return adyen.read_callback(data, hmac_key=HMAC_KEY, merchant_account="Government")


def _gsma(data: bytes) -> object:
    ours = correlation_of("pa_01kakg0000abcdefghjkmnpqrs")
    headers = {"X-API-Key": KEY, "X-CorrelationID": ours, "X-Content-Hash": hashlib.sha256(data).hexdigest()}
    return gsma.read_callback(headers, data, key=KEY, now=NOW)


def _gsma_headers(data: bytes) -> object:
    """Take lines before the first empty one as headers."""
    head, _, body = data.partition(b"\n\n")
    return gsma.read_callback({"X-API-Key": KEY, **_headers(head)}, body, key=KEY, now=NOW)


def _headers(head: bytes) -> dict[str, str]:
    # As aiohttp gives them: what is not UTF-8 comes as lone surrogates.
    lines = (line.partition(b":") for line in head.split(b"\n"))
    return {
        name.decode("utf-8", "surrogateescape"): value.strip().decode("utf-8", "surrogateescape")
        for name, _, value in lines
    }


def _daraja(data: bytes) -> object:
    path, _, body = data.partition(b"\n")
    return daraja.read_callback({":path": f"{path.decode('latin-1')}/{KEY}"}, body, key=KEY)


def _template(data: bytes) -> object:
    at = str(int(NOW.timestamp()))
    headers = {"X-Timestamp": at, "X-Signature": template.sign(KEY, at, data)}
    return template.read_callback(headers, data, secret=KEY, now=NOW)


def _template_headers(data: bytes) -> object:
    head, _, body = data.partition(b"\n\n")
    return template.read_callback(_headers(head), body, secret=KEY, now=NOW)


@cache
def _keys() -> tuple[Seal, Ring, Ring, Vault]:
    """Give our keys, the banks' public keys, a ring that encrypts to us, and the folder with all."""
    _keys.folder = tempfile.TemporaryDirectory(prefix="mizan-fuzz-keys-")  # type: ignore[attr-defined]
    vault = open_vault(Path(_keys.folder.name) / "altareq")  # type: ignore[attr-defined]
    banks, ours = Ring(), Ring()
    banks.learn((vault.folder / "banks.jwks").read_bytes())
    public = {**vault.key("encryption").as_dict(private=False), "use": "enc"}
    ours.learn(json.dumps({"keys": [public]}))
    return Seal(vault.key("signing"), vault.key("encryption"), "simulated-signing"), banks, ours, vault


@cache
def _key(name: str) -> RSAKey:
    """Read a private key once: its proof takes longer than all that is searched."""
    return _keys()[3].key(name)


def _altareq_event(data: bytes) -> object:
    """Read the bytes as an event's message, genuinely signed and encrypted."""
    seal, banks, ours, _ = _keys()
    claims = b'{"iss":"x","iat":%d,"nbf":0,"exp":99999999999,"message":%s}' % (int(NOW.timestamp()), data)
    signer = _key("bank-signing")
    compact = jws.serialize_compact({"alg": "PS256", "kid": "simulated-bank-signing"}, claims, signer, SIGNING)
    return altareq.read_event(ours.encrypt(compact).encode(), seal=seal, ring=banks, now=NOW)


def _altareq_claims(data: bytes) -> object:
    """Read the bytes as a signed token's claims."""
    _, banks, _, _ = _keys()
    signer = _key("bank-signing")
    compact = jws.serialize_compact({"alg": "PS256", "kid": "simulated-bank-signing"}, data, signer, SIGNING)
    banks.verify(compact, NOW)
    return None


def _altareq_sealed(data: bytes) -> object:
    """Read the bytes as what stands inside a genuine encryption."""
    seal, _, _, _ = _keys()
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    compact = jwe.encrypt_compact(header, data or b" ", _key("encryption"), algorithms=["RSA-OAEP-256", "A256GCM"])
    seal.open(compact)  # a token or not, it is no text that anybody keeps
    return None


def _altareq_raw(data: bytes) -> object:
    seal, banks, _, _ = _keys()
    return altareq.read_event(data, seal=seal, ring=banks, now=NOW)


def _token(data: bytes) -> object:
    """Read the bytes as tokens, and their first line as the header of one."""
    seal, banks, _, _ = _keys()
    text = data.decode("utf-8", "replace")
    head, _, rest = data.partition(b"\n")
    made = ".".join((_base64(head), *(_base64(part) for part in rest.split(b"\n"))))
    for each in (text, made):
        for read in (seal.open, lambda compact: banks.verify(compact, NOW), banks.knows):
            try:
                read(each)
            except SealError:
                continue
    return None


def _base64(data: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _key_set(data: bytes) -> object:
    Ring().learn(data)
    return None


def _altareq_return(data: bytes) -> object:
    names = ("code", "iss", "error", "state", "x")
    texts = data.decode("utf-8", "replace").split("\n")
    derived = Derived("a key of this test that is long enough")
    query = {"state": derived.state("pa_01"), **dict(zip(names, texts, strict=False))}
    if not query.get("state", "").strip("?"):
        query["state"] = derived.state("pa_01")
    notice = altareq.read_return(query, derived=derived)
    if notice.continuation is not None:
        altareq.read_continuation(notice.continuation)
    return notice


@cache
def _provider(name: str) -> Provider:
    """Build a provider as wiring does, with its simulation's settings; nothing is sent."""
    registered = registry.PROVIDERS[name]
    settings = {"base_url": "http://127.0.0.1:9", **registered.simulator_settings}
    if registered.credentials is not None:
        settings |= registered.credentials(_keys()[3].folder)
    if registered.served_by is not None:
        settings |= {"account_iban": "AE070331234567890123456", "beneficiary": "Treasury"}

    async def build() -> Provider:
        return registry.build(name, settings, session=open_session(), clock=lambda: NOW, random_bytes=bytes)

    return _loop().run_until_complete(build())


def _heard(name: str) -> Callable[[bytes], object]:
    """Read lines before the first empty one as headers, and the rest as what a stranger sent."""

    def read(data: bytes) -> object:
        head, _, body = data.partition(b"\n\n")
        return _provider(name).read_callback(_headers(head), body)

    return read


def _answer(name: str) -> Callable[[bytes], object]:
    return registry.PROVIDERS[name].read_answer


def _ngenius_answers(data: bytes) -> object:
    found = []
    for read in (read_search, read_payment, read_reports):
        try:
            found.append(read(data))
        except OutcomeUnknownError:
            continue
    return None


def _gsma_list(data: bytes) -> object:
    for read in (read_link, read_error):
        try:
            read(data)
        except OutcomeUnknownError:
            continue
    return settlement_files(read_transactions(data), DAY, batch_pattern="MM {date} {currency}")


def _daraja_list(data: bytes) -> object:
    return settlement_file(read_page(data), DAY, ZoneInfo("Africa/Nairobi"), batch_pattern="MPESA {date}")


def _smpp(data: bytes) -> object:
    async def read() -> object:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        pdu = await read_pdu(reader)
        return read_receipt(pdu.body), read_submitted(pdu.body)

    loop = _loop()
    return loop.run_until_complete(read())


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _samples(name: str) -> Callable[[], Sequence[bytes]]:
    return lambda: seeds.samples(name)


def _claims() -> list[bytes]:
    return [b'{"nbf":0,"exp":99999999999,"message":{}}', b'{"iat":1,"exp":2}', b"{}", b'{"exp":1e400}']


def _errors() -> list[bytes]:
    return [b'{"message":{"Errors":[{"Code":"Consent.Invalid","Message":"no"}]}}', b'{"message":{"Errors":[]}}']


def _sealed() -> list[bytes]:
    return [b"a.b.c", b"\xff\xfe"]


def _returns() -> list[bytes]:
    return [b"the-code\nhttps://bank.example", b"\n\naccess_denied", b"c\ni\n\nstate"]


_HEARD: Final = tuple(
    Target(f"heard_{name}", _heard(name), _REFUSED, lambda: [b"X-API-Key: x\n:path: /a/b\n\n{}"], _WORDS)
    for name in sorted(registry.PROVIDERS)
)
_ANSWERS: Final = tuple(
    Target(f"answer_{name}", _answer(name), _UNKNOWN, _samples(name), _WORDS) for name in sorted(registry.PROVIDERS)
)

TARGETS: Final = (
    Target("callback_ngenius", _ngenius, _REFUSED, seeds.ngenius, _WORDS),
    Target("callback_adyen", _adyen, _REFUSED, seeds.adyen, _WORDS),
    Target("callback_gsma", _gsma, _REFUSED, seeds.gsma, _WORDS),
    Target("callback_gsma_headers", _gsma_headers, _REFUSED, seeds.gsma_with_headers, _WORDS),
    Target("callback_daraja", _daraja, _REFUSED, seeds.daraja, _WORDS),
    Target("callback_template", _template, _REFUSED, seeds.template, _WORDS),
    Target("callback_template_headers", _template_headers, _REFUSED, seeds.template_with_headers, _WORDS),
    Target("event_altareq", _altareq_event, _REFUSED, seeds.altareq, _WORDS),
    Target("event_altareq_raw", _altareq_raw, _REFUSED, seeds.tokens, _WORDS),
    Target("return_altareq", _altareq_return, (*_REFUSED, OutcomeUnknownError), _returns),
    Target("token_claims", _altareq_claims, (SealError,), _claims, _WORDS),
    Target("token_sealed", _altareq_sealed, (SealError,), _sealed),
    Target("token", _token, (SealError,), seeds.tokens, _WORDS),
    Target("error_altareq", lambda data: read_error_code(b"sealed", lambda _: data), (), _errors, _WORDS),
    Target("key_set", _key_set, (SealError,), seeds.key_sets, _WORDS),
    *_HEARD,
    *_ANSWERS,
    Target("answers_ngenius", _ngenius_answers, _UNKNOWN, _samples("ngenius"), _WORDS),
    Target("list_gsma", _gsma_list, _UNKNOWN, seeds.gsma_lists, _WORDS),
    Target("list_daraja", _daraja_list, _UNKNOWN, seeds.daraja_lists, _WORDS),
    Target("smpp", _smpp, (WireError, asyncio.IncompleteReadError), seeds.smpp),
)
