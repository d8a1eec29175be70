"""What the daemon asks of its own process before it holds a secret, and before it has threads."""

from __future__ import annotations

import gc
import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>
_M_ARENA_MAX = -8  # <malloc.h> of the GNU C library
_ARENAS = 2
_USUAL = gc.get_threshold()
_SELDOM = 50_000


def harden() -> None:
    """Leave no core dump, and on Linux keep other programs of the same user out of our memory.

    Reduces what can be read, erases nothing; root and a debugger started by root still can.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  only Linux needs it, only where secrets are held

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def share_memory() -> None:
    """Have all threads take memory from few heaps, where the C library would give each its own.

    It gives free memory of a heap to that heap's threads alone: over weeks the daemon kept a tenth
    more than it held. Must come before the first thread; does nothing where there is no such thing.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  as above

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)


def load_quickly() -> None:
    """Look for garbage seldom: loading modules makes none, and looking is a tenth of a start."""
    gc.set_threshold(_SELDOM)


def stay() -> None:
    """Look for garbage as usual from now on, but not among what was loaded to stay."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
