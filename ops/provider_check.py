"""A live self-test of one configured provider: everything that can be proven without moving money.

What goes over the wire is what the provider itself does for its health and its settlement; the answers are watched for
the provider's clock and certificate, so that mutual TLS and odd hosts are covered as they are used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509

from adapters.contract import Provider, Settles
from adapters.errors import CallbackRefusedError, FileRefusedError, ProviderError
from adapters.manifest import Manifest

SECRET_CHARS_MIN: Final = 12
SKEW_WARNED: Final = timedelta(seconds=10)
SKEW_MAX: Final = timedelta(seconds=60)
EXPIRY_WARNED: Final = timedelta(days=30)
CONNECT_S: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Verdict(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    FAILED = "failed"
    NONE = "-"  # there is nothing to check


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in words for whoever set the provider up."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(slots=True)
class Watch:
    """Sees whom the provider's code talks to, and what their clocks say."""

    now: Callable[[], datetime]
    skews: dict[str, timedelta] = field(default_factory=dict)
    encrypted: set[tuple[str, int]] = field(default_factory=set)

    def config(self) -> aiohttp.TraceConfig:
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._see_request)
        config.on_request_end.append(self._see_answer)
        return config

    async def _see_request(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, seen: aiohttp.TraceRequestStartParams
    ) -> None:
        if seen.url.scheme == "https" and seen.url.host and seen.url.port:
            self.encrypted.add((seen.url.host, seen.url.port))

    async def _see_answer(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, seen: aiohttp.TraceRequestEndParams
    ) -> None:
        host = seen.url.host or ""
        try:
            told = parsedate_to_datetime(seen.response.headers.get("Date", ""))
            self.skews.setdefault(host, told - self.now())
        except (ValueError, TypeError):
            pass


async def check_provider(
    provider: Provider,
    manifest: Manifest,
    values: Mapping[str, str],
    *,
    watch: Watch,
    public_url: str | None,
    zone: tzinfo,
) -> list[Finding]:
    """Check everything that can be, in the order in which one would look for the cause of a failure."""
    findings = [*_addresses(values), _secrets(manifest, values), *_certificates(values, watch.now())]
    health = await provider.check()
    verdict = (Verdict.WARNING if health.detail else Verdict.GOOD) if health.available else Verdict.FAILED
    word = "answers" if health.available else "does not answer"
    findings.append(Finding("answer", verdict, f"{word} ({health.detail})" if health.detail else word))
    findings += [_callbacks(provider, manifest), _callback_address(manifest.name, public_url)]
    findings.append(await _settlement(provider, watch.now().astimezone(zone)))
    return [*findings, *_clocks(watch), *[finding async for finding in _served(watch)]]


def _addresses(values: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in values.items():
        address = urlsplit(value) if value.startswith(("http://", "https://")) else None
        if address is not None and address.scheme == "http":
            own = address.hostname in _LOOPBACK
            detail = f"{name} is not encrypted" + (", on this machine" if own else "")
            yield Finding("encryption", Verdict.WARNING if own else Verdict.FAILED, detail)


def _secrets(manifest: Manifest, values: Mapping[str, str]) -> Finding:
    """Look for what goes wrong when secrets are copied: a space or a line end with them, or only a part."""
    wrong = []
    for setting in manifest.settings:
        value = values.get(setting.name, "")
        if not setting.secret or not value:
            continue
        if value != value.strip() and "-----BEGIN" not in value:
            wrong.append(f"{setting.name} begins or ends with a space or a line end")
        elif len(value) < SECRET_CHARS_MIN:
            wrong.append(f"{setting.name} has only {len(value)} characters")
        elif not value.isascii():
            wrong.append(f"{setting.name} has letters that no secret has")
    return Finding("secrets", Verdict.FAILED if wrong else Verdict.GOOD, "; ".join(wrong))


def _certificates(values: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Read the certificates among the settings, as text or as files; what is none is said by whoever builds with it."""
    for name, value in values.items():
        if "certificate" not in name or not value:
            continue
        try:
            text = value if "-----BEGIN" in value else Path(value).read_text("utf-8")
            held = x509.load_pem_x509_certificates(text.encode())
        except (OSError, ValueError):
            yield Finding(name, Verdict.FAILED, "holds no certificate that can be read")
            continue
        yield _until(name, min(each.not_valid_after_utc for each in held), now)


def _until(name: str, ends: datetime, now: datetime) -> Finding:
    left = ends - now
    if left < timedelta():
        return Finding(name, Verdict.FAILED, f"expired on {ends:%Y-%m-%d}")
    verdict = Verdict.WARNING if left < EXPIRY_WARNED else Verdict.GOOD
    return Finding(name, verdict, f"holds until {ends:%Y-%m-%d}, {left.days} days")


def _callbacks(provider: Provider, manifest: Manifest) -> Finding:
    """Send ourselves what a stranger could: it must be refused."""
    for body in (b"{}", b"", b"a.b.c"):
        try:
            provider.read_callback({}, body)
        except CallbackRefusedError:
            continue
        return Finding("callbacks", Verdict.FAILED, "a callback that nobody signed is accepted")
    kept = "signed" if manifest.callbacks_proven else "hints, confirmed by asking"
    return Finding("callbacks", Verdict.GOOD, f"{kept}; a stranger's is refused")


def _callback_address(name: str, public_url: str | None) -> Finding:
    if public_url is None:
        return Finding("callback address", Verdict.WARNING, "MIZAN_PUBLIC_URL is not set: nobody can call us")
    address = urlsplit(public_url)
    if address.scheme != "https" or address.hostname in _LOOPBACK:
        return Finding("callback address", Verdict.WARNING, f"{public_url} is not encrypted, or only on this machine")
    return Finding("callback address", Verdict.GOOD, f"{public_url.rstrip('/')}/callbacks/{name}")


async def _settlement(provider: Provider, now: datetime) -> Finding:
    """Fetch yesterday's settlement, and read it; none yet is no fault."""
    if not isinstance(provider, Settles):
        return Finding("settlement", Verdict.NONE, "this provider has none")
    day = (now - timedelta(days=1)).date()
    try:
        files = [file async for file in provider.settlement_files(day)]
    except FileRefusedError as error:
        return Finding("settlement", Verdict.FAILED, f"the file of {day} cannot be trusted: {error}")
    except ProviderError as error:
        return Finding("settlement", Verdict.FAILED, f"the files of {day} cannot be fetched: {error}")
    lines = sum(len(file.lines) for file in files)
    return Finding("settlement", Verdict.GOOD, f"{len(files)} files of {day} with {lines} lines")


def _clocks(watch: Watch) -> Iterator[Finding]:
    if not watch.skews:
        yield Finding("clock", Verdict.NONE, "no answer says what time it is")
    for host, skew in watch.skews.items():
        apart = abs(skew)
        verdict = Verdict.FAILED if apart > SKEW_MAX else Verdict.WARNING if apart > SKEW_WARNED else Verdict.GOOD
        yield Finding("clock", verdict, f"{host} and we are {apart.total_seconds():.0f} s apart")


async def _served(watch: Watch) -> AsyncIterator[Finding]:
    """Read until when each server's certificate holds. Whether it is trusted, the calls themselves have shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for host, port in sorted(watch.encrypted):
        name = f"certificate of {host}:{port}"
        try:
            async with asyncio.timeout(CONNECT_S):
                _, writer = await asyncio.open_connection(host, port, ssl=context)
        except (OSError, TimeoutError) as error:
            yield Finding(name, Verdict.WARNING, f"cannot be read: {type(error).__name__}")
            continue
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        yield _until(name, x509.load_der_x509_certificate(shown).not_valid_after_utc, watch.now())
