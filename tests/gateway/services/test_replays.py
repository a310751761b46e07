"""What an endpoint missed, or heard before, is delivered again on request."""

from __future__ import annotations

from gateway.services.webhooks import manage_webhooks
from tests.gateway.services.listening import subscribe


async def missed(town, department):
    """Let two things happen while the endpoint is disabled; return its path and the events."""
    endpoint = await subscribe(town, department)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    await town.ask("POST", f"{path}/disable")
    for _ in range(2):
        await town.intent()
        town.clock.advance(minutes=1)
    await town.work()
    events = (await town.ask("GET", "/v1/events")).body["data"]
    early = await town.ask("POST", f"{path}/replay", {"event": events[0]["id"]})
    assert (early.status, "enable it" in early.body["detail"]) == (409, True)
    await town.ask("POST", f"{path}/enable")
    assert department.received == []
    return path, events


async def test_an_event_that_came_while_the_endpoint_was_disabled_is_delivered_on_request(town, department):
    path, events = await missed(town, department)
    replayed = await town.ask("POST", f"{path}/replay", {"event": events[0]["id"]})
    assert (replayed.status, replayed.body["queued"]) == (202, 1)
    await town.work()
    assert [headers["webhook-id"] for headers, _ in department.received] == [events[0]["id"]]


async def test_a_time_in_which_the_endpoint_was_disabled_is_delivered_part_by_part(town, department, monkeypatch):
    path, events = await missed(town, department)
    monkeypatch.setattr(manage_webhooks, "REPLAYED_MAX", 1)
    asked, answers = {"created_from": "2026-11-22T06:00:00Z", "created_before": "2026-11-22T06:01:30Z"}, []
    for _ in range(3):
        answers.append((await town.ask("POST", f"{path}/replay", asked)).body)
        asked["cursor"] = answers[-1]["next_cursor"]
        if asked["cursor"] is None:
            break
    assert [answer["queued"] for answer in answers] == [1, 1, 0]
    await town.work()
    assert [headers["webhook-id"] for headers, _ in department.received] == [event["id"] for event in events]


async def test_what_is_not_there_or_another_s_is_not_replayed(town, department):
    path, events = await missed(town, department)
    other = await town.ask("POST", "/v1/webhook-endpoints", {"url": department.url + "?roads"}, department="roads")
    tested = (await town.ask("POST", f"{path}/test")).body["id"]
    second = await town.ask("POST", "/v1/webhook-endpoints", {"url": department.url + "?second"})
    for endpoint, event, who in (
        (path, "ev_" + "0" * 26, "economy"),
        (f"/v1/webhook-endpoints/{other.body['id']}", events[0]["id"], "roads"),
        (f"/v1/webhook-endpoints/{second.body['id']}", tested, "economy"),
    ):
        answer = await town.ask("POST", f"{endpoint}/replay", {"event": event}, department=who)
        assert (answer.status, answer.body["code"]) == (404, "not_found")
    since = {"created_from": "2026-11-22T06:00:00Z"}
    assert (await town.ask("POST", f"/v1/webhook-endpoints/{second.body['id']}/replay", since)).body["queued"] == 2


async def test_what_was_delivered_is_delivered_again_from_an_instant_on(town, department):
    endpoint = await subscribe(town, department)
    await town.intent()
    await town.work()
    town.clock.advance(minutes=5)
    since = town.clock()
    await town.intent()
    await town.work()
    again = await town.ask(
        "POST", f"/v1/webhook-endpoints/{endpoint['id']}/replay", {"created_from": since.isoformat()}
    )
    assert again.body["queued"] == 1
    await town.work()
    ids = [headers["webhook-id"] for headers, _ in department.received]
    assert ids[2:] == [ids[1]]
