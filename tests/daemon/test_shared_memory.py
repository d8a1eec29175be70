from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_HEAPS = """
import sys
from pathlib import Path
from threading import Barrier, Thread
from bot.process import share_memory

if sys.argv[1] == "shared":
    share_memory()
together, kept = Barrier(9), []

def take():
    together.wait()
    kept.append([bytes(100_000) for _ in range(5)])
    together.wait()

for _ in range(8):
    Thread(target=take, daemon=True).start()
together.wait()
together.wait()
heaps = 0
for line in Path("/proc/self/maps").read_text().splitlines():
    span, access = line.split()[:2]
    first, end = (int(one, 16) for one in span.split("-"))
    heaps += access == "---p" and end - first > 32 << 20 and end % (64 << 20) == 0
print(heaps)
"""
"""Prints how many of the C library's heaps of 64 MB there are beside the main one."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only this C library has many heaps")
def test_threads_share_heaps():
    def heaps(how: str) -> int:
        words = [sys.executable, "-P", "-c", _HEAPS, how]
        return int(subprocess.run(words, capture_output=True, check=True, text=True).stdout)

    assert heaps("shared") <= 1 < heaps("apart")
