"""What the daemon asks of its own process before it holds a secret."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def harden() -> None:
    """Leave no core dump, and on Linux keep other programs of the same user out of our memory.

    Reduces what can be read, erases nothing; root and a debugger started by root still can.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  only Linux needs it, only where secrets are held

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
