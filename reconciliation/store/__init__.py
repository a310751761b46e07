"""The night's SQL, one module a topic. Nothing outside this package writes the schema `reconciliation`."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"
Record: TypeAlias = "asyncpg.Record"
