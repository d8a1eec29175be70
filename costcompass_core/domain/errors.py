"""Every error that a user can meet: what is wrong, where, and the mend, in one line.

`exit_code` is what a command that fails this way exits with. `permanent` says that trying again
without a human changing something cannot help, so nothing hammers a provider that said no.
"""

from __future__ import annotations


class CostCompassError(Exception):
    """Base of every error we raise on purpose; `str()` is one line and never holds a secret."""

    exit_code = 1
    permanent = False

    def __init__(self, what: str, mend: str = "") -> None:
        """`what` is the fault and its place, `mend` what to do about it; both without secrets."""
        self.what = _one_line(what)
        self.mend = _one_line(mend)
        super().__init__(f"{self.what}: {self.mend}" if self.mend else self.what)


class UsageError(CostCompassError):
    """The words of a command make no sense (exit 2).

    `meant` is a word that was typed and what was probably meant by it, where that is known.
    """

    exit_code = 2
    permanent = True

    def __init__(self, what: str, mend: str = "", *, meant: tuple[str, str] | None = None) -> None:
        """Say what makes no sense, and what would."""
        self.meant = meant
        super().__init__(what, mend)


class ConfigError(CostCompassError):
    """The configuration cannot be used (exit 78)."""

    exit_code = 78
    permanent = True


class VaultError(CostCompassError):
    """The vault file is missing, unsafe, too new or not a vault (exit 1)."""

    permanent = True


class WrongPassphrase(VaultError):
    """Wrong passphrase or changed vault: the two look the same on purpose (exit 77)."""

    exit_code = 77


class VaultLocked(VaultError):
    """No passphrase has been given yet (exit 77)."""

    exit_code = 77


class KeyRejected(CostCompassError):
    """The provider does not know this key (exit 77)."""

    exit_code = 77
    permanent = True


class WrongKeyType(KeyRejected):
    """The key is real but of a kind that cannot read spend (exit 77)."""


class Unavailable(CostCompassError):
    """A provider or Slack does not answer, or answers with a fault of its own (exit 69)."""

    exit_code = 69


class Declined(Unavailable):
    """A provider answers, and does not offer what was asked for (exit 69)."""


class UnreadableAnswer(Unavailable):
    """A provider answered something that is not what its documentation promises (exit 69)."""


class UnreadableFile(CostCompassError):
    """A file of costs is not what its format promises (exit 69).

    Not `permanent`: what is still being copied into place reads well the next time.
    """

    exit_code = 69


class Undelivered(Unavailable):
    """A message was not taken; `permanent` where only a change of the set-up can help (exit 69)."""

    def __init__(
        self, what: str, mend: str = "", *, permanent: bool = False, wait: float = 0.0
    ) -> None:
        """`wait` is how many seconds the other side asks for at least before the next try."""
        super().__init__(what, mend)
        self.permanent = permanent
        self.wait = wait


class MessageGone(Undelivered):
    """The message that was to be edited or replied to is not there any more (exit 69)."""


class StorageError(CostCompassError):
    """The database cannot be opened, read or written (exit 1)."""


class BackupError(CostCompassError):
    """A backup cannot be made, or what is named as one is none, damaged or newer (exit 1)."""

    permanent = True


class AlreadyRunning(CostCompassError):
    """Another process holds the state directory (exit 75)."""

    exit_code = 75


def _one_line(text: str) -> str:
    """Fold white space and drop control characters, so that no hostile text forges a second line."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
