"""A bank that behaves, and misbehaves on command."""

from typing import Final

from adapters.bank_host.simulator.app import DEFAULT_API_KEY, build_app

__all__ = ["SETTINGS", "build_app"]

SETTINGS: Final = {"api_key": DEFAULT_API_KEY}
"""What the adapter needs beside `url` to talk to this simulator as it is built by default."""
