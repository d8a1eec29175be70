"""One CostCompass installation in a folder of its own, driven by real processes."""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.control import NotRunning, ask
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Balance, Usage
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.vault.file import Vault
from costcompass_core.vault.format import DataKey, open_key, seal, seal_new

ROOT = Path(__file__).resolve().parents[1]
PASSPHRASE = "correct horse battery staple five"
NOTHING: Mapping[Any, str] = MappingProxyType({})
PATIENCE = 60.0
"""Seconds for what takes one or two, on a machine that is slow or busy; only a failure takes them all."""
_CONTROLLING = "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
"""As a terminal's shell starts it; a suite that runs in the background hands down that Ctrl-C is ignored."""


def eventually(true: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    """What `true` returns as soon as it is truthy, or when patience ends."""
    end = time.monotonic() + timeout
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


@cache
def _empty_vault() -> tuple[bytes, DataKey]:
    """Derives once for all tests together; a derivation costs 170 ms."""
    blob = seal_new({}, Secret(PASSPHRASE))
    return blob, open_key(blob, Secret(PASSPHRASE))


def usage(day: date, model: str, cost: str, **fields: Any) -> Usage:
    """One row as a provider reports it; `fields` are those of `Usage`."""
    usual = {
        "permaslug": model, "endpoint": f"{model}@host", "host": "OpenAI", "requests": 2,
        "prompt_tokens": 1000, "completion_tokens": 100, "reasoning_tokens": 0,
        "cached_tokens": None, "byok_cost": Decimal(0),
    }  # fmt: skip
    return Usage(day=day, model=model, cost=Decimal(cost), **(usual | fields))


class Install:
    """Configuration, passphrase file and state directory below `folder`, and commands on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config.toml"
        self.passphrase = folder / "passphrase"
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text(f"{PASSPHRASE}\n")
        self.environ: dict[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "COSTCOMPASS_CONFIG": str(self.config),
        }

    @property
    def vault(self) -> Path:
        return self.state / "vault"

    def configure(
        self,
        openrouter: OpenRouter | None = None,
        slack: Slack | None = None,
        *,
        accounts: tuple[str, ...] = ("main",),
        passphrase_file: bool = True,
        more: str = "",
    ) -> None:
        """Write the configuration; `more` is TOML that follows."""
        text = f'timezone = "Europe/Berlin"\nstate_dir = "{self.state}"\n'
        if passphrase_file:
            text += f'[vault]\npassphrase_file = "{self.passphrase}"\n'
        for name in accounts:
            text += f'[[account]]\nname = "{name}"\nprovider = "openrouter"\n'
            if openrouter is not None:
                text += f'base_url = "{openrouter.base_url}"\n'
        if slack is not None:
            text += f'[slack]\nchannel = "{CHANNEL}"\nallowed_users = ["{USER}"]\n'
            text += f'api_url = "{slack.api_url}"\n'
        self.config.write_text(text + more)

    def keep(self, **secrets: str) -> None:
        """Put a vault there whose entries are named `openrouter__main` and so on."""
        blob, key = _empty_vault()
        entries = {
            name.replace("__", "/").replace("_", "-"): Secret(value)
            for name, value in secrets.items()
        }
        self.state.mkdir(mode=0o700, exist_ok=True)
        draft = self.state / "vault.draft"  # on the same disk: a state may be mounted
        draft.touch(mode=0o600)
        draft.write_bytes(seal(blob, key, entries))
        draft.rename(self.vault)  # a daemon that looks in between finds no half of it

    def opened(self) -> Vault:
        """The vault, opened by the library without deriving the key again."""
        vault = Vault(self.vault, _empty_vault()[1])
        vault.names()
        return vault

    def remember(
        self,
        days: Mapping[date, Sequence[Usage]],
        *,
        at: datetime,
        left: Mapping[datetime, str] = NOTHING,
        account: str = "main",
    ) -> None:
        """Store days of usage read at `at`, and balances: what 1000 USD of credits had left then."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        with closing(open_store(self.state)) as store, store.writing() as tx:
            remember_account(tx, account, "openrouter")
            replace_days(tx, account, days, at)
            note_success(tx, account, "activity", at)
            for moment, usd in left.items():
                used = Usd.of(1000) - Usd.of(usd)
                add_balance(tx, account, Balance(Usd.of(usd), Usd.of(1000), used), moment)
                note_success(tx, account, "balance", moment)

    def run(
        self,
        *words: str,
        stdin: str = "",
        environ: Mapping[str, str] = NOTHING,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, without a terminal."""
        return subprocess.run(
            _command(words),
            input=stdin,
            env={**self.environ, **environ},
            cwd=self.folder,
            capture_output=True,
            check=False,
            encoding="utf-8",
            pass_fds=pass_fds,
            start_new_session=True,
            timeout=300,
        )

    @contextlib.contextmanager
    def terminal(self, *words: str, environ: Mapping[str, str] = NOTHING) -> Iterator[Terminal]:
        """Run one command on a terminal of its own."""
        ours, theirs = pty.openpty()
        started = [sys.executable, "-c", _CONTROLLING, *_command(words)[1:]]
        with subprocess.Popen(
            started,
            env={**self.environ, "TERM": "xterm", **environ},
            cwd=self.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            terminal = Terminal(process, ours)
            try:
                yield terminal
            finally:
                process.kill()
                terminal.hang_up()

    @contextlib.contextmanager
    def daemon(
        self, *options: str, environ: Mapping[str, str] = NOTHING, log: str = "daemon.log"
    ) -> Iterator[Daemon]:
        """Run the daemon, wait until it answers, and end it with SIGTERM where it still lives."""
        log_path = self.folder / log
        with (
            log_path.open("ab") as stream,
            subprocess.Popen(
                _command((*options, "run")),
                env={**self.environ, **environ},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            ) as process,
        ):
            daemon = Daemon(process, log_path, self.state)
            try:
                assert eventually(lambda: daemon.answers() or process.poll() is not None), (
                    daemon.log
                )
                assert process.poll() is None, daemon.log
                yield daemon
                daemon.end()
            finally:
                process.kill()


class Daemon:
    """A running daemon."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path, state: Path) -> None:
        self.process = process
        self._log_path = log_path
        self._state = state

    @property
    def log(self) -> str:
        return self._log_path.read_text()

    def answers(self) -> bool:
        with contextlib.suppress(NotRunning):
            return bool(self.status())
        return False

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = ask(self._state, {"do": "status"})
        return status

    def account(self, name: str = "main") -> dict[str, Any]:
        return next(one for one in self.status()["accounts"] if one["account"] == name)

    def refreshed(self, name: str = "main") -> bool:
        return bool(eventually(lambda: self.account(name)["balance_at"]))

    def end(self, number: int = signal.SIGTERM, timeout: float = 15.0) -> float:
        """Send a signal, demand exit code 0, and return the seconds that took."""
        if self.process.poll() is None:
            begin = time.monotonic()
            self.process.send_signal(number)
            assert self.process.wait(timeout) == 0, self.log
            return time.monotonic() - begin
        return 0.0


class Terminal:
    """Our end of a terminal that a command runs on."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.screen = ""
        """Everything shown so far, echoes of what was typed included."""
        self._read = 0

    def expect(self, text: str, timeout: float = PATIENCE) -> None:
        """Wait until `text` is shown after what was expected before."""
        end = time.monotonic() + timeout
        while (at := self.screen.find(text, self._read)) < 0:
            more = time.monotonic() < end and self._more()
            assert more, f"no {text!r} in {self.screen!r}"
        self._read = at + len(text)

    def type(self, text: str) -> None:
        os.write(self._descriptor, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until that ends the command: one on the way to its wait is not heard there."""

        def ended() -> bool:
            self._more(0.1)
            return self.process.poll() is not None

        for _ in range(5):
            time.sleep(0.1)
            os.write(self._descriptor, b"\x03")
            if eventually(ended, 10):
                return

    def hang_up(self) -> None:
        """Close the window."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._descriptor)[3] & termios.ECHO)

    def finish(self, timeout: float = PATIENCE) -> int:
        """Read to the end and return the exit code."""
        while self._more():
            pass
        return self.process.wait(timeout)

    def _more(self, timeout: float = PATIENCE) -> bool:
        if not select.select([self._descriptor], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._descriptor, 65536)
        except OSError as error:  # how Linux says that nobody has the other end open any more
            if error.errno != errno.EIO:
                raise
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)


def _command(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-P", "-m", "bot", *words]
