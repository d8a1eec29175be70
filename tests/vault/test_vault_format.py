from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st
from vault_helpers import NAME, OLD, PASSPHRASE

from costcompass_core.domain.errors import VaultError, WrongPassphrase
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.format import (
    DataKey,
    entries,
    open_key,
    read_header,
    rewrap,
    seal,
    seal_new,
)

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((Path(__file__).parent / "vectors" / "vectors.json").read_text())
KEY = DataKey(bytes(range(32)))
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9._-]*", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1).map(Secret)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector(vector):
    blob, passphrase = bytes.fromhex(vector["vault"]), Secret(vector["passphrase"])
    if vector["opens"]:
        found = entries(blob, open_key(blob, passphrase))
        assert {name: value.expose() for name, value in found.items()} == vector["entries"]
        assert read_header(blob).generation == vector["generation"]
    else:
        with pytest.raises(VaultError, match=re.escape(vector["error"])):
            open_key(blob, passphrase)


def test_the_documented_layout_is_enough_to_write_another_reader():
    document = (ROOT / "docs" / "vault-format.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\d+|…) \| (\w+) \|", document, re.MULTILINE)
    vector = VECTORS[0]
    blob = bytes.fromhex(vector["vault"])
    field, end = {}, 0
    for offset, size, name in rows:
        assert int(offset) == end, "the table has a gap"
        end = len(blob) if size == "…" else end + int(size)
        field[name] = blob[int(offset) : end]
    number = {name: int.from_bytes(field[name]) for name in ("memory_kib", "passes", "lanes")}
    wrapping = Argon2id(
        salt=field["salt"],
        length=32,
        iterations=number["passes"],
        lanes=number["lanes"],
        memory_cost=number["memory_kib"],
    ).derive(unicodedata.normalize("NFC", vector["passphrase"]).encode())
    before_key = blob[: blob.index(field["wrapped_key"])]
    data_key = AESGCM(wrapping).decrypt(field["wrap_nonce"], field["wrapped_key"], before_key)
    header = blob[: -len(field["payload"])]
    plain = AESGCM(data_key).decrypt(field["nonce"], field["payload"], header)
    assert json.loads(plain) == vector["entries"]


@given(first=st.dictionaries(NAMES, VALUES), second=st.dictionaries(NAMES, VALUES))
def test_sealing_again_keeps_the_lock_and_says_so_in_the_generation(sealed, first, second):
    blob, key = sealed
    one = seal(blob, key, first)
    two = seal(one, key, second)
    assert entries(one, key) == first
    assert entries(two, key) == second
    before, after = read_header(one), read_header(two)
    assert after.generation == before.generation + 1
    assert after.nonce != before.nonce
    assert after == before._replace(generation=after.generation, nonce=after.nonce)


def test_every_flipped_bit_and_every_cut_is_noticed(sealed):
    blob, key = sealed
    answers = set()
    for at in range(len(blob)):
        flipped = (bytes([*blob[:at], blob[at] ^ 1 << bit, *blob[at + 1 :]]) for bit in range(8))
        for changed in (*flipped, blob[:at]):
            with pytest.raises(VaultError) as caught:
                entries(changed, key)
            if at > len("CCVAULT0") + 2 + 3 * 4:
                answers.add((type(caught.value), str(caught.value)))
    assert len(answers) == 1


@pytest.mark.parametrize("at", [13, 22, 49, 50, 97, 105, 117, 118, -1])
def test_a_flipped_byte_reads_like_a_wrong_passphrase(sealed, at):
    changed = bytearray(sealed[0])
    changed[at] ^= 1
    with pytest.raises(WrongPassphrase) as tampered:
        open_key(bytes(changed), PASSPHRASE)
    with pytest.raises(WrongPassphrase) as foreign:
        entries(sealed[0], KEY)
    assert str(tampered.value) == str(foreign.value)
    assert tampered.value.exit_code == 77


def test_nothing_is_sealed_over_a_changed_vault(sealed):
    blob, key = sealed
    changed = blob[:60] + bytes([blob[60] ^ 1]) + blob[61:]
    with pytest.raises(WrongPassphrase):
        seal(changed, key, {})
    with pytest.raises(WrongPassphrase):
        rewrap(changed, key, Secret("another passphrase"))


def test_a_new_passphrase_replaces_the_old_one_and_keeps_the_data_key(sealed):
    blob, key = sealed
    new = Secret("five other words than before")
    changed = rewrap(blob, key, new)
    assert entries(changed, key) == entries(blob, key)
    assert entries(changed, open_key(changed, new))[NAME] == OLD
    assert read_header(changed).generation == read_header(blob).generation + 1
    assert read_header(changed).salt != read_header(blob).salt
    with pytest.raises(WrongPassphrase):
        open_key(changed, PASSPHRASE)


def test_a_passphrase_that_is_no_text_is_merely_wrong(sealed):
    with pytest.raises(WrongPassphrase):
        open_key(sealed[0], Secret("\udcff"))


def test_an_empty_passphrase_seals_nothing():
    with pytest.raises(VaultError, match="five random words"):
        seal_new({}, Secret(""))


def test_keys_do_not_show(sealed):
    assert repr(sealed[1]) == "DataKey(…)"
    with pytest.raises(TypeError):
        pickle.dumps(sealed[1])


def test_two_derivations_at_once_do_not_wait_for_each_other_for_ever(sealed):
    opened: list[DataKey] = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_key(sealed[0], PASSPHRASE)), daemon=True)
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(opened) == 3


def test_too_little_memory_is_said_in_one_line(sealed, tmp_path):
    script = (
        "import resource, sys\n"
        "from costcompass_core.domain.secret import Secret\n"
        "from costcompass_core.vault.format import open_key\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20),) * 2)\n"
        "try: open_key(sys.stdin.buffer.read(), Secret('any'))\n"
        "except Exception as fault: print(type(fault).__name__, fault)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, input=sealed[0], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"VaultError too little memory")
    assert b"64 MiB" in done.stdout
