"""An export of six providers and two files before FOCUS's own validator, with the real packages.

Started by `.ci/focus_validator`; the name keeps it out of the suite. Of the validator's habits that
this minds: it is for Python 3.12 and newer; one of its files it looks for below the working
directory, where it also leaves a log; it exits with 0 whatever it finds.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from install import ROOT, Install
from standin_ledger import fill

PINS = ("focus-validator==2.2.1", "pyarrow<26")  # a newer pyarrow needs a NumPy that it forbids
VENV = ROOT / ".run" / "focus-validator"
UNAVOIDABLE = {"InvoiceId-C-005-C"}
"""Has to be null, and must not be null: two branches of an OR, of which one always fails."""


class Verdict(NamedTuple):
    """How many rules were looked at and skipped, and the names of those that failed."""

    rules: int
    skipped: int
    failed: set[str]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment that has the validator; it is made once and kept."""
    stamp = VENV / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(PINS):
        say(f"Installing {' and '.join(PINS)} into {VENV.relative_to(ROOT)} (631 MB) ...")
        run(find_python(), "-m", "venv", "--clear", VENV)
        run(VENV / "bin/python", "-m", "pip", "install", "--quiet", *PINS)
        stamp.write_text("\n".join(PINS))
    return VENV / "bin" / "python"


@pytest.fixture(scope="module")
def install(tmp_path_factory) -> Install:
    install = Install(tmp_path_factory.mktemp("ledger"))
    fill(install)
    return install


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(words, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def say(line: str) -> None:
    """Tell whoever started the script."""
    sys.stdout.write(f"\n{line}")
    sys.stdout.flush()


def find_python() -> Path:
    """Return the newest Python that really starts and is new enough."""
    names = ["python3.13", "python3.12"]
    found = [Path(one) for name in names if (one := shutil.which(name))]
    for version in ("3.13", "3.12"):
        found += Path.home().glob(f".pyenv/versions/{version}*/bin/python")
    ask = "import sys; sys.exit(sys.version_info < (3, 12))"
    for one in found:
        with suppress(OSError):
            if subprocess.run([one, "-c", ask], capture_output=True, check=False).returncode == 0:
                return one
    pytest.fail("focus-validator needs Python 3.12 or 3.13, and none is installed")


def judged(python: Path, file: Path, folder: Path) -> Verdict:
    """Validate a file from within an empty folder."""
    folder.mkdir()
    rules = run(python, "-c", "import focus_validator as one; print(one.__path__[0])").strip()
    (folder / "focus_validator" / "rules").mkdir(parents=True)
    shutil.copy(Path(rules, "rules", "currency_codes.csv"), folder / "focus_validator" / "rules")
    words = ("--validate-version", "1.2", "--block-download", "--output-type", "unittest")
    report = folder / "report.xml"
    run(
        python.parent / "focus-validator", "--data-file", file, *words,
        "--output-destination", report, cwd=folder,
    )  # fmt: skip
    cases = ET.parse(report).getroot().iter("testcase")
    found = {one.attrib["name"].partition(" ")[0]: {inner.tag for inner in one} for one in cases}
    verdict = Verdict(
        len(found),
        sum("skipped" in inner for inner in found.values()),
        {name for name, inner in found.items() if "failure" in inner or "error" in inner},
    )
    passed = verdict.rules - verdict.skipped - len(verdict.failed)
    say(
        f"{file.relative_to(folder.parent)}: {verdict.rules} rules, {passed} passed,"
        f" {verdict.skipped} skipped, {len(verdict.failed)} failed: {', '.join(sorted(verdict.failed))}"
    )
    return verdict


@pytest.mark.timeout(3600)
def test_csv_and_parquet_have_the_one_finding_that_every_file_has(python, install, tmp_path):
    words = ("export", "--format", "focus", "--subscriptions", "--out")
    table, lake = tmp_path / "focus.csv", tmp_path / "lake"
    for more in ((str(table),), (str(lake), "--parquet")):
        assert install.run(*words, *more).stderr == ""
    with table.open(newline="") as stream:
        kinds = Counter(
            (row["ChargeCategory"], row["BillingCurrency"]) for row in csv.DictReader(stream)
        )
    say("rows: " + ", ".join(f"{count} {' '.join(kind)}" for kind, count in sorted(kinds.items())))
    files = [table, *sorted(lake.rglob("*.parquet"))]
    for number, file in enumerate(files):
        verdict = judged(python, file, tmp_path / f"{number}")
        assert verdict.failed == UNAVOIDABLE
        assert verdict.rules - verdict.skipped > 100
    assert len(files) > 2


@pytest.mark.timeout(3600)
def test_a_file_that_is_wrong_is_found_out(python, install, tmp_path):
    broken = tmp_path / "broken.csv"
    rows = list(csv.DictReader(install.run("export", "--format", "focus").stdout.splitlines()))
    with broken.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, "BillingCurrency": "Dollars", "ServiceName": ""} for row in rows)
    failed = judged(python, broken, tmp_path / "broken").failed
    assert any(name.startswith("BillingCurrency-") for name in failed)
    assert any(name.startswith("ServiceName-") for name in failed)
