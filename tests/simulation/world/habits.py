"""What citizens do beside paying."""

from __future__ import annotations

from enum import StrEnum


class Habit(StrEnum):
    """Each value is the name under which the habit is counted."""

    PLAIN = "pays"
    DOUBLE_CLICK = "clicks twice"
    TWO_TABS = "pays in two tabs"
    BACK = "goes back and pays again"
    ABANDON = "leaves at the card page"
    DECLINED_FIRST = "is declined, then pays"
    SECOND_CARD = "is declined, then tries another card on the same page"
    RELOAD = "reloads everything"
    LATE = "pays after the time is over"
    CANCEL = "presses cancel"
    IMPATIENT = "presses pay again and again"
