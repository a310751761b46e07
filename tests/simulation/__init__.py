"""Mizan under faults, on virtual time: one seed is one world, and the same seed is the same world every time."""
