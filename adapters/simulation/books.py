"""How a simulator keeps its book: SQLite that outlives the process, and a file another process may read meanwhile."""

from __future__ import annotations

import sqlite3


def open_book(path: str, schema: str) -> sqlite3.Connection:
    """Open a book, made by its schema where it is new; every statement commits by itself."""
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA busy_timeout = 5000")
    # A killed process loses nothing; only a machine that loses its power may lose the last moments of a simulation.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(schema)
    return database
