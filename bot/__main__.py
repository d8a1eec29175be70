"""`costcompass`, also as `python -P -m bot`."""

from __future__ import annotations

import sys

from bot.process import load_quickly


def main() -> int:
    """Run the command line and return its exit code."""
    load_quickly()
    from bot.cli import run  # noqa: PLC0415 - an import error below is told like any other

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
