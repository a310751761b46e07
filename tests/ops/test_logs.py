import io
import json
import logging

import pytest
import structlog

from ops.logs import configure_logs, scrub


@pytest.mark.parametrize(
    "secret",
    [
        "Bearer abc.def",
        "eyJhbGciOi.eyJzdWIi.sig",
        "whsec_c2VjcmV0",
        "mzn_test_abcdef",
        "someone@example.org",
        "4111 1111 1111 1111",
        "/pay/AbCdEfGhIjKlMnOpQrStUvWx",
    ],
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(secret):
    assert secret not in json.dumps(scrub({"a": [f"before {secret} after"]}))


def test_keys_that_name_a_secret_hide_their_value():
    assert scrub({"payer_email": "x", "reference": "TL-1"}) == {"payer_email": "(hidden)", "reference": "TL-1"}


def test_our_lines_and_the_libraries_lines_are_json_with_the_correlation_id():
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        configure_logs("info", process="web", stream=stream)
        structlog.contextvars.bind_contextvars(correlation="c-1")
        structlog.get_logger().info("intent created", intent="pi_1", token="canary")
        logging.getLogger("library").warning("wrote to someone@example.org\nforged line")
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        root.handlers[:], root.level = before
        structlog.contextvars.clear_contextvars()
        structlog.reset_defaults()
    assert [line["event"] for line in lines] == ["intent created", "wrote to (hidden)\nforged line"]
    assert all(line["correlation"] == "c-1" and line["process"] == "web" for line in lines)
    assert "canary" not in stream.getvalue()
