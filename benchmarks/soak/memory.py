"""What tells a leak from memory that the C library keeps: a collection, and a trim."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable


def collected() -> int:
    """Collect garbage and return how many objects there were that nobody could reach."""
    return gc.collect()


def trimmed(resident_kb: Callable[[], int]) -> int | None:
    """Give free memory back to the system and return what is left, `None` where libc can't."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None
    trim(0)
    return resident_kb()
