"""Routing and drains from the command line, over a real database."""

from __future__ import annotations

import asyncio
import threading

import pytest
from click.testing import CliRunner

from adapters import registry
from adapters.contract import Method
from ops.cli import main

CARD = sorted(name for name, each in registry.PROVIDERS.items() if Method.CARD in each.manifest.methods)
HEADING = "method,department,service,currency,amount_from,amount_to,scheme,language,providers\n"


@pytest.fixture
def run(monkeypatch, tmp_path, database_url):
    monkeypatch.setenv("MIZAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    for name in CARD:
        for key, value in {"base_url": "http://127.0.0.1:9", **registry.PROVIDERS[name].simulator_settings}.items():
            monkeypatch.setenv(f"MIZAN_PROVIDER_{name}__{key}".upper(), value)

    def call(*arguments: str) -> tuple[int, str]:
        """Run a command in a thread of its own, since it runs a loop of its own."""
        found: dict = {}

        def go() -> None:
            found["result"] = CliRunner().invoke(main, arguments)

        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        result = found["result"]
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    async def asynchronously(*arguments: str) -> tuple[int, str]:
        return await asyncio.to_thread(call, *arguments)

    return asynchronously


async def test_rules_are_rehearsed_imported_and_shown_as_they_were(run, tmp_path):
    code, output = await run("routing", "show")
    assert (code, "no rules" in output) == (0, True)
    file = tmp_path / "rules.csv"
    line = f"card,,,AED,5.00,,,,{CARD[0]}:9 {CARD[1]}:1 > {CARD[0]}:1\n"
    file.write_text(HEADING + line, "utf-8")
    code, output = await run("routing", "import", str(file), "--dry-run")
    assert (code, output) == (0, "1 rules are good; nothing was changed\n")
    code, output = await run("routing", "import", str(file), "--by", "noor")
    assert (code, output) == (0, "version 1 is in force: 1 rules\n")
    code, output = await run("routing", "show")
    assert (code, "version 1 by noor" in output, line in output) == (0, True, True)


async def test_what_is_wrong_in_a_file_is_said_line_by_line(run, tmp_path):
    file = tmp_path / "rules.csv"
    file.write_text(HEADING + "card,,,AED,5.00,,,,somebody\ncash,,,,,,,,none\n", "utf-8")
    code, output = await run("routing", "import", str(file))
    assert code == 1
    assert "line 2, providers: somebody is not configured for card" in output
    assert "line 3, method: one of card" in output
    assert "nothing was changed" in output
    file.write_bytes(b"\xff\xfe")
    code, output = await run("routing", "import", str(file))
    assert (code, "not a CSV file" in output) == (1, True)


async def test_a_provider_is_drained_listed_as_drained_and_resumed(run):
    code, output = await run("provider", "drain", CARD[0], "--until", "23:59")
    assert (code, f"{CARD[0]} gets no new payments until" in output, "0 are under way" in output) == (0, True, True)
    code, output = await run("provider", "list")
    lines = {line.split()[0]: line for line in output.splitlines()}
    assert "drained until" in lines[CARD[0]]
    assert "given" in lines[CARD[1]]
    code, output = await run("provider", "drain", CARD[1])
    assert (code, "nobody is left for card" in output) == (0, True)
    code, output = await run("provider", "resume", CARD[0])
    assert (code, output) == (0, f"{CARD[0]} gets new payments again\n")
    assert "drained until" not in (await run("provider", "list"))[1]


async def test_a_drain_of_nobody_or_until_nonsense_is_refused(run):
    code, output = await run("provider", "drain", "nobody")
    assert (code, "not a configured provider" in output) == (1, True)
    for until in ("soon", "25:00", "2026-01-01T00:00"):
        code, output = await run("provider", "drain", CARD[0], "--until", until)
        assert (code, "Error" in output) == (1, True)
