"""A provider is one folder and one registry entry: the template, copied, passes the whole contract suite."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.manifest import SettingsError
from adapters.scaffold import new_provider, registry_entry

ROOT = Path(__file__).parents[2]

RUN = """
import sys
from importlib import import_module
import adapters, pytest
from adapters import registry

adapters.__path__.append({parent!r})
sample_pay, simulator = import_module("adapters.sample_pay"), import_module("adapters.sample_pay.simulator")
names = {{"Registered": registry.Registered, "sample_pay": sample_pay, "sample_pay_simulator": simulator}}
registry.PROVIDERS = eval("{{" + {entry!r} + "}}", names)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *{suites!r}]))
"""


def test_a_new_provider_is_one_folder_and_one_entry_and_passes_the_contract(tmp_path):
    written = new_provider("sample_pay", tmp_path)
    assert {path.relative_to(tmp_path).parts[0] for path in written} == {"sample_pay"}
    suites = [str(path) for path in sorted((ROOT / "tests/adapters").glob("test_contract*.py"))]
    script = RUN.format(parent=str(tmp_path), entry=registry_entry("sample_pay"), suites=suites)
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-2000:]
    passed = int(run.stdout.rsplit(" passed", 1)[0].split()[-1])
    assert passed > 60


def test_no_word_of_the_template_is_left(tmp_path):
    for path in new_provider("sample_pay", tmp_path):
        assert "template" not in path.read_text().lower(), path


@pytest.mark.parametrize("name", ["", "Upper", "a", "template", "../up", "two__lines", "9lives", "a-b", "x" * 30])
def test_a_name_nobody_can_import_is_refused(tmp_path, name):
    with pytest.raises(SettingsError):
        new_provider(name, tmp_path)


def test_an_existing_folder_is_never_written_over(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(SettingsError):
        new_provider("taken", tmp_path)
