"""`run`, the real script, in small checkouts whose locks name wheels made here: no network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-check.lock")
BOT = """
import json, os, sys
import bot, tiny_runtime
print(json.dumps([sys.argv[1:], os.getcwd(), bot.__file__, os.getpid()]))
sys.exit(7 if "fail" in sys.argv else 0)
"""


@dataclass(frozen=True)
class Checkout:
    """A folder with `run`, locks of tiny packages, and a `bot` that tells how it was started."""

    root: Path
    wheels: Path

    def start(
        self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        pip = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }
        return subprocess.Popen(
            [sys.executable, self.root / "run", *words],
            cwd=cwd or self.root,
            env={**os.environ, **pip, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **how) -> tuple[int, str, str]:
        process = self.start(*words, **how)
        return finished(process)

    def lock(self, *per_level: list[str]) -> None:
        pins: list[str] = []
        for name, added in zip(LOCKS, per_level, strict=True):
            pins += [self.pin(package) for package in added]
            (self.root / name).write_text("\n".join(pins) + "\n")

    def pin(self, package: str) -> str:
        """Make a wheel of one empty module, and its line in a lock."""
        wheel = self.wheels / f"{package}-1.0-py3-none-any.whl"
        info = f"{package}-1.0.dist-info"
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{package}.py", "")
            archive.writestr(f"{info}/WHEEL", tag)
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return f"{package}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"

    def moved(self, to: Path) -> "Checkout":
        """The same, environment included, in another place."""
        shutil.copytree(self.root, to / "moved out", symlinks=True)
        return Checkout(to / "moved out", self.wheels)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    spaced = tmp_path_factory.mktemp("a folder with spaces")
    checkout = Checkout(spaced / "check out", tmp_path_factory.mktemp("wheels"))
    for package, main in {"bot": BOT, "benchmarks": "import tiny_runtime, tiny_test"}.items():
        (checkout.root / package).mkdir(parents=True)
        (checkout.root / package / "__init__.py").touch()
        (checkout.root / package / "__main__.py").write_text(main)
    shutil.copy(REPOSITORY / "run", checkout.root)
    checkout.lock(["tiny_runtime"], ["tiny_test"], ["tiny_check"])
    return checkout


@pytest.fixture(scope="module")
def first_runs(new: Checkout) -> list[tuple[int, str, str]]:
    """What two runs said that were started at once, before there was an environment."""
    return [finished(process) for process in [new.start("one"), new.start("two")]]


@pytest.fixture
def built(new: Checkout, first_runs: object) -> Checkout:
    return new


def test_two_first_runs_at_once_both_work_and_say_one_line(first_runs):
    for (code, out, err), word in zip(first_runs, ["one", "two"], strict=True):
        assert (code, json.loads(out)[0]) == (0, [word]), err
        assert err.startswith("Setting up ")
        assert err.count("\n") == 1


def test_a_later_run_is_silent_and_becomes_the_program_in_the_callers_folder(built, tmp_path):
    (tmp_path / "bot.py").write_text("raise SystemExit('a stranger was imported')")
    process = built.start("fail", "two words", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    code, out, err = finished(process)
    expected = [
        ["fail", "two words"],
        str(tmp_path),
        str(built.root / "bot/__init__.py"),
        process.pid,
    ]
    assert (code, json.loads(out), err) == (7, expected, "")


def test_alone_it_explains_itself_without_building_anything(tmp_path):
    shutil.copy(REPOSITORY / "run", tmp_path)
    code, out, err = Checkout(tmp_path, tmp_path).run()
    assert (code, err) == (0, "")
    assert "./run demo" in out
    assert "./run test" in out
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


def test_a_failed_extra_leaves_the_rest_working_and_is_tried_again(built, tmp_path):
    moved = built.moved(tmp_path)
    code, out, err = moved.run("bench", env={"PIP_FIND_LINKS": str(tmp_path)})
    assert (code, out) == (1, "")
    assert "tiny_test" in err
    assert "run this again" in err
    assert "WARNING" not in err

    code, out, err = moved.run("still")
    assert (code, err) == (0, "")
    assert json.loads(out)[2] == str(moved.root / "bot/__init__.py"), "it imports where it is now"

    assert moved.run("bench")[0] == 0
    assert moved.run("bench", env={"PIP_FIND_LINKS": str(tmp_path)}) == (0, "", "")


def test_a_broken_environment_is_made_anew(built, tmp_path):
    moved = built.moved(tmp_path)
    (python,) = moved.root.glob(".run/*/bin/python")
    python.unlink()
    python.symlink_to(tmp_path / "an interpreter that was uninstalled")
    code, _, err = moved.run("again")
    assert (code, err.count("\n")) == (0, 1), err


def test_a_wheel_that_is_not_the_locked_one_is_refused(built, tmp_path):
    moved = built.moved(tmp_path)
    shutil.copy(built.wheels / "tiny_test-1.0-py3-none-any.whl", tmp_path)
    with zipfile.ZipFile(tmp_path / "tiny_test-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("added.py", "")
    code, out, err = moved.run("bench", env={"PIP_FIND_LINKS": str(tmp_path)})
    assert (code, out) == (1, "")
    assert "hash" in err.lower()


def test_a_python_without_venv_is_told_what_to_install(new, tmp_path):
    checkout = Checkout(tmp_path, tmp_path)
    shutil.copytree(new.root, tmp_path, ignore=lambda *_: [".run"], dirs_exist_ok=True)
    script = tmp_path / "run"
    hide = "import sys; sys.modules['ensurepip'] = None"
    script.write_text(script.read_text().replace("import sys\n", hide + "\n", 1))
    code, _, err = checkout.run("word")
    assert code == 1
    assert f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv" in err
    assert err.count("\n") == 1
