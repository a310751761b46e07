"""How long a break, or an item, has stood: in bands of days."""

from __future__ import annotations

from datetime import date
from typing import Final

AGE_BANDS: Final = ((1, "0–1"), (3, "2–3"), (7, "4–7"), (14, "8–14"), (30, "15–30"))


def age_band(raised_for: date, today: date) -> str:
    """Name the ageing band, in days."""
    age_days = max(0, (today - raised_for).days)
    return next((name for limit, name in AGE_BANDS if age_days <= limit), ">30")
