# noqa: INP001 - a script, not a package
"""Does what docs/install.md says of systemd, in a fresh Debian 12 that is booted for it.

No part of `.ci/run`: it needs root on a Debian with `apt-get install --no-install-recommends debootstrap
systemd-container`, the indexes of Debian and Python, a gigabyte in $TMPDIR and some minutes. It installs
nothing on this machine and leaves nothing behind.

    python3 .ci/service.py [BASE]     the bare system is kept in the folder BASE, and taken from there the next time
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "install.md").read_text()
PACKAGES = "python3,python3-venv,ca-certificates,dbus,sudo,systemd,systemd-sysv"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
NAME = "trial"
PASSPHRASE = "correct horse battery staple five"  # noqa: S105 - of this test alone
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STAND_INS = """
import threading
from datetime import UTC, datetime
from pathlib import Path
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack
from bot.sandbox.slack_people import CHANNEL, USER

now = lambda: datetime.now(UTC)
account = StandInAccount()
with OpenRouter(now, [account]) as provider, Slack(now) as slack:
    Path("/run/openrouter-main").write_text(account.keys[0].secret)
    Path("/run/slack-bot-token").write_text(slack.bot_token)
    Path("/run/slack-app-token").write_text(slack.app_token)
    Path("/etc/costcompass/config.toml").write_text(f'''timezone = "UTC"
[[account]]
name = "main"
provider = "openrouter"
base_url = "{provider.base_url}"
[slack]
channel = "{CHANNEL}"
allowed_users = ["{USER}"]
api_url = "{slack.api_url}"
''')
    threading.Event().wait()
"""


class Failed(Exception):
    """Something is not as the page promises."""


class Machine:
    """A Debian that systemd has booted, in a container."""

    def __init__(self, root: Path) -> None:
        """Boot what lies in `root`."""
        self._root = root
        words = ["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "-b"]
        self._container = subprocess.Popen(  # noqa: S603
            [*words, f"--machine={NAME}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("the machine is up", lambda: self.said("systemctl is-system-running") == "running")

    def run(self, command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the checkout on the machine, `given` on its standard input."""
        children = f"/proc/{self._container.pid}/task/{self._container.pid}/children"
        init = Path(children).read_text().split()
        if not init:
            return subprocess.CompletedProcess([], 1, "", "not up yet")
        words = ["nsenter", "-t", init[0], "-m", "-u", "-i", "-p", f"--root=/proc/{init[0]}/root"]
        words += [f"--wd=/proc/{init[0]}/root/root/costcompass"]
        words += ["env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "bash", "-c"]
        return subprocess.run(  # noqa: S603
            [*words, command], input=given, capture_output=True, text=True, check=False
        )

    def said(self, command: str) -> str:
        """What a line of shell prints, whether it succeeds or not."""
        return self.run(command).stdout.strip()

    def do(self, command: str, given: str = "") -> str:
        """Run a line that has to succeed, and show it."""
        say(f"$ {command}")
        done = self.run(command, given)
        sys.stdout.write(done.stdout + done.stderr)
        if done.returncode:
            raise Failed(f"exit code {done.returncode} of: {command}")
        return done.stdout

    def end(self) -> None:
        """Switch off."""
        self.run("systemctl poweroff --force")
        try:
            self._container.wait(20)
        except subprocess.TimeoutExpired:
            self._container.kill()


def main(words: list[str]) -> int:
    """Install, use, upgrade and remove; the exit code."""
    if os.geteuid() or not all(map(shutil.which, ["debootstrap", "systemd-nspawn"])):
        say(__doc__ or "")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        base = Path(words[0] if words else folder) / "debian"
        bare_system(base)
        root = Path(folder, "machine")
        subprocess.run(["cp", "-a", "--", base, root], check=True)  # noqa: S603, S607
        (root / "etc" / "hostname").write_text(f"{NAME}\n")
        (root / "etc" / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
        copy_checkout(root / "root" / "costcompass")
        machine = Machine(root)
        try:
            follow_the_page(machine)
        except Failed as failure:
            say(f"Failed: {failure}\n{machine.said('journalctl -u costcompass -o cat -n 40')}")
            return 1
        finally:
            machine.end()
    say("\nAll as the page says.")
    return 0


def follow_the_page(machine: Machine) -> None:
    """Carry out the blocks of the section, and look between them whether it became true."""
    install, edit, passphrase, start, upgrade, remove = blocks("A server with systemd")
    carry_out(machine, install)
    machine.run(
        'systemd-run --unit=stand-ins /opt/costcompass/bin/python -P -c "$(cat)"', STAND_INS
    )
    until("the stand-ins are up", lambda: machine.said("ls /run/slack-app-token") != "")
    carry_out(machine, edit)
    carry_out(machine, passphrase)
    carry_out(machine, start)
    until("Slack is connected", lambda: "connected: team" in machine.said("costcompass status"))
    confined(machine)
    managed(machine)
    carry_out(machine, upgrade)
    until("it is back", lambda: "vault    unlocked" in machine.said("costcompass status"))
    machine.do("costcompass doctor")
    carry_out(machine, remove)
    elsewhere = " ".join(f"-not -path '{place}/*'" for place in ("/root", "/run", "/var/backups"))
    expect("what is left", machine.said(f"find / -xdev -name '*costcompass*' {elsewhere}"), "")


def blocks(section: str) -> list[list[str]]:
    """The lines of each block of code in a section of the page."""
    [text] = re.findall(rf"^## {section}$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    return [
        block.splitlines()
        for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def carry_out(machine: Machine, lines: list[str]) -> None:
    """Type the lines; what would ask a person gets its answer."""
    for line in lines:
        if line.startswith("sudoedit"):
            continue
        typed = re.sub(r"systemd-ask-password -n '[^']*'", f"printf '{PASSPHRASE}'", line)
        entry = re.search(r"vault add (\S+)", line)
        given = machine.said(f"cat /run/{entry[1].replace('/', '-')}") if entry else ""
        machine.do(typed, given)


def confined(machine: Machine) -> None:
    """The running daemon can do next to nothing."""
    pid = machine.said("systemctl show -p MainPID --value costcompass")
    status = dict(
        re.findall(r"^(\w+):\s+(.*)$", machine.said(f"cat /proc/{pid}/status"), re.MULTILINE)
    )
    expect("capabilities", status["CapBnd"] + status["CapEff"], "0" * 32)
    expect(
        "no new privileges, system calls filtered", status["NoNewPrivs"] + status["Seccomp"], "12"
    )
    told = machine.run(f"nsenter -t {pid} -m touch /etc/x /usr/x /opt/costcompass/x /home/x").stderr
    expect("refusals to write", str(told.count("Read-only file system")), "4")
    expect("state", machine.said("stat -L -c '%a %U' /var/lib/costcompass"), "700 UNKNOWN")
    readable = machine.run("costcompass unlock --passphrase-fd 0", PASSPHRASE + "\n")
    expect("the control socket's answer", readable.stdout, "unlocked\n")


def managed(machine: Machine) -> None:
    """The daemon and systemd understand each other."""

    def shown(name: str) -> str:
        return machine.said(f"systemctl show -p {name} --value costcompass")

    pid = shown("MainPID")
    machine.do("sed -i 's/UTC/Europe\\/Paris/' /etc/costcompass/config.toml")
    machine.do("systemctl reload costcompass")
    expect("the process after a reload", shown("MainPID"), pid)
    until(
        "the reload is told",
        lambda: "timezone changed" in machine.said("journalctl -u costcompass"),
    )

    hurried = "mkdir -p /run/systemd/system/costcompass.service.d; printf '[Service]\\nWatchdogSec=3\\nRestartSec=0\\n'"
    machine.do(
        f"{hurried} > /run/systemd/system/costcompass.service.d/hurry.conf; systemctl daemon-reload"
    )
    machine.do("systemctl restart costcompass")
    pid = shown("MainPID")
    time.sleep(5)  # noqa: TID251 - long enough for a watchdog that nobody feeds
    expect("the process after a while", shown("MainPID"), pid)
    machine.do(f"kill -STOP {pid}")
    until(
        "a daemon that hangs is replaced",
        lambda: shown("MainPID") not in {pid, "0"} and shown("ActiveState") == "active",
    )

    machine.do(
        "mv /etc/credstore.encrypted/vault-passphrase /run/kept; systemctl restart costcompass"
    )
    until(
        "without a passphrase it waits",
        lambda: "vault    locked" in machine.said("costcompass status"),
    )
    expect(
        "unlock",
        machine.do("costcompass unlock --passphrase-fd 0", PASSPHRASE + "\n"),
        "unlocked\n",
    )
    machine.do("mv /run/kept /etc/credstore.encrypted/vault-passphrase")

    machine.do(
        "cp /etc/costcompass/config.toml /run/good.toml; sed -i '1i nonsense = 1' /etc/costcompass/config.toml"
    )
    machine.run("systemctl restart costcompass")
    until("a bad configuration is final", lambda: shown("ActiveState") == "failed")
    expect("its exit code", shown("ExecMainStatus"), "78")
    machine.do(
        "cp /run/good.toml /etc/costcompass/config.toml; systemctl reset-failed costcompass; systemctl start costcompass"
    )

    begin = time.monotonic()
    machine.do("systemctl stop costcompass")
    say(f"stopped within {time.monotonic() - begin:.1f} s")
    expect("exit code", shown("ExecMainStatus"), "0")
    machine.do(
        "rm -r /run/systemd/system/costcompass.service.d; systemctl daemon-reload; systemctl start costcompass"
    )


def bare_system(base: Path) -> None:
    """Have a bare Debian 12 in `base`, with the certificates that are trusted here."""
    if base.exists():
        return
    say("A bare Debian 12 (a minute) ...")
    base.parent.mkdir(parents=True, exist_ok=True)
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(base)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    shutil.copy(f"/{CERTIFICATES}", base / CERTIFICATES)


def copy_checkout(target: Path) -> None:
    """Copy what is under version control, or about to be."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    for name in filter(None, names.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def until(what: str, true: Callable[[], bool]) -> None:
    """Wait for it, a minute at most."""
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            raise Failed(f"not within a minute: {what}")
        time.sleep(0.2)  # noqa: TID251 - nothing else tells
    say(f"... {what}")


def expect(what: str, found: str, wanted: str) -> None:
    """Say what it is; raise `Failed` where that is not what was wanted."""
    if found != wanted:
        raise Failed(f"{what}: {found!r} instead of {wanted!r}")
    say(f"... {what}: {found.strip()}")


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
