"""Providers' wires translated into Mizan's words and back. No database, no posting, no department."""
