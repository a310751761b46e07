"""The live self-test of a provider: each check passes against its simulator, and each can fail."""

import importlib
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestServer

from adapters import registry
from adapters.http import open_session
from ops.provider_check import Verdict, Watch, _certificates, check_provider

CREDENTIALS = importlib.import_module("adapters.altareq.simulator.credentials")
PUBLIC = "https://pay.gov.example"


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def simulated(name, **options):
    """Serve a provider's simulator as it is, and give the settings that reach it."""
    registered = registry.PROVIDERS[name]
    app = registered.simulator(clock=now, random_bytes=os.urandom, **options)
    server = TestServer(app)
    await server.start_server()
    yield {"base_url": str(server.make_url("/")).rstrip("/"), **registered.simulator_settings}
    await server.close()


async def findings_of(name, settings, *, clock=now, public_url=PUBLIC):
    watch = Watch(clock)
    async with open_session(watchers=[watch.config()]) as session:
        provider = registry.build(name, settings, session=session, clock=clock, random_bytes=os.urandom)
        manifest = registry.PROVIDERS[name].manifest
        found = await check_provider(provider, manifest, settings, watch=watch, public_url=public_url, zone=UTC)
    return {finding.name: finding for finding in found}


@pytest.mark.parametrize("name", ["adyen", "ngenius", "gsma", "daraja"])
async def test_a_provider_that_is_set_up_well_fails_nothing(name):
    async with simulated(name) as settings:
        found = await findings_of(name, settings)
    assert [each for each in found.values() if each.verdict is Verdict.FAILED] == []
    assert found["answer"].verdict is Verdict.GOOD
    assert found["settlement"].verdict is Verdict.GOOD
    assert found["clock"].verdict is Verdict.GOOD
    assert found["callbacks"].verdict is Verdict.GOOD
    assert found["callback address"].detail == f"{PUBLIC}/callbacks/{name}"
    # A simulator on this machine needs no encryption; it is told all the same.
    assert found["encryption"].verdict is Verdict.WARNING


async def test_a_refused_key_fails():
    async with simulated("adyen") as settings:
        found = await findings_of("adyen", {**settings, "api_key": "another-key-altogether"})
    assert (found["answer"].verdict, "401" in found["answer"].detail) == (Verdict.FAILED, True)
    assert found["settlement"].verdict is Verdict.FAILED


async def test_nobody_there_fails_and_says_nothing_of_clocks(unused_tcp_port):
    settings = registry.PROVIDERS["gsma"].simulator_settings
    found = await findings_of("gsma", {"base_url": f"http://127.0.0.1:{unused_tcp_port}", **settings})
    assert (found["answer"].verdict, found["clock"].verdict) == (Verdict.FAILED, Verdict.NONE)


@pytest.mark.parametrize(
    ("secret", "word"),
    [(" a-key-with-a-space-before", "a space"), ("short", "only 5"), ("a-key-with-a-’-in-it", "letters")],
)
async def test_a_secret_copied_badly_is_named_and_not_shown(secret, word):
    async with simulated("adyen") as settings:
        found = await findings_of("adyen", {**settings, "report_key": secret})
    assert found["secrets"].verdict is Verdict.FAILED
    assert found["secrets"].detail.startswith("report_key")
    assert word in found["secrets"].detail
    assert secret.strip() not in found["secrets"].detail


async def test_a_report_host_that_is_not_there_fails(unused_tcp_port):
    async with simulated("adyen") as settings:
        elsewhere = f"http://127.0.0.1:{unused_tcp_port}"
        found = await findings_of("adyen", {**settings, "report_url": elsewhere})
    assert (found["answer"].verdict, found["settlement"].verdict) == (Verdict.GOOD, Verdict.FAILED)
    assert "cannot be fetched" in found["settlement"].detail


async def test_a_file_that_cannot_be_trusted_fails(monkeypatch):
    async with simulated("adyen") as settings:
        monkeypatch.setattr("adapters.adyen.client.read_reports", lambda _body: [_Report(settings["base_url"])])
        found = await findings_of("adyen", settings)
    assert found["settlement"].verdict is Verdict.FAILED


class _Report:
    name = "x.csv"

    def __init__(self, base_url: str) -> None:
        self.href = f"{base_url}/nothing"


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [
        (timedelta(), Verdict.GOOD),
        (timedelta(seconds=30), Verdict.WARNING),
        (timedelta(minutes=5), Verdict.FAILED),
        (timedelta(minutes=-5), Verdict.FAILED),
    ],
)
async def test_two_clocks_that_are_apart_are_told(ahead, verdict):
    async with simulated("adyen") as settings:
        found = await findings_of("adyen", settings, clock=lambda: now() + ahead)
    assert found["clock"].verdict is verdict


async def test_a_provider_whose_callbacks_anybody_may_send_fails(monkeypatch):
    async with simulated("adyen") as settings:
        monkeypatch.setattr("adapters.adyen.client.AdyenLinks.read_callback", lambda *_: [])
        found = await findings_of("adyen", settings)
    assert (found["callbacks"].verdict, "nobody signed" in found["callbacks"].detail) == (Verdict.FAILED, True)


@pytest.mark.parametrize("address", [None, "http://pay.gov.example", "https://localhost:8000"])
async def test_an_address_nobody_can_call_is_told(address):
    async with simulated("adyen") as settings:
        found = await findings_of("adyen", settings, public_url=address)
    assert found["callback address"].verdict is Verdict.WARNING


async def test_an_open_line_to_another_machine_fails():
    settings = {**registry.PROVIDERS["gsma"].simulator_settings, "base_url": "http://money.invalid", "timeout_s": "2"}
    found = await findings_of("gsma", settings)
    assert (found["encryption"].verdict, found["answer"].verdict) == (Verdict.FAILED, Verdict.FAILED)


@pytest.mark.parametrize(
    ("left", "verdict", "answer"),
    [
        (timedelta(days=400), Verdict.GOOD, Verdict.GOOD),
        (timedelta(days=5), Verdict.WARNING, Verdict.GOOD),
        (timedelta(days=-1), Verdict.FAILED, Verdict.FAILED),
    ],
)
async def test_certificates_that_end_soon_are_told_on_both_sides(tmp_path, monkeypatch, left, verdict, answer):
    monkeypatch.setattr(CREDENTIALS, "ENDS", now() + left)
    keys = registry.PROVIDERS["altareq"].credentials(tmp_path / "altareq")
    async with simulated("altareq", keys=tmp_path / "altareq") as settings:
        found = await findings_of("altareq", {**settings, **keys})
    assert found["client_certificate"].verdict is verdict
    assert found["ca_certificate"].verdict is verdict
    assert found["answer"].verdict is answer
    served = [finding for name, finding in found.items() if name.startswith("certificate of")]
    assert [finding.verdict for finding in served] == [verdict]
    assert found["settlement"].verdict is Verdict.NONE


def test_a_certificate_that_is_none_fails(tmp_path):
    path = tmp_path / "not.pem"
    path.write_text("-----BEGIN nothing")
    for value in (str(path), str(tmp_path / "absent.pem"), path.read_text()):
        (finding,) = _certificates({"client_certificate": value}, now())
        assert (finding.verdict, "no certificate" in finding.detail) == (Verdict.FAILED, True)
