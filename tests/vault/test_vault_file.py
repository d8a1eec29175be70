from __future__ import annotations

import os
import stat
import threading

import pytest
from vault_helpers import NAME, NEW, OLD, PASSPHRASE

from costcompass_core.domain.errors import UsageError, VaultError, VaultLocked, WrongPassphrase
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import Vault, create, unlock
from costcompass_core.vault.format import seal_new


def test_a_new_vault_is_private_and_opens_with_its_passphrase(tmp_path):
    path = tmp_path / "new" / "state" / "vault"
    create(path, PASSPHRASE, {NAME: OLD})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert unlock(path, PASSPHRASE).reveal(NAME) == OLD
    assert OLD.expose().encode() not in path.read_bytes()
    assert NAME.encode() not in path.read_bytes()
    with pytest.raises(WrongPassphrase):
        unlock(path, Secret("another passphrase"))


def test_an_existing_vault_is_never_made_anew(vault):
    before = vault.path.read_bytes()
    with pytest.raises(VaultError, match="exists already"):
        create(vault.path, PASSPHRASE)
    assert vault.path.read_bytes() == before


def test_entries_come_and_go_and_the_last_vault_stays_as_backup(vault):
    before = vault.path.read_bytes()
    vault.put("openai/team", NEW)
    assert vault.path.with_name("vault.bak").read_bytes() == before
    assert vault.names() == ["openai/team", NAME, "slack/bot-token"]
    vault.put("openai/team", OLD)
    assert vault.reveal("openai/team") == OLD
    vault.remove("openai/team")
    assert vault.names() == [NAME, "slack/bot-token"]
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert repr(vault) == f"Vault(path={vault.path!r}, key=DataKey(…))"


def test_an_entry_added_elsewhere_is_seen_at_once(vault):
    Vault(vault.path, vault.key).put("openai/team", NEW)
    assert vault.reveal("openai/team") == NEW


def test_a_missing_entry_names_its_mend(vault):
    with pytest.raises(VaultError, match="costcompass vault add openai/team"):
        vault.reveal("openai/team")
    with pytest.raises(VaultError, match="costcompass vault list"):
        vault.remove("openai/team")
    with pytest.raises(UsageError):
        vault.put("a key by mistake", NEW)
    with pytest.raises(UsageError):
        vault.put(NAME, Secret("two\nlines"))


def test_a_vault_that_could_not_be_read_back_is_not_written(vault):
    longest = Secret("x" * 4096)
    before = vault.path.read_bytes()
    with pytest.raises(VaultError, match="would grow"):
        create(vault.path.with_name("big"), PASSPHRASE, {f"a/{n}": longest for n in range(300)})
    assert vault.path.read_bytes() == before


def test_a_new_passphrase_leaves_nothing_that_the_old_one_opens(vault):
    vault.put(NAME, NEW)
    vault.change_passphrase(Secret("five other words than before"))
    assert not vault.path.with_name("vault.bak").exists()
    assert vault.reveal(NAME) == NEW, "a running daemon needs no unlocking"
    assert unlock(vault.path, Secret("five other words than before")).reveal(NAME) == NEW
    with pytest.raises(WrongPassphrase):
        unlock(vault.path, PASSPHRASE)


def test_a_vault_replaced_by_another_asks_to_be_unlocked(vault):
    vault.path.write_bytes(seal_new({NAME: NEW}, PASSPHRASE))
    with pytest.raises(VaultLocked, match="costcompass unlock"):
        vault.reveal(NAME)
    with pytest.raises(VaultLocked, match="costcompass unlock"):
        vault.put(NAME, OLD)


def test_what_a_killed_writer_left_is_swept_up(vault):
    left = vault.path.with_name("vault.new")
    left.write_bytes(b"half a vau")
    assert vault.reveal(NAME) == OLD
    vault.put(NAME, NEW)
    assert vault.reveal(NAME) == NEW
    assert not left.exists()


def test_writers_at_the_same_time_lose_nothing(vault):
    def add(writer: int) -> None:
        own = Vault(vault.path, vault.key)
        for number in range(5):
            own.put(f"w{writer}/n{number}", NEW)

    writers = [threading.Thread(target=add, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(vault.names()) == 2 + 4 * 5


def test_no_vault_names_the_command_that_makes_one(vault):
    vault.path.unlink()
    with pytest.raises(VaultError, match="costcompass vault create"):
        vault.names()
    vault.path.parent.joinpath("vault.lock").unlink(missing_ok=True)
    vault.path.parent.rmdir()
    with pytest.raises(VaultError, match="costcompass vault create"):
        unlock(vault.path, PASSPHRASE)


def _readable_by_all(path):
    path.chmod(0o644)


def _writable_by_group(path):
    path.chmod(0o620)


def _in_an_open_directory(path):
    path.parent.chmod(0o777)


def _a_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _a_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def _a_directory(path):
    path.unlink()
    path.mkdir(0o700)


def _huge(path):
    os.truncate(path, 2**31)


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (_readable_by_all, "chmod 600"),
        (_writable_by_group, "chmod 600"),
        (_in_an_open_directory, "chmod go-w"),
        (_a_link, "symbolic link"),
        (_a_pipe, "not a regular file"),
        (_a_directory, "not a regular file"),
        (_huge, "too large"),
    ],
)
def test_an_unsafe_vault_is_refused_for_reading_and_writing(vault, spoil, mend):
    spoil(vault.path)
    with pytest.raises(VaultError, match=mend):
        vault.reveal(NAME)
    with pytest.raises(VaultError, match=mend):
        vault.put(NAME, NEW)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("whose", ["the file", "the directory"])
def test_what_belongs_to_another_user_is_refused(vault, whose):
    os.chown(vault.path if whose == "the file" else vault.path.parent, 12345, -1)
    with pytest.raises(VaultError, match="belongs to user 12345"):
        vault.reveal(NAME)


def test_a_shared_directory_with_the_sticky_bit_is_fit_for_a_trial(vault):
    vault.path.parent.chmod(0o1777)
    assert vault.reveal(NAME) == OLD
