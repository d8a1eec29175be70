"""Which provider a key belongs to, by how it begins: so that none is ever sent to a stranger.

Prefixes as the vendors document them or as their keys were seen. A bare `sk-` fits several (DeepSeek,
Moonshot, old keys of OpenAI) and is never guessed at: only the host it was stored for is asked.
"""

from __future__ import annotations

from typing import Final

from costcompass_core.domain.errors import WrongKeyType
from costcompass_core.domain.secret import Secret

_FORMS: Final = (
    ("sk-or-", "openrouter", "OpenRouter"),
    ("sk-ant-", "anthropic", "Anthropic"),
    ("sk-admin-", "openai", "OpenAI"),
    ("sk-proj-", "openai", "OpenAI"),
    ("sk-svcacct-", "openai", "OpenAI"),
    ("AIza", "google", "Google"),
    ("{", "google", "Google Cloud (a service account)"),
    ("xai-", "xai", "xAI"),
    ("gsk_", "", "Groq"),
    ("hf_", "", "Hugging Face"),
    ("pplx-", "", "Perplexity"),
    ("xoxb-", "slack", "Slack"),
    ("xoxp-", "slack", "Slack"),
    ("xapp-", "slack", "Slack"),
)


def refuse_foreign(key: Secret, provider: str, title: str, mend: str) -> None:
    """Raise `WrongKeyType`, naming the vendor, for what plainly is no key of `provider`."""
    text = key.expose()
    for prefix, owner, vendor in _FORMS:
        if text.startswith(prefix) and owner != provider:
            raise WrongKeyType(f"this is a key of {vendor}, not of {title}", mend)
