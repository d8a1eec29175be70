from __future__ import annotations

import pytest
from vault_helpers import NAME, OLD, PASSPHRASE

from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import Vault
from costcompass_core.vault.format import DataKey, open_key, seal_new


@pytest.fixture(scope="session")
def sealed() -> tuple[bytes, DataKey]:
    """Derives twice for all tests together; a derivation costs 170 ms."""
    blob = seal_new({NAME: OLD, "slack/bot-token": Secret("made-up-token")}, PASSPHRASE)
    return blob, open_key(blob, PASSPHRASE)


@pytest.fixture
def vault(tmp_path, sealed) -> Vault:
    blob, key = sealed
    path = tmp_path / "state" / "vault"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(blob)
    path.chmod(0o600)
    return Vault(path, key)
