"""A bank that behaves, and misbehaves on command."""

from adapters.bank_host.simulator.app import build_app

__all__ = ["build_app"]
