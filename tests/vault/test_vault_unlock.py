from __future__ import annotations

import os
import unicodedata

import pytest

from costcompass_core.domain.errors import VaultError, VaultLocked
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.unlock import (
    check_new_passphrase,
    find_passphrase,
    generate_passphrase,
)

VARIABLE = "COSTCOMPASS_VAULT_PASSPHRASE"
FILE_VARIABLE = "COSTCOMPASS_VAULT_PASSPHRASE_FILE"


def find(environ=None, *, fd=None, config_file="", ask=None):
    return find_passphrase(environ or {}, fd=fd, config_file=config_file, ask=ask)


@pytest.fixture
def private(tmp_path):
    def write(name: str, content: bytes, mode: int = 0o600):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(mode)
        return str(path)

    return write


@pytest.fixture
def pipe():
    """A descriptor that holds the given bytes."""
    ends: list[int] = []

    def fill(content: bytes) -> int:
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        ends.append(reading)
        return reading

    yield fill
    for end in ends:
        os.close(end)


def test_the_first_source_of_the_contract_wins(private, pipe, tmp_path):
    private("vault-passphrase", b"from systemd\n", 0o400)
    environ = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        FILE_VARIABLE: private("b", b"from the named file"),
        VARIABLE: "from the environment",
    }
    config_file = private("a", b"from the configured file\r\n")
    fd = pipe(b"from the descriptor\nnot this\n")

    def found() -> str:
        result = find(environ, fd=fd, config_file=config_file, ask=lambda: "from the terminal")
        assert result is not None
        assert (result.warning is not None) == (VARIABLE in result.source)
        return result.passphrase.expose()

    assert found() == "from systemd"
    del environ["CREDENTIALS_DIRECTORY"]
    assert found() == "from the descriptor"
    fd = None
    assert found() == "from the configured file"
    config_file = ""
    assert found() == "from the named file"
    del environ[FILE_VARIABLE]
    assert found() == "from the environment"
    del environ[VARIABLE]
    assert found() == "from the terminal"
    assert find() is None


def test_the_descriptor_gives_one_line_and_keeps_the_rest(pipe):
    fd = pipe("straße\nnew one\n".encode())
    assert find(fd=fd).passphrase == Secret("straße")
    assert os.read(fd, 100) == b"new one\n"


def test_a_systemd_credential_granted_by_access_list_is_accepted(private, tmp_path):
    private("vault-passphrase", b"from systemd", 0o440)
    assert find({"CREDENTIALS_DIRECTORY": str(tmp_path)}).passphrase == Secret("from systemd")


def test_a_credentials_directory_without_ours_is_passed_over(tmp_path):
    assert find({"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None


def test_a_passphrase_file_behind_a_link_is_judged_by_its_target(private, tmp_path):
    private("target", b"from kubernetes", 0o400)
    link = tmp_path / "link"
    link.symlink_to("target")
    assert find(config_file=str(link)).passphrase == Secret("from kubernetes")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o444])
def test_a_passphrase_file_that_others_can_read_is_refused(private, mode):
    path = private("file", b"a passphrase", mode)
    with pytest.raises(VaultError, match=f"chmod 600 {path}"):
        find(config_file=path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_passphrase_file_of_another_user_is_refused(private):
    path = private("file", b"a passphrase")
    os.chown(path, 12345, -1)
    with pytest.raises(VaultError, match="belongs to user 12345"):
        find({FILE_VARIABLE: path})


def test_a_source_that_cannot_be_used_is_told_and_not_passed_over(private, tmp_path):
    everything_else = {VARIABLE: "from the environment"}
    with pytest.raises(VaultError, match="No such file"):
        find(everything_else, config_file=str(tmp_path / "gone"))
    with pytest.raises(VaultError, match="passphrase-fd 987"):
        find(everything_else, fd=987)
    for content in (b"one\ntwo\n", b"nul\0", b"\xff\xfe"):
        with pytest.raises(VaultError):
            find(everything_else, config_file=private("bad", content))


def test_an_empty_passphrase_is_refused_everywhere(private, pipe, tmp_path):
    private("vault-passphrase", b"\n", 0o400)
    for source in (
        {"environ": {"CREDENTIALS_DIRECTORY": str(tmp_path)}},
        {"fd": pipe(b"")},
        {"config_file": private("file", b"\r\n")},
        {"environ": {VARIABLE: ""}},
        {"ask": lambda: ""},
    ):
        with pytest.raises(VaultLocked, match="empty"):
            find(**source)


def test_a_short_new_passphrase_is_refused_with_advice():
    with pytest.raises(VaultError, match="five random words") as refusal:
        check_new_passphrase(Secret("hunter2"))
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(VaultError):
        check_new_passphrase(Secret(unicodedata.normalize("NFD", "ä" * 11)))
    with pytest.raises(VaultError, match="second line"):
        check_new_passphrase(Secret("twelve\ncharacters"))
    check_new_passphrase(Secret("ä" * 12))


def test_a_generated_passphrase_is_long_new_and_easy_to_type():
    made = generate_passphrase()
    check_new_passphrase(made)
    assert made != generate_passphrase()
    letters = made.expose().replace("-", "")
    assert len(letters) == 24
    assert not set(letters) & set("ilo01ABCDEFGHIJKLMNOPQRSTUVWXYZ")
