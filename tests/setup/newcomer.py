"""A newcomer's first minutes, with the real packages: they need the package index, so CI alone runs it.

Started by `.ci/run` as `./run test tests/setup/newcomer.py`; the name keeps it out of the suite.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def played(program: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """The demo, played once in an empty home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "COSTCOMPASS_"))}
    demo = subprocess.run(
        [program, "demo", "--script"],
        cwd=home,
        env={**kept, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    return demo


@pytest.mark.timeout(600)
def test_the_first_command_works_from_a_fresh_checkout_with_an_empty_home(tmp_path):
    checkout, home = tmp_path / "a fresh checkout", tmp_path / "home"
    home.mkdir()
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, check=True, text=True)
    for name in filter(None, tracked.stdout.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, checkout / name)

    demo = played(checkout / "run", home)
    assert "/spend" in demo.stdout
    assert "/forecast" in demo.stdout
    assert demo.stderr.splitlines()[0].startswith("Setting up ")
    assert list(home.rglob("*costcompass*")) == [], "the demo leaves nothing behind"


@pytest.mark.timeout(600)
def test_pip_gives_a_command_that_works_anywhere(tmp_path):
    environment, elsewhere = tmp_path / "environment", tmp_path / "else where"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", REPOSITORY], check=True)
    demo = played(environment / "bin" / "costcompass", elsewhere)
    assert "/forecast" in demo.stdout
    assert list(elsewhere.iterdir()) == [], "the demo leaves nothing behind"
