"""What the description allows, and much that it does not, sent to a live server by schemathesis.

No 5xx, no status, header or content type that is not described, no answer that breaks its schema, nothing done
without a credential. Half of the requests name things that exist.
"""

from __future__ import annotations

import asyncio
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from gateway.api import finance_shapes
from gateway.api.openapi import describe

CASES = int(os.environ.get("MIZAN_SCHEMATHESIS_CASES", "25"))
SCHEMA = schemathesis.openapi.from_dict(describe())
OPERATIONS = [
    (path, method, mode)
    for path, item in sorted(describe()["paths"].items())
    for method, operation in sorted(item.items())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    # What takes nothing cannot be given anything wrong.
    if mode is GenerationMode.POSITIVE or "parameters" in operation or "requestBody" in operation
]
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
async def test_the_service_is_as_described(town, things, path, method, mode):
    operation = SCHEMA[path][method]
    whose = "treasury" if path.startswith(finance_shapes.PREFIX) else "economy"
    headers = {"Authorization": f"Bearer {town.keys[whose]}"}
    seen = []

    # The same requests in every run: a failure of today is a failure of tomorrow.
    @settings(
        max_examples=CASES, database=None, deadline=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def send(case, known):
        if known and "{id}" in path:
            case.path_parameters = {"id": things[path.split("/")[2]]}
        if known and path == finance_shapes.ONE:
            case.path_parameters = {"name": "trial-balance"}
        response = case.call(base_url=town.url, headers=headers)
        seen.append(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=headers)

    await asyncio.to_thread(send)
    assert set(seen) - {401, 429}  # it came past the door; a wrong credential is among what is not allowed
