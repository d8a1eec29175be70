from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hardened_process_dumps_no_core_and_is_closed_to_others():
    script = (
        "import ctypes, resource\n"
        "from bot.process import harden\n"
        "get_dumpable = 3\n"
        "print(ctypes.CDLL(None).prctl(get_dumpable, 0, 0, 0, 0))\n"
        "harden()\n"
        "print(ctypes.CDLL(None).prctl(get_dumpable, 0, 0, 0, 0))\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:3] == ["1", "0", "(0, 0)"]
