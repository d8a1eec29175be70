"""A dozen models with several hosts each, at prices like those of autumn 2026, for the scenario."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Host:
    """An upstream and its prices in USD per million tokens: prompt, completion, cached prompt."""

    name: str
    prompt: Decimal
    completion: Decimal
    cached: Decimal

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int) -> Decimal:
        """Return the exact price of that many tokens, in USD; cached ones are among the prompt's."""
        micro_usd = (
            (prompt_tokens - cached_tokens) * self.prompt
            + cached_tokens * self.cached
            + completion_tokens * self.completion
        )
        return micro_usd.scaleb(-6).normalize()


@dataclass(frozen=True, slots=True)
class Model:
    """A model; `prompt`, `completion`: usual tokens of a request, `cached`, `thinking`: their shares."""

    slug: str
    permaslug: str
    title: str
    released: date
    context: int
    hosts: tuple[Host, ...]
    prompt: int = 4000
    completion: int = 600
    cached: float = 0.0
    thinking: float = 0.0


def model_listing(model: Model) -> dict[str, Any]:
    """Return the model as `/models` lists it: prices are text, in USD per token."""
    host = model.hosts[0]
    return {
        "id": model.slug,
        "canonical_slug": model.permaslug,
        "name": model.title,
        "created": int(datetime.combine(model.released, time(), UTC).timestamp()),
        "context_length": model.context,
        "architecture": {
            "modality": "text->text",
            "input_modalities": ["text"],
            "output_modalities": ["text"],
        },
        "pricing": {
            "prompt": _per_token(host.prompt),
            "completion": _per_token(host.completion),
            "input_cache_read": _per_token(host.cached),
        },
        "top_provider": {"context_length": model.context, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "temperature", "tools"],
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{model.permaslug}/endpoints"},
    }


def _per_token(price: Decimal) -> str:
    return format(price.scaleb(-6).normalize(), "f")


def _host(name: str, prompt: str, completion: str, cached: str = "") -> Host:
    return Host(name, Decimal(prompt), Decimal(completion), Decimal(cached or prompt))


CATALOG: Final = (
    Model(
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-4.5-sonnet-20250929",
        "Anthropic: Claude Sonnet 4.5",
        date(2025, 9, 29),
        1_000_000,
        (
            _host("Anthropic", "3", "15", "0.3"),
            _host("Amazon Bedrock", "3", "15", "0.3"),
            _host("Google", "3.3", "16.5", "0.33"),
        ),
        prompt=9000,
        completion=650,
        cached=0.72,
    ),
    Model(
        "anthropic/claude-haiku-4.5",
        "anthropic/claude-4.5-haiku-20251001",
        "Anthropic: Claude Haiku 4.5",
        date(2025, 10, 15),
        200_000,
        (_host("Anthropic", "1", "5", "0.1"), _host("Amazon Bedrock", "1.1", "5.5", "0.11")),
        prompt=3800,
        completion=420,
        cached=0.5,
    ),
    Model(
        "openai/gpt-4.1",
        "openai/gpt-4.1-2025-04-14",
        "OpenAI: GPT-4.1",
        date(2025, 4, 14),
        1_047_576,
        (_host("OpenAI", "2", "8", "0.5"), _host("Azure", "2", "8", "0.5")),
        prompt=5200,
        completion=480,
        cached=0.3,
    ),
    Model(
        "openai/gpt-5-mini",
        "openai/gpt-5-mini-2025-08-07",
        "OpenAI: GPT-5 Mini",
        date(2025, 8, 7),
        400_000,
        (_host("OpenAI", "0.25", "2", "0.025"), _host("Azure", "0.275", "2.2", "0.0275")),
        prompt=3100,
        completion=1500,
        cached=0.2,
        thinking=0.62,
    ),
    Model(
        "google/gemini-2.5-flash",
        "google/gemini-2.5-flash",
        "Google: Gemini 2.5 Flash",
        date(2025, 6, 17),
        1_048_576,
        (_host("Google", "0.3", "2.5", "0.03"), _host("Google AI Studio", "0.3", "2.5", "0.0301")),
        prompt=6400,
        completion=700,
        cached=0.15,
        thinking=0.2,
    ),
    Model(
        "deepseek/deepseek-r1-0528:free",
        "deepseek/deepseek-r1-0528",
        "DeepSeek: R1 0528 (free)",
        date(2025, 5, 28),
        163_840,
        (_host("Chutes", "0", "0"),),
        prompt=2900,
        completion=1900,
        thinking=0.85,
    ),
    Model(
        "deepseek/deepseek-chat-v3.1",
        "deepseek/deepseek-chat-v3.1",
        "DeepSeek: DeepSeek V3.1",
        date(2025, 8, 21),
        163_840,
        (
            _host("DeepInfra", "0.2087", "0.7913", "0.1669"),
            _host("Fireworks", "0.56", "1.68"),
            _host("SiliconFlow", "0.27", "1"),
        ),
        prompt=5200,
        completion=800,
        cached=0.1,
    ),
    Model(
        "qwen/qwen3-235b-a22b-2507",
        "qwen/qwen3-235b-a22b-07-25",
        "Qwen: Qwen3 235B A22B Instruct 2507",
        date(2025, 7, 21),
        262_144,
        (
            _host("DeepInfra", "0.0713", "0.4639"),
            _host("Together", "0.2", "0.6"),
            _host("Cerebras", "0.6", "1.2"),
        ),
        prompt=4700,
        completion=900,
    ),
    Model(
        "qwen/qwen3-coder",
        "qwen/qwen3-coder-480b-a35b-07-25",
        "Qwen: Qwen3 Coder 480B A35B",
        date(2025, 7, 23),
        262_144,
        (
            _host("DeepInfra", "0.2219", "0.9531", "0.0223"),
            _host("Novita", "0.29", "1.2"),
            _host("Together", "2", "2"),
        ),
        prompt=12_000,
        completion=700,
        cached=0.4,
    ),
    Model(
        "meta-llama/llama-3.3-70b-instruct",
        "meta-llama/llama-3.3-70b-instruct",
        "Meta: Llama 3.3 70B Instruct",
        date(2024, 12, 6),
        131_072,
        (
            _host("DeepInfra", "0.0383", "0.1217"),
            _host("Groq", "0.59", "0.79"),
            _host("Together", "0.88", "0.88"),
        ),
        prompt=2600,
        completion=350,
    ),
    Model(
        "mistralai/mistral-small-3.2-24b-instruct",
        "mistralai/mistral-small-3.2-24b-instruct-2506",
        "Mistral: Mistral Small 3.2 24B",
        date(2025, 6, 20),
        131_072,
        (_host("Mistral", "0.1", "0.3"), _host("DeepInfra", "0.0617", "0.1843")),
        prompt=1800,
        completion=250,
    ),
    Model(
        "x-ai/grok-4-fast",
        "x-ai/grok-4-fast",
        "xAI: Grok 4 Fast",
        date(2025, 9, 19),
        2_000_000,
        (_host("xAI", "0.2", "0.5", "0.05"),),
        prompt=14_000,
        completion=1600,
        cached=0.6,
        thinking=0.55,
    ),
    Model(
        "moonshotai/kimi-k2-0905",
        "moonshotai/kimi-k2-0905",
        "MoonshotAI: Kimi K2 0905",
        date(2025, 9, 4),
        262_144,
        (
            _host("Moonshot AI", "0.6", "2.5", "0.15"),
            _host("Groq", "1", "3", "0.5"),
            _host("DeepInfra", "0.3897", "1.9009"),
        ),
        prompt=7300,
        completion=900,
        cached=0.25,
    ),
    Model(
        "z-ai/glm-4.6",
        "z-ai/glm-4.6",
        "Z.AI: GLM 4.6",
        date(2025, 9, 30),
        204_800,
        (_host("Z.AI", "0.6", "2.2", "0.11"), _host("DeepInfra", "0.4523", "1.7519", "0.0831")),
        prompt=8100,
        completion=1300,
        cached=0.35,
        thinking=0.5,
    ),
)
