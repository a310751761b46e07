"""`mizan catalogue` and `mizan tariff`, as an administrator types them."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from click.testing import CliRunner

from gateway.deps import build_deps
from ops.commands.catalogue import catalogue_command, tariff_command

_NUMBERS = itertools.count(1)

DEPARTMENTS = (
    "code,name_en,name_ar,return_origins\r\n"
    "economy,Economy,الاقتصاد,https://economy.example.ae\r\nhealth,Health,الصحة,\r\n"
)
SERVICES = """\
code,department,name_en,name_ar,revenue_code,amount_minor,audience,channels,documents_en,documents_ar,depends_on
licence,economy,Licence,رخصة,411,10500,business citizens,web counter,Passport | Photo,جواز | صورة,
kitchen,health,Kitchen permit,تصريح مطبخ,412,,business,web,,,licence
"""
BUNDLES = """\
code,department,name_en,name_ar,description_en,description_ar,services
restaurant,economy,Start a restaurant,افتح مطعمًا,All at once,كل شيء دفعة واحدة,licence kitchen*2
"""
SENIOR = [
    {
        "code": "senior", "names": {"ar": "كبار السن", "en": "Seniors"}, "when": {"senior": True}, "basis_points": 5000,
        "legal_basis": "Law 3", "approver": "The Council",
    }
]  # fmt: skip
TARIFFS = [
    {
        "service": "licence", "effective_on": "2026-01-01", "legal_basis": "Law 1", "kind": "fixed",
        "amount_minor": 20000, "concessions": SENIOR,
    },
    {
        "service": "kitchen", "effective_on": "2026-01-01", "legal_basis": "Law 2", "kind": "tiers",
        "bands": [{"up_to": 2, "unit_minor": 500}, {"unit_minor": 400}], "vat_basis_points": 500, "vat_included": False,
    },
]  # fmt: skip


@pytest.fixture
def run(postgres_server, template_database, tmp_path, monkeypatch):
    """Run a command line against a database of its own; the command brings its own event loop."""
    monkeypatch.chdir(tmp_path)
    name = f"mizan_catalogue_{os.getpid()}_{next(_NUMBERS)}"
    url = urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))

    async def administer(statement):
        connection = await asyncpg.connect(postgres_server)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(administer(f"CREATE DATABASE {name} TEMPLATE {template_database}"))

    @asynccontextmanager
    async def open_deps():
        async with asyncpg.create_pool(url, min_size=1, max_size=3, server_settings={"role": "mizan_service"}) as pool:
            yield build_deps(
                pool=pool, clock=lambda: datetime(2026, 11, 23, 1, 0, tzinfo=UTC), random_bytes=os.urandom,
                providers={}, routing={}, public_url="", link_secrets=(b"x",), webhook_session=None,
            )  # fmt: skip

    def command(*arguments, fails=False):
        build = catalogue_command if arguments[0] == "catalogue" else tariff_command
        result = CliRunner().invoke(build(open_deps), arguments[1:])
        assert (result.exit_code != 0) == fails, result.output
        return result.output

    (tmp_path / "departments.csv").write_text(DEPARTMENTS, encoding="utf-8-sig")
    (tmp_path / "services.csv").write_text(SERVICES)
    (tmp_path / "bundles.csv").write_text(BUNDLES)
    (tmp_path / "tariffs.json").write_text(json.dumps(TARIFFS))
    yield command
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


FILES = ("--departments", "departments.csv", "--services", "services.csv", "--bundles", "bundles.csv")


def enact(run):
    run("catalogue", "import", *FILES)
    run("tariff", "propose", "tariffs.json", "--by", "maryam", "--reason", "first schedule")
    run("tariff", "approve", "--all", "--by", "khalid")


def test_a_dry_run_changes_nothing(run):
    assert "2 departments, 2 services, 1 bundles would be imported" in run("catalogue", "import", *FILES, "--dry-run")
    assert "there is no department economy" in run("catalogue", "import", *FILES[2:], fails=True)


def test_every_bad_line_is_reported(run, tmp_path):
    (tmp_path / "services.csv").write_text(
        SERVICES.replace("411,10500", "411,free").replace("business,web,,,licence", "business,fax,,,licence")
    )
    said = run("catalogue", "import", *FILES, fails=True)
    assert "services line 2, amount_minor:" in said
    assert "services line 3, channels:" in said
    assert "bundles line 2, services: there is no service licence" in said


def test_what_is_exported_imports_again_to_the_same(run, tmp_path):
    enact(run)
    for form in ("csv", "json"):
        run("catalogue", "export", form, "--format", form)
        again = [f"--{table}={form}/{table}.{form}" for table in ("departments", "services", "bundles")]
        assert "2 departments, 2 services, 1 bundles imported" in run("catalogue", "import", *again)
        run("catalogue", "export", "again", "--format", form)
        for table in ("departments", "services", "bundles", "tariffs"):
            name = f"{table}.{form}"
            assert (tmp_path / form / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        tariffs = ("tariff", "propose", f"{form}/tariffs.{form}", "--by", "m", "--reason", "r", "--dry-run")
        said = run(*tariffs, fails=True)
        assert said.count("effective_on: a version that begins on this day is approved already") == 2
    services = json.loads((tmp_path / "json" / "services.json").read_text())
    assert services[0]["documents_ar"] == "جواز | صورة"


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_a_tariff_that_could_never_be_approved_is_not_proposed(run, tmp_path, how):
    enact(run)
    rows = [{**TARIFFS[0], "effective_on": day} for day in ("2026-01-01", "2026-02-01", "2026-11-23", "2026-11-24")]
    (tmp_path / "tariffs.json").write_text(json.dumps(rows))
    said = run("tariff", "propose", "tariffs.json", "--by", "maryam", "--reason", "x", *how, fails=True)
    assert [line for line in said.splitlines() if line.startswith("tariffs")] == [
        "tariffs line 1, effective_on: a version that begins on this day is approved already",
        "tariffs line 2, effective_on: this service has a tariff; another cannot begin on a day that has begun",
        "tariffs line 3, effective_on: this service has a tariff; another cannot begin on a day that has begun",
    ]
    assert run("tariff", "list") == ""


def test_lines_are_counted_as_an_editor_does(run, tmp_path):
    (tmp_path / "departments.csv").write_text(
        'code,name_en,name_ar\n\nhealth,"Health\nand care",الصحة\n\nBAD,"x",\n', newline=""
    )
    said = run("catalogue", "import", "--departments", "departments.csv", fails=True)
    assert [line.partition(":")[0] for line in said.splitlines() if line.startswith("departments")] == [
        "departments line 3, name_en", "departments line 6, code", "departments line 6, name_ar",
    ]  # fmt: skip


def test_all_that_is_wrong_with_a_row_is_told_at_once(run, tmp_path):
    (tmp_path / "services.csv").write_text(
        "code,department,name_en,name_ar,revenue_code,amount_minor,currency,active,channels,price\n"
        "A B,,,رخصة,411,free,XYZ,perhaps,fax,1\n"
    )
    said = run("catalogue", "import", "--services", "services.csv", fails=True)
    faults = [line.partition(":")[0].rpartition(" ")[2] for line in said.splitlines() if line.startswith("services")]
    assert faults == ["price", "code", "department", "name_en", "currency", "amount_minor", "active", "channels"]
    row = {"service": "licence", "effective_on": "soon", "kind": "fixed", "amount_minor": "x", "basis_points": 5}
    (tmp_path / "tariffs.json").write_text(json.dumps([{**row, "vat_basis_points": "y"}]))
    said = run("tariff", "propose", "tariffs.json", "--by", "m", "--reason", "x", fails=True)
    faults = [line.partition(":")[0].rpartition(" ")[2] for line in said.splitlines() if line.startswith("tariffs")]
    assert faults == ["effective_on", "legal_basis", "basis_points", "amount_minor", "vat_basis_points"]


def test_a_tariff_takes_two_people(run):
    run("catalogue", "import", *FILES)
    said = run("tariff", "propose", "tariffs.json", "--by", "maryam", "--reason", "first schedule")
    assert "licence  version 1  from 2026-01-01  proposed by maryam, to be approved: first schedule" in said
    assert sorted(run("tariff", "list").splitlines()) == sorted(said.splitlines())
    first, second = (line.split()[0] for line in said.splitlines())
    assert "a second person decides" in run("tariff", "approve", first, "--by", "maryam", fails=True)
    run("tariff", "approve", first, "--by", "khalid")
    run("tariff", "refuse", second, "--by", "khalid")
    assert run("tariff", "list") == ""
    assert "approved by khalid" in run("tariff", "list", "--service", "licence")
    assert "refused by khalid" in run("tariff", "list", "--service", "kitchen")
    run("tariff", "approve", "--by", "khalid", fails=True)


def test_every_bad_tariff_is_reported(run, tmp_path):
    run("catalogue", "import", *FILES)
    rows = [
        {**TARIFFS[0], "service": "nothing"},
        {**TARIFFS[0], "kind": "lottery"},
        {**TARIFFS[0], "effective_on": "soon"},
        {**TARIFFS[0], "basis_points": 5},
        {**TARIFFS[1], "bands": [{"up_to": 2}, {"up_to": 2}]},
        {**TARIFFS[0], "amout_minor": 5},
        TARIFFS[0],
        TARIFFS[0],
    ]
    (tmp_path / "tariffs.json").write_text(json.dumps(rows))
    said = run("tariff", "propose", "tariffs.json", "--by", "maryam", "--reason", "x", fails=True)
    faults = [line.partition(":")[0] for line in said.splitlines() if line.startswith("tariffs line")]
    assert faults == [
        f"tariffs line {line}"
        for line in (
            "1, service", "2, kind", "3, effective_on", "4, basis_points", "5, bands/1/up_to", "6, amout_minor",
            "8, effective_on",
        )
    ]  # fmt: skip
