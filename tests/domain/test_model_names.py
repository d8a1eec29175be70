"""The same model has one name wherever it was bought; two models never share one."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costcompass_core.domain.model_names import merged_name

SAME = {
    "claude-sonnet-4.5": [
        "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5@20250929", "Anthropic/Claude-Sonnet-4.5", " claude-sonnet-4.5 ",
        "openrouter/anthropic/claude-sonnet-4.5", "publishers/anthropic/models/claude-sonnet-4-5",
    ],
    "claude-3.5-sonnet": ["claude-3-5-sonnet-20241022", "anthropic/claude-3.5-sonnet"],
    "claude-3.7-sonnet": ["claude-3-7-sonnet-20250219"],
    "claude-3.7-sonnet:thinking": ["anthropic/claude-3.7-sonnet:thinking"],
    "claude-sonnet-4": ["claude-sonnet-4-20250514", "anthropic/claude-sonnet-4"],
    "claude-opus-4.1": ["claude-opus-4-1-20250805"],
    "gpt-4": ["openai/gpt-4"],
    "gpt-4o": ["gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"],
    "gpt-4o-mini": ["gpt-4o-mini-2024-07-18"],
    "gpt-4.1": ["openai/gpt-4.1", "gpt-4-1-2025-04-14"],
    "gpt-4.1-mini": ["openai/gpt-4.1-mini"],
    "gpt-4-1106-preview": [],
    "gpt-4-0613": [],
    "gpt-3.5-turbo-0125": ["gpt-3-5-turbo-0125"],
    "o1": ["o1-2024-12-17", "openai/o1"],
    "o1-mini": ["openai/o1-mini-2024-09-12"],
    "llama-3-8b": [],
    "llama-3.1-8b": ["meta-llama/llama-3.1-8b", "llama-3-1-8b"],
    "llama-3.1-70b": ["llama-3-1-70b"],
    "qwen2.5-72b-instruct": ["qwen/qwen2-5-72b-instruct"],
    "mixtral-8x7b": ["mistralai/mixtral-8x7b"],
    "deepseek-v3.1": ["deepseek/deepseek-v3-1", "deepseek-ai/DeepSeek-V3.1"],
    "deepseek-v4": ["deepseek/deepseek-v4"],
    "deepseek-v4-flash": ["deepseek/deepseek-v4-flash"],
    "deepseek-v4:free": ["deepseek/deepseek-v4:free"],
    "deepseek-v4:nitro": [],
    "deepseek-chat-v3-0324": ["deepseek/deepseek-chat-v3-0324"],
    "gemini-2.5-flash": ["models/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"],
    "gemini-2.5-flash-lite": ["google/gemini-2.5-flash-lite"],
    "gemini-2.5-flash-preview-05-20": ["google/gemini-2.5-flash-preview-05-20"],
    "grok-4-fast": ["x-ai/grok-4-fast", "xai/grok-4-fast"],
    "codestral-25-01": [],
    "command-r-08-2024": ["cohere/command-r-08-2024"],
    "x-4.5-6": [],
    "x-4-5-6": [],
    "acme/large": ["Acme/Large-2026-01-01"],
    "large": [],
    "beta/large": [],
    "accounts/me/models/tuned": [],
    "models/": [],
    "openai/": [],
    "gpt-20259999": [],
    "anthropic.claude-sonnet-4.5-20250929-v1:0": [],
    "": [" "],
}  # fmt: skip


@pytest.mark.parametrize(("name", "others"), SAME.items())
def test_one_model_has_one_name(name, others):
    assert [merged_name(other) for other in [name, *others]] == [name] * (1 + len(others))


def test_two_models_have_two():
    for one, other in combinations(SAME, 2):
        assert merged_name(one) != merged_name(other)


PIECES = st.sampled_from(
    ["openai/", "models/", "a/", "gpt", "x", "-", ".", "3", "5", "0", "10", "8b", "-20250929", "@20250929", "-2024-08-06", ":free", " "]
)  # fmt: skip


@given(st.text() | st.lists(PIECES, max_size=9).map("".join))
def test_merging_again_changes_nothing(model):
    assert merged_name(merged_name(model)) == merged_name(model)


NUMBERS = st.integers(0, 99).map(str)
SIZES = st.sampled_from(["", "-8b", "-70b", "-mini", "-flash", ":free"])


@given(*[st.tuples(st.sampled_from(["gpt", "llama"]), NUMBERS, NUMBERS, SIZES)] * 2)
def test_versions_and_sizes_never_merge(one, other):
    spelled = [
        merged_name(f"{name}-{major}-{minor}{size}") for name, major, minor, size in (one, other)
    ]
    assert (spelled[0] == spelled[1]) == (one == other)
