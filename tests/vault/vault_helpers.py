from __future__ import annotations

from costcompass_core.domain.secret import Secret

PASSPHRASE = Secret("correct horse battery staple orbit")
NAME = "openrouter/main"
OLD = Secret("made-up-old-value")
NEW = Secret("made-up-new-value")
