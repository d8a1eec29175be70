"""The lock files: exact, hashed, within one another, and what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = PROJECT["dependencies"]
ASKED = {
    "requirements.lock": RUNTIME,
    "requirements-test.lock": RUNTIME + EXTRAS["test"],
    "requirements-check.lock": RUNTIME + EXTRAS["test"] + EXTRAS["check"],
}
PIN = re.compile(r"([a-z0-9-]+)==([^ ;]+)( ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+)")


def pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """What a lock says: name to version and hashes. Any line of another form fails."""
    text = (REPOSITORY / lock).read_text()
    found = {}
    for line in re.sub(r" \\\n +", " ", text).splitlines():
        match = PIN.fullmatch(line)
        assert match, f"{lock}: {line[:60]} is not a pin with hashes"
        found[match[1]] = (match[2], frozenset(match[4].split()))
    return found


@pytest.mark.parametrize("lock", ASKED)
def test_every_line_is_a_pin_with_hashes_and_every_wish_is_met(lock):
    held = pins(lock)
    for wish in map(Requirement, ASKED[lock]):
        version, _ = held[canonicalize_name(wish.name)]
        assert wish.specifier.contains(version), f"{lock}: {wish} against {version}"


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("requirements.lock", "requirements-test.lock"),
        ("requirements-test.lock", "requirements-check.lock"),
    ],
)
def test_the_larger_lock_holds_the_smaller_one_at_the_same_versions(inner, outer):
    assert pins(inner).items() <= pins(outer).items()


NUMERIC = {"numpy", "pandas", "scipy", "statsforecast"}


def test_the_daemon_pulls_in_no_numeric_stack():
    assert not (NUMERIC | {"pydantic"}) & pins("requirements.lock").keys()


def test_the_forecast_s_rivals_are_pinned_for_their_own_environment_alone():
    assert pins("benchmarks/rivals.lock").keys() >= NUMERIC
    assert not NUMERIC & pins("requirements-check.lock").keys()
