# noqa: INP001 - a script, not a package
"""The checks of `./run check` and the lock files of `./run lock`, inside the check environment."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-P"]
SCRIPTS = [
    __file__,
    ".ci/configuration_page.py",
    ".ci/npm.py",
    ".ci/service.py",
    ".ci/slack_types.py",
    "pictures/__main__.py",
]
CHECKS = {
    "ruff check": [*PYTHON, "-m", "ruff", "check"],
    "ruff format": [*PYTHON, "-m", "ruff", "format", "--check"],
    "mypy": [*PYTHON, "-m", "mypy"],
    "mypy of the scripts": [*PYTHON, "-m", "mypy", "--scripts-are-modules", "run", *SCRIPTS],
    "import layers": [*PYTHON, "-c", "import importlinter.cli as c; c.lint_imports_command()"],
    "Slack's types": [*PYTHON, ".ci/slack_types.py"],
    "hadolint": [str(Path(sys.executable).parent / "hadolint"), "Dockerfile"],
}
# What of pyproject.toml each lock pins; each is compiled within the pins of the one before it.
LOCKS = {
    "requirements.lock": [],
    "requirements-test.lock": ["--extra=test"],
    "requirements-check.lock": ["--extra=test", "--extra=check"],
}


def main(words: list[str]) -> int:
    """Check, or lock anew; the exit code."""
    match words:
        case ["check"]:
            return check()
        case ["lock"] | ["lock", "--upgrade"]:
            return 0 if compile_locks(ROOT, *words[1:]) else 1
    sys.stderr.write("Usage: ./run check, or ./run lock [--upgrade]\n")
    return 2


def check() -> int:
    """Run all checks, even after one has failed; 0 when all passed, otherwise 1."""
    failed = []
    for name, command in CHECKS.items():
        say(f"== {name}")
        if not succeeds(command):
            failed.append(name)
    say("== lock files")
    if not locks_are_fresh():
        failed.append("lock files")
    say(f"Failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def locks_are_fresh() -> bool:
    """Whether compiling the locks anew, from the pins that they hold, would change nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for lock in LOCKS:
            shutil.copy(ROOT / lock, folder)
        if not compile_locks(Path(folder)):
            return False
        stale = [x for x in LOCKS if Path(folder, x).read_bytes() != (ROOT / x).read_bytes()]
    if stale:
        say(f"Not what pyproject.toml asks for: {', '.join(stale)}; mend with ./run lock")
    return not stale


def compile_locks(folder: Path, *options: str) -> bool:
    """Write the locks in `folder` for every supported Python, with hashes and without hosts."""
    universal = ["--universal", "--python-version=3.11", "--generate-hashes"]
    terse = ["--no-header", "--no-annotate", "--quiet"]
    within: list[str] = []
    for lock, extras in LOCKS.items():
        uv = [*PYTHON, "-m", "uv", "pip", "compile", *universal, *terse, *options, *extras]
        if not succeeds([*uv, *within, f"--output-file={folder / lock}", "pyproject.toml"]):
            return False
        within = [f"--constraints={folder / lock}"]
    return True


def succeeds(command: list[str]) -> bool:
    """Run a command in the checkout, its output to ours."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0  # noqa: S603 - ours only


def say(line: str) -> None:
    """Write one line between the outputs of the checks."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
