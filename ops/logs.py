"""Structured logs: one JSON line an event, with the correlation id, and nothing secret or personal in it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import msgspec
import structlog

_SECRET_KEYS: Final = re.compile(r"secret|password|authorization|api_?key|token|email|mobile|phone|iban", re.IGNORECASE)
_SECRET_TEXT: Final = re.compile(
    r"Bearer\s+\S+|Basic\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*|whsec_\S+|mzn_(?:test|live)_\w+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|(?<!\d)(?:\d[ -]?){13,19}(?!\d)|/pay/[\w-]{20,}"
)
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def scrub(value: object) -> object:
    """Hide whatever looks like a secret, a contact or a card number. The second wall: callers log ids to begin with."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub("(hidden)", value)
    if isinstance(value, dict):
        return {key: "(hidden)" if _SECRET_KEYS.search(str(key)) else scrub(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(each) for each in value]
    return value


def _scrubbed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        key: "(hidden)" if key != "event" and _SECRET_KEYS.search(key) else scrub(value) for key, value in event.items()
    }


def _json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def configure_logs(level: str, *, process: str, stream: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', through one pipe of processors to a stream (standard error)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _scrubbed, _json],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _scrubbed,
                _json,
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
