"""Providers that send back nothing of ours are told apart by the address they call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import CallbackNotice
from adapters.errors import CallbackRefusedError


class _Listens:
    """The town's provider, but for its callbacks: they are told by their path."""

    def __init__(self, provider):
        self._provider = provider
        self.heard = []

    def __getattr__(self, name):
        return getattr(self._provider, name)

    def read_callback(self, headers, _body):
        self.heard.append([value for name, value in headers.items() if name == ":path"])
        path = headers[":path"]
        if not path.endswith("/key"):
            raise CallbackRefusedError("another address")
        return [CallbackNotice(path, None, None, "told")]


@pytest.mark.parametrize(("path", "status"), [("", 401), ("/pa_01/key", 200), ("/pa%2F01/x/key", 200), ("/other", 401)])
async def test_the_adapter_reads_the_path_it_was_called_at(town, path, status):
    listens = _Listens(town.deps.providers["ngenius"])
    town.deps.providers["ngenius"] = listens
    async with town.session.post(f"{town.url}/callbacks/ngenius{path}", data=b"{}") as answer:
        assert answer.status == status
    assert listens.heard == [[f"/callbacks/ngenius{path}"]]


async def test_the_reference_under_which_money_came_is_the_one_that_is_kept(town):
    """Some providers name a payment anew when it is paid; reports and refunds then speak of that name."""
    intent = await town.intent()
    await town.start(intent)
    before = (await town.attempt_of(intent))["provider_reference"]
    provider = town.deps.providers["ngenius"]

    class Renames:
        def __getattr__(self, name):
            return getattr(provider, name)

        async def query(self, order, provider_reference):
            report = await provider.query(order, provider_reference)
            return replace(report, provider_reference="RECEIPT1") if report.captured else report

    town.deps.providers["ngenius"] = Renames()
    await town.pay(intent)
    await town.work()
    assert before is not None
    assert (await town.attempt_of(intent))["provider_reference"] == "RECEIPT1"
    rows = await town.deps.pool.fetch("SELECT DISTINCT provider_reference FROM ledger.postings")
    assert [row["provider_reference"] for row in rows] == ["RECEIPT1"]
