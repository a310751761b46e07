"""The description as a page: all of it, from one address, with nothing loaded from anywhere."""

from __future__ import annotations

import re

from gateway.api.openapi import describe


async def test_the_page_shows_every_operation_and_loads_nothing(town):
    async with town.session.get(f"{town.url}/v1/docs") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert (answer.status, answer.content_type) == (200, "text/html")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert not re.findall(r"<(?:script|img|link|iframe)|(?:src|@import|url)\s*[=(]", page)
    assert set(re.findall(r'href="([^"#]+)', page)) == {"/v1/openapi.json"}
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    for path, item in describe()["paths"].items():
        for method, operation in item.items():
            assert f"<code>{path}</code>" in page
            assert f'<code class="{method}">' in page
            assert operation["summary"].replace("'", "&#39;") in page
