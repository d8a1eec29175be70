"""What `doctor` finds, asked of a real process or, faster, in this one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from install import NOTHING, Install

from bot.config import load_config
from bot.doctor.examine import PATIENCE, examine
from bot.doctor.finding import Finding

Found = dict[str, tuple[str, str]]
"""The state of each check, and its finding with the mend."""
NOBODY = 65534


def examined(install: Install, code: int, environ: Mapping[str, str] = NOTHING) -> Found:
    """What the command says, which has to exit with `code`."""
    done = install.run("doctor", "--json", environ=environ)
    assert (done.returncode, done.stderr) == (code, ""), done
    checks = json.loads(done.stdout)["checks"]
    assert all(set(one) == {"check", "state", "found", "mend"} for one in checks)
    return {one["check"]: (one["state"], f"{one['found']}: {one['mend']}") for one in checks}


def found_here(install: Install, code: int, patience: float = PATIENCE) -> Found:
    """The same, asked in this process and with the vault open already, which saves deriving."""
    findings = examine(
        lambda: load_config(install.config, install.environ),
        install.opened,
        lambda: datetime.now(UTC),
        patience,
    )
    assert max(one.exit_code for one in findings) == code, findings
    return by_check(findings)


def by_check(findings: list[Finding]) -> Found:
    return {one.check: (one.state, f"{one.found}: {one.mend}") for one in findings}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be an ordinary user for a while, where we are root, who may write everywhere."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
