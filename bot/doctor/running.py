"""What `costcompass doctor` finds out about the running daemon, and whether there are two."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bot.config import Config
from bot.control import NotRunning, ask
from bot.doctor.finding import Finding
from bot.words import clean, plural
from costcompass_core import __version__
from costcompass_core.storage.lock import LOCK_NAME, holder
from costcompass_core.storage.store import FILE_NAME

_PATIENCE: Final = 5.0
"""Seconds that the daemon may take to say how it is."""
_LOCKS: Final = Path("/proc/locks")
Status = Mapping[str, Any]


def examine_daemon(config: Config) -> Iterator[Finding]:
    """Ask the daemon how it is, and look for others that work on the same state directory."""
    holds = holder(config.state_dir)
    try:
        status: Status = ask(config.state_dir, {"do": "status"}, patience=_PATIENCE)
    except NotRunning:
        yield _silent(config.state_dir, holds)
        return
    yield _condition(status)
    yield from _link(status)
    yield from _backups(status)
    yield from _second(config.state_dir, int(status["pid"]), holds)
    yield from _agreement(config, status)


def _silent(state_dir: Path, holds: int | None) -> Finding:
    """Say what is there when nobody answers on the control socket."""
    if holds is None:
        return Finding("daemon", "warn", "not running", "start it with `costcompass run`")
    command = _command(holds)
    if command not in {"", "run"}:
        found = f"not running; `costcompass {command}` is at work (process {holds})"
        return Finding("daemon", "warn", found, "wait until it is done, then ask again")
    found = f"process {holds or '?'} holds {state_dir}, but answers on no control socket"
    mend = f"if it is not just starting, it hangs: see its log, `kill {holds or 'PID'}`, start it"
    return Finding("daemon", "bad", found, mend, 75)


def _command(number: int) -> str:
    """Return the command that one of our processes runs, as far as the system tells."""
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    known = {b"run", b"refresh", b"export", b"backup", b"restore", b"cost", b"init"}
    return next((one.decode() for one in words if one in known), "")


def _condition(status: Status) -> Finding:
    """Tell the worst that the daemon says of itself."""
    number = status["pid"]
    if status["vault"] == "locked":
        return Finding("daemon", "bad", "running, vault locked", "run `costcompass unlock`", 77)
    if status["database_refuses_since"]:
        mend = "free some space, or see the daemon's log"
        return Finding("daemon", "bad", "running, but the database refuses its writes", mend, 1)
    if parked := status["outbox"]["parked"]:
        mend = f"{parked[0]['error']}; then reload or restart the daemon"
        return Finding("daemon", "bad", f"refused: {plural(len(parked), 'message')}", mend, 69)
    if failing := status["outbox"]["failing"]:
        found = f"{plural(len(failing), 'message')} not taken yet"
        return Finding("daemon", "warn", found, failing[0]["error"])
    if status["version"] != __version__:
        found = f"running {clean(str(status['version']))}, but this command is {__version__}"
        return Finding("daemon", "warn", found, "restart the daemon")
    return Finding("daemon", "ok", f"running, process {number}")


def _link(status: Status) -> Iterator[Finding]:
    """Tell of a connection to Slack that is not there, for which tokens alone are not enough."""
    slack = status["slack"]
    if slack["error"] and status["vault"] != "locked" and "has no entry" not in slack["error"]:
        found = f"not connected to Slack since {slack['since']}"
        yield Finding("daemon slack", "warn", found, slack["error"])


def _backups(status: Status) -> Iterator[Finding]:
    """Tell of a daily copy that could not be made."""
    if error := status["backup"]["error"]:
        newest = status["backup"]["last_at"] or "none yet"
        found = f"the daemon made no copy (newest: {newest})"
        yield Finding("daily copies", "bad", found, error, 1)


def _second(state_dir: Path, number: int, holds: int | None) -> Iterator[Finding]:
    """Tell of another process that has the state directory too, which the lock is to prevent."""
    if holds is None:
        found = f"process {number} runs without holding {state_dir / LOCK_NAME}"
        mend = "somebody replaced that file, so a second daemon could start: restart the daemon"
        yield Finding("second daemon", "bad", found, mend, 75)
        return
    others = {one for one in (*_users(state_dir / f"{FILE_NAME}-shm"), holds) if one}
    daemons = sorted(one for one in others - {number, os.getpid()} if _command(one) in {"run", ""})
    if daemons:
        told = ", ".join(map(str, daemons))
        found = f"process {told} works on {state_dir} beside process {number}"
        mend = "two daemons tell everything twice: stop both, then start one"
        yield Finding("second daemon", "bad", found, mend, 75)


def _users(path: Path) -> Iterator[int]:
    """Yield the processes that have a lock on `path`: whoever has a database open has one."""
    try:
        facts, lines = path.stat(), _LOCKS.read_text().splitlines()
    except OSError:
        return
    device = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    for line in lines:
        words = line.split()
        if device in words:
            yield int(words[words.index(device) - 1])


def _agreement(config: Config, status: Status) -> Iterator[Finding]:
    """Say whether the daemon works with the configuration that this command has read."""
    theirs = status["config"]
    ours = str(config.path and config.path.absolute())
    if theirs["error"]:
        found = f"the daemon goes by an older one: {theirs['error']}"
        yield Finding("daemon config", "bad", found, f"mend that, then {_reload(status)}", 78)
    elif theirs["path"] != ours:
        found = f"the daemon reads {clean(theirs['path'], 300)}, this command {ours}"
        yield Finding("daemon config", "warn", found, "give both the same --config")
    elif theirs["sha256"] != config.digest:
        found = f"{ours} was changed after the daemon read it"
        yield Finding("daemon config", "warn", found, f"make it read it again: {_reload(status)}")


def _reload(status: Status) -> str:
    return f"`kill -HUP {status['pid']}`"
