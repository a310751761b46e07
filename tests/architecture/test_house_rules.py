"""The rules of the house that no linter knows, held over every tracked file."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from adapters.contract import Method

ROOT = Path(__file__).parents[2]
PACKAGES = ("ledger", "adapters", "gateway", "reconciliation", "ops")


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    if not any(listed):  # a source archive has no history
        return [path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


PRODUCT = [path for path in _tracked("*.py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _calls(tree: ast.AST) -> list[tuple[str, int]]:
    return [(ast.unparse(node.func), node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_modules_keep_to_a_reading_size():
    long = {_name(path): n for path in _tracked("*.py") if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_grab_bag_names():
    grab_bags = {"util", "utils", "common", "helper", "helpers", "misc", "core", "base"}
    assert [_name(path) for path in PRODUCT if grab_bags & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_nothing_is_left_unfinished():
    words = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X|HA" + r"CK)\b|NotImplemented" + "Error")
    found = [
        f"{_name(path)}:{number}"
        for path in _tracked("*.py", "*.sql", "*.html", "*.css", "*.js")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_time_randomness_and_environment_are_passed_in():
    """Only the named modules touch the machine; everything else can run on virtual time."""
    allowed = {
        "ops/settings.py", "ops/clock.py", "ops/wiring.py", "ops/postgres.py", "ops/processes.py",
    }  # fmt: skip
    forbidden = re.compile(
        r"(datetime|date)\.(now|utcnow|today)|time\.time(_ns)?|uuid\.uuid\d|uuid4|secrets\.\w+|os\.urandom"
        r"|os\.getenv|os\.environ\.get|random\.\w+"
    )
    found = []
    for path in PRODUCT:
        if _name(path) in allowed or "/bench/" in _name(path):
            continue
        tree = ast.parse(path.read_text())
        found += [f"{_name(path)}:{line} {call}" for call, line in _calls(tree) if forbidden.fullmatch(call)]
        found += [
            f"{_name(path)}:{node.lineno} os.environ"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ"
        ]
    assert found == []


def test_sql_is_assembled_from_literals_only():
    """No value ever reaches the text of a statement: what is formatted into one is a constant of the code."""
    methods = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "cursor", "prepare", "copy_from_query"}
    found = []
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods):
                continue
            statement = node.args[0] if node.args else None
            if isinstance(statement, ast.JoinedStr):
                parts = [part.value for part in statement.values if isinstance(part, ast.FormattedValue)]
                if any(not (isinstance(part, ast.Name) and part.id.lstrip("_").isupper()) for part in parts):
                    found.append(f"{_name(path)}:{node.lineno}")
            elif isinstance(statement, (ast.BinOp,)) and not isinstance(statement.op, ast.Add):
                found.append(f"{_name(path)}:{node.lineno}")
    assert found == []


def test_no_provider_is_named_outside_its_folder_and_the_registry():
    # A method's own name may be a provider's too: it is a word of the contract that everybody speaks.
    words = {"template", *(method.value for method in Method)}
    providers = [p.name for p in (ROOT / "adapters").iterdir() if (p / "manifest.py").exists() and p.name not in words]
    found = [
        f"{_name(path)} names {provider}"
        for path in PRODUCT
        if path.relative_to(ROOT).parts[0] in ("ledger", "gateway", "reconciliation")
        for provider in providers
        if re.search(rf"\b{provider}\b", path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "pattern", [r"index-url", r"find-links", r"https?://[^ \"']*/simple\b", r"/root/", r"file:///"]
)
def test_no_file_names_a_registry_or_a_machine(pattern):
    here = Path(__file__)
    texts = [p for p in _tracked() if p != here and p.suffix not in (".png", ".woff2", ".pdf", ".ico", ".xlsx", ".gz")]
    assert [_name(path) for path in texts if re.search(pattern, path.read_text(errors="ignore"))] == []


def test_requirements_are_pinned_with_hashes():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        pins = re.findall(r"^([a-z0-9][\w.-]*)==", text, re.MULTILINE)
        blocks = re.split(r"^(?=[a-z0-9][\w.-]*==)", text, flags=re.MULTILINE)[1:]
        assert len(pins) > 20
        assert all("--hash=sha256:" in block for block in blocks), name
