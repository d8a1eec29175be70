"""Which providers there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from costcompass_core.providers import (
    anthropic,
    deepseek,
    focus,
    google,
    google_csv,
    openai,
    openrouter,
    together,
    vercel,
    xai,
)
from costcompass_core.providers.base import Provider

PROVIDERS: Final[Mapping[str, Provider]] = {
    provider.name: provider
    for provider in (
        openrouter.PROVIDER,
        anthropic.PROVIDER,
        openai.PROVIDER,
        deepseek.PROVIDER,
        xai.PROVIDER,
        together.PROVIDER,
        vercel.PROVIDER,
        google.PROVIDER,
        google_csv.PROVIDER,
        focus.PROVIDER,
    )
}
"""Every provider by the name that configuration and vault entries use."""
