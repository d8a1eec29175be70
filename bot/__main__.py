"""`costcompass`, also as `python -P -m bot`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    from bot.cli import run  # noqa: PLC0415 - an import error below is told like any other

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
