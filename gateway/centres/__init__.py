"""The pages of service centres: agents sign in, take payments for citizens, and cash up."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
