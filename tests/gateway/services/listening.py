"""A department's system that listens for webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Department:
    """A department's endpoint: keeps what comes and answers as told."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[tuple[dict[str, str], dict]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def receive(self, request):
        body = await request.read()
        self.bodies.append(body)
        self.received.append((dict(request.headers), await request.json()))
        status, headers = self.answers.pop(0) if self.answers else (204, {})
        return web.Response(status=status, headers=headers)

    def types(self):
        return [document["type"] for _, document in self.received]


async def subscribe(town, department, key=None):
    answer = await town.ask("POST", "/v1/webhook-endpoints", {"url": department.url}, key=key)
    assert answer.status == 201, answer.body
    return answer.body
