"""Installations as older versions left them; README.md beside this says where they are from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from install import Install
from left_behind import Left, lay_out


@pytest.fixture
def left_by(install: Install) -> Callable[[str], Left]:
    """Lay out the installation that a version left behind."""
    return lambda name: lay_out(install, name)
