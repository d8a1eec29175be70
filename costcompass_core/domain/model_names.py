"""One name for one model, whoever sold it; when in doubt, two names: a wrong merge hides a cost."""

from __future__ import annotations

import re
from typing import Final

_AUTHORS: Final = (
    "ai21", "amazon", "anthropic", "arcee-ai", "baidu", "bytedance-seed", "cohere", "deepseek",
    "deepseek-ai", "google", "inception", "meta", "meta-llama", "microsoft", "minimax", "minimaxai",
    "mistral", "mistralai", "moonshot", "moonshotai", "openai", "perplexity", "qwen", "stepfun-ai",
    "tencent", "x-ai", "xai", "xiaomi", "z-ai", "zai", "zai-org",
)  # fmt: skip
"""Makers whose models have names of their own. Any other prefix stays: `acme/large` is not `large`."""

_AUTHOR: Final = re.compile(
    rf"(?:openrouter/|publishers/)?(?:{'|'.join(_AUTHORS)})/(?:models/)?(?=[a-z0-9])"
    r"|models/(?=[a-z0-9][^/]*$)"  # Google's own API says models/gemini-…
)
_DATES: Final = re.compile(
    r"(?<=[a-z0-9])(?:[-@]20[0-9]{2}(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01]))+$"
)
_NUMBER: Final = r"(?:0|[1-9][0-9]?)"
_VERSION: Final = re.compile(
    rf"(?<![0-9.])(?<![0-9]-){_NUMBER}(?:[-.]{_NUMBER})+(?![0-9a-z.])(?!-[0-9]+(?:-|$))"
)
"""Short numbers in a row that end there: the `4-5` of `sonnet-4-5`, not the `3-8` of `llama-3-8b`."""


def merged_name(model: str) -> str:
    """Return the name that `model` shares with the same model bought elsewhere, in lower case.

    Dropped are a known maker's prefix and the date of a version; a dash between the two numbers of
    a version becomes a dot. A variant after a colon has a price of its own and stays. The result
    stays itself when it is merged again.
    """
    name, colon, variant = model.strip().lower().partition(":")
    name = _VERSION.sub(_dotted, _DATES.sub("", _without_author(name)))
    return f"{name}{colon}{variant}"


def _without_author(name: str) -> str:
    while (prefix := _AUTHOR.match(name)) is not None:
        name = name[prefix.end() :]
    return name


def _dotted(version: re.Match[str]) -> str:
    numbers = re.split("[-.]", version[0])
    return ".".join(numbers) if len(numbers) == 2 else version[0]
