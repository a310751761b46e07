"""The night's SQL, one module a topic. Nothing outside this package writes the schema `reconciliation`."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"
Record: TypeAlias = "asyncpg.Record"

WHOLE_FILE_TIMEOUT_S: Final = 3_600.0
"""What one statement over a file of a million lines may take; others have the pool's own limit."""
