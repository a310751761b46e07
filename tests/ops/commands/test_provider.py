"""Listing, checking and starting providers from the command line."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from aiohttp import web
from click.testing import CliRunner

from adapters import registry
from ops.commands.provider import provider_group

NAME = min(registry.PROVIDERS)


@pytest.fixture
def run(monkeypatch, tmp_path):
    def call(*arguments: str, **settings: str):
        monkeypatch.setenv("MIZAN_HOME", str(tmp_path / "home"))
        for key, value in settings.items():
            monkeypatch.setenv(f"MIZAN_PROVIDER_{NAME}__{key}".upper(), value)
        result = CliRunner().invoke(provider_group, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return call


@pytest.fixture
def simulator():
    """Serve the first provider's simulator from a thread, since the command runs a loop of its own."""
    started, ended = threading.Event(), asyncio.Event()
    serving: dict = {}

    async def serve() -> None:
        app = registry.PROVIDERS[NAME].simulator(clock=lambda: datetime(2026, 11, 22, tzinfo=UTC), random_bytes=bytes)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        serving.update(port=runner.addresses[0][1], loop=asyncio.get_running_loop())
        started.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    yield {"base_url": f"http://127.0.0.1:{serving['port']}", **registry.PROVIDERS[NAME].simulator_settings}
    serving["loop"].call_soon_threadsafe(ended.set)
    thread.join()


def test_every_provider_is_listed_with_what_it_can_do(run):
    code, output = run("list")
    assert code == 0
    for name, registered in registry.PROVIDERS.items():
        (line,) = [line for line in output.splitlines() if line.startswith(name)]
        assert "not configured" in line
        assert all(capability in line for capability in registered.manifest.capabilities)


def test_a_configured_provider_is_asked(run, simulator):
    code, output = run("check", NAME, **simulator)
    assert (code, "answers" in output) == (0, True)
    code, output = run("list", "--health", **simulator)
    (line,) = [line for line in output.splitlines() if line.startswith(NAME)]
    assert "configured" in line
    assert "answers" in line


def test_one_that_does_not_answer_fails_the_check(run, unused_tcp_port):
    settings = {"base_url": f"http://127.0.0.1:{unused_tcp_port}", **registry.PROVIDERS[NAME].simulator_settings}
    code, output = run("check", NAME, **settings)
    assert (code, "does not answer" in output) == (1, True)
    assert all(value not in output for value in registry.PROVIDERS[NAME].simulator_settings.values() if len(value) > 8)


def test_what_is_missing_is_named(run):
    code, output = run("check", NAME)
    assert (code, f"MIZAN_PROVIDER_{NAME.upper()}__BASE_URL" in output) == (1, True)
    code, output = run("check", "nobody")
    assert (code, "is not a provider" in output) == (1, True)


def test_a_wrong_setting_is_named(run):
    code, output = run("check", NAME, base_url="http://127.0.0.1:9", surprise="x")
    assert (code, "surprise" in output) == (1, True)


def test_a_folder_is_started_once(run, tmp_path):
    code, output = run("new", "sample_pay", "--folder", str(tmp_path))
    assert (code, "Registered(" in output) == (0, True)
    assert (tmp_path / "sample_pay" / "client.py").is_file()
    assert run("new", "sample_pay", "--folder", str(tmp_path))[0] == 1
