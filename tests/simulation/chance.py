"""Seeded randomness, in streams that do not disturb each other.

Every part of a world draws from a stream of its own name, so that a new fault in the network does not change which
citizen double-clicks.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable


class Chance:
    """The only source of randomness in a simulation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Return the stream of that name; asked again, the same one goes on."""
        if name not in self._streams:
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            self._streams[name] = random.Random(int.from_bytes(digest, "big"))
        return self._streams[name]

    def random_bytes(self, name: str) -> Callable[[int], bytes]:
        """Return what product code takes as `random_bytes`."""
        return self.stream(f"bytes of {name}").randbytes
