"""What the tests of services share."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.gateway.services.listening import Department
from tests.gateway.services.nights import Night


@pytest.fixture
def night(town):
    return Night(town)


@pytest.fixture
async def department():
    listening = Department()
    app = web.Application()
    app.router.add_post("/hook", listening.receive)
    server = TestServer(app)
    await server.start_server()
    listening.url = str(server.make_url("/hook"))
    yield listening
    await server.close()
