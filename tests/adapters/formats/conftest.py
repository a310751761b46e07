import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from lxml import etree

HERE = Path(__file__).parent
SPECS = HERE.parents[3] / "shared" / "specs" / "iso20022"


@pytest.fixture(scope="session")
def paper() -> ModuleType:
    """Give the writers of example statements in `camt_paper.py`."""
    spec = importlib.util.spec_from_file_location("camt_paper", HERE / "camt_paper.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def schema() -> Callable[[str], etree.XMLSchema]:
    """Give the official schema of a message, such as `camt.053.001.08`."""

    def read(message: str) -> etree.XMLSchema:
        path = SPECS / f"{message}.xsd"
        if not path.is_file():
            pytest.skip(f"the official schema of {message} is not at hand (../shared/specs/iso20022)")
        return etree.XMLSchema(etree.parse(path))

    return read
