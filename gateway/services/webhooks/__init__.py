"""Telling departments' systems: their endpoints, and what is sent to them until it is heard."""
