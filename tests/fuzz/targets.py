"""Every reader of bytes that come from outside, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.fuzz import file_targets, wire_targets
from tests.fuzz.target import Target

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target for target in (*file_targets.TARGETS, *wire_targets.TARGETS)
}
