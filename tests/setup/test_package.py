"""The wheel and the source distribution, really built, installed and run where nothing else is ours."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import cli
from costcompass_core import __version__

ROOT = Path(__file__).resolve().parents[2]
STRANGER = "raise SystemExit('a stranger was imported')"
NEEDED_TO_BUILD_AND_RUN = {  # of a source distribution, beside the two packages
    "LICENSE",
    "README.md",
    "config.example.toml",
    "pyproject.toml",
    "requirements.lock",
    "run",
}


def build(source: Path, out: Path, *kinds: str) -> None:
    """Build with the pinned backend, in this environment: nothing is downloaded for it."""
    words = [sys.executable, "-P", "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run([*words, *kinds], cwd=source, check=True, capture_output=True)


def product() -> set[str]:
    """Every file of the two packages that is under version control or about to be."""
    return {
        str(path.relative_to(ROOT))
        for package in ("bot", "costcompass_core")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@dataclass(frozen=True)
class Packages:
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    out = tmp_path_factory.mktemp("built")
    build(ROOT, out)
    return Packages(next(out.glob("*.whl")), next(out.glob("*.tar.gz")))


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder that has nothing to do with us."""

    bin: Path
    elsewhere: Path

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.run(
            [self.bin / "costcompass", *words],
            cwd=self.elsewhere,
            env={**kept, "HOME": str(self.elsewhere), **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install as pip does; what the wheel depends on is taken from this environment."""
    home, elsewhere = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--quiet", packages.wheel], check=True)
    [site] = home.glob("lib/python*/site-packages")
    # Taken as a folder, so that the path of this checkout, which a file in it names, is not.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (elsewhere / "bot.py").write_text(STRANGER)
    (elsewhere / "costcompass_core.py").write_text(STRANGER)
    return Installed(home / "bin", elsewhere)


def test_the_wheel_holds_every_file_of_the_product_and_no_other(packages: Packages) -> None:
    with zipfile.ZipFile(packages.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == product()


def test_the_source_distribution_builds_the_same_wheel_to_the_byte(
    packages: Packages, tmp_path: Path
) -> None:
    with tarfile.open(packages.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    held = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert product() | NEEDED_TO_BUILD_AND_RUN <= held
    assert not {name for name in held if name.startswith((".git/", ".run/", "benchmarks/series/"))}

    build(source, tmp_path / "again", "-t", "wheel")
    assert (tmp_path / "again" / packages.wheel.name).read_bytes() == packages.wheel.read_bytes()


def test_installed_it_runs_from_a_folder_of_strangers(installed: Installed) -> None:
    version = installed.run("--version")
    assert version.stdout.startswith(f"costcompass {__version__} ("), version.stderr

    config = installed.elsewhere / "settings.toml"
    config.write_text((ROOT / "config.example.toml").read_text())
    checked = installed.run("--config", str(config), "check-config")
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    assert "good, 1 account" in checked.stdout


def test_installed_it_completes_words_in_bash(installed: Installed) -> None:
    script = installed.run("completion", "bash").stdout
    ask = 'COMP_WORDS=(costcompass ""); COMP_CWORD=1; _costcompass_completion costcompass; echo "${COMPREPLY[*]}"'
    answer = subprocess.run(
        ["bash", "-c", f"complete() {{ :; }}\n{script}\n{ask}"],
        cwd=installed.elsewhere,
        env={"PATH": f"{installed.bin}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(answer.stdout.split()) == set(cli.list_commands(None)), answer.stderr  # type: ignore[arg-type]
