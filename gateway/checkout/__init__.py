"""The citizen's pages: pay, result, receipt, and the public check of a receipt."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
