"""The environment that alone holds statsforecast, made when first needed, and what it answers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
LOCK: Final = _HERE / "rivals.lock"
_VENV: Final = _HERE.parent / ".run" / f"rivals-{Path(sys.prefix).name}"
_STAMP: Final = _VENV / "installed-lock"
_AT_ONCE: Final = 2


class NoRivals(Exception):
    """statsforecast can't be installed here; says why."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """Each method's expected costs per past (`None` where it failed) and what it takes."""

    means: dict[str, list[list[Decimal] | None]]
    cpu_each: dict[str, float]
    import_seconds: float
    resident: float
    """MB that importing it adds."""


def rivals(pasts: Sequence[Sequence[Decimal]], ahead: int) -> Rivals:
    """Return what the rivals expect of the days after each past; raises `NoRivals`."""
    python = _python()
    shares = [pasts[place::_AT_ONCE] for place in range(_AT_ONCE)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda share: _answer(python, share, ahead), shares))
    means: dict[str, list[list[Decimal] | None]] = {}
    for name in answers[0]["means"]:
        means[name] = [None] * len(pasts)
        for place, answer in enumerate(answers):
            means[name][place::_AT_ONCE] = [
                None if one is None else [Decimal(cost) for cost in one]
                for one in answer["means"][name]
            ]
    cpu = {name: sum(one["cpu"][name] for one in answers) / len(pasts) for name in means}
    return Rivals(means, cpu, answers[0]["import"], answers[0]["resident"])


def _answer(python: Path, pasts: Sequence[Sequence[Decimal]], ahead: int) -> dict:
    asked = {"ahead": ahead, "pasts": [[float(cost) for cost in past] for past in pasts]}
    command = [python, "-P", _HERE / "rivals.py"]
    run = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise NoRivals((run.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    return json.loads(run.stdout)


def _python() -> Path:
    """Return the interpreter that has the lock installed."""
    python, digest = _VENV / "bin" / "python", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if python.exists() and _STAMP.exists() and _STAMP.read_text() == digest:
        return python
    print(f"setting up {_VENV.name} for the rivals (once, a minute) …", file=sys.stderr, flush=True)
    venv.create(_VENV, clear=True, symlinks=True, with_pip=True)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    pip = [python, "-m", "pip", "install", *options, "-r", LOCK]
    run = subprocess.run(pip, capture_output=True, text=True, check=False)
    if run.returncode:
        said = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
        raise NoRivals((said or ["pip failed"])[-1])
    _STAMP.write_text(digest)
    return python
