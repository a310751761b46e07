"""What only the simulator has: a card terminal's charge that is settled or taken back, and a refund that comes back."""

import pytest
from aiohttp.test_utils import TestServer

from adapters.adyen.simulator import API_KEY, MERCHANT_ACCOUNT, build_app
from adapters.http import open_session


@pytest.fixture
async def lever(clock, random_bytes):
    server = TestServer(build_app(clock=clock, random_bytes=random_bytes))
    await server.start_server()
    async with open_session() as session:

        async def send(method, path, body=None, status=200):
            headers = {"X-API-Key": API_KEY}
            async with session.request(method, server.make_url(path), json=body, headers=headers) as answer:
                assert answer.status == status, await answer.text()
                return await answer.json()

        yield send
    await server.close()


async def test_a_terminals_charge_is_settled_under_the_reference_on_its_slip(lever, clock):
    slip = await lever("POST", "/simulator/terminal", {"amount_minor": 10_500, "currency": "AED"})
    assert len(slip["reference"]) == 16
    assert slip["approval_code"] == slip["reference"][:6]
    taken_back = await lever("POST", "/simulator/terminal", {"amount_minor": 7_700, "currency": "AED"})
    await lever("POST", "/simulator/terminal/void", {"reference": taken_back["reference"]})
    await lever("POST", "/simulator/terminal/void", {"reference": taken_back["reference"]}, status=404)
    await lever("POST", "/simulator/close", {"date": f"{clock():%Y-%m-%d}"})
    movements = (await lever("GET", "/simulator/book"))["movements"]
    assert [(row["psp_reference"], row["success"], row["batch"]) for row in movements] == [
        (slip["reference"], 1, 1),
        (taken_back["reference"], 0, None),
    ]
    await lever("POST", "/simulator/terminal/void", {"reference": slip["reference"]}, status=404)


async def test_a_refund_comes_back_once_and_may_be_told_again_until_it_is_settled(lever, clock):
    slip = await lever("POST", "/simulator/terminal", {"amount_minor": 10_500, "currency": "AED"})
    for reference in ("re_1", "re_2"):
        asked = {
            "merchantAccount": MERCHANT_ACCOUNT,
            "reference": reference,
            "amount": {"currency": "AED", "value": 1_000},
        }
        await lever("POST", f"/payments/{slip['reference']}/refunds", asked, status=201)
    first = await lever("POST", "/simulator/fail-refund", {"reference": "re_1"})
    assert await lever("POST", "/simulator/fail-refund", {"reference": "re_1"}) == first
    await lever("POST", "/simulator/close", {"date": f"{clock():%Y-%m-%d}"})
    await lever("POST", "/simulator/fail-refund", {"reference": "re_2"}, status=404)
    movements = (await lever("GET", "/simulator/book"))["movements"]
    assert [row["success"] for row in movements] == [1, 0, 1]
