"""The small shapes that Slack's blocks are made of; each check yields one line per fault.

A line begins with the JSON pointer of the place, as in the answers of Slack's own validation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

PLAIN: Final = frozenset({"plain_text"})
ANY_TEXT: Final = frozenset({"plain_text", "mrkdwn"})

Problems = Iterator[str]
"""What is wrong, one line per fault."""


def text_object(text: Any, at: str, most: int, kinds: frozenset[str] = ANY_TEXT) -> Problems:
    """A text object of one of `kinds` with at most `most` characters."""
    kind = text.get("type") if isinstance(text, Mapping) else None
    if kind not in kinds:
        yield f"{at}: a text object of type {' or '.join(sorted(kinds))}"
        return
    yield from keys(text, at, "type text", "emoji" if kind == "plain_text" else "verbatim")
    yield from string(text.get("text"), f"{at}/text", most)


def string(value: Any, at: str, most: int) -> Problems:
    """A string that is not empty and has at most `most` characters."""
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        yield f"{at}: 1 to {most} characters"


def keys(value: Any, at: str, required: str, optional: str = "") -> Problems:
    """An object with the names in `required`, perhaps those in `optional`, and no others."""
    if not isinstance(value, Mapping):
        yield f"{at}: an object"
        return
    needed = set(required.split())
    yield from (f"{at}: {key} is missing" for key in sorted(needed - value.keys()))
    unknown = value.keys() - needed - set(optional.split())
    yield from (f"{at}: {key} does not belong here" for key in sorted(map(str, unknown)))


def is_list(value: Any) -> bool:
    """Whether `value` is what JSON calls an array."""
    return isinstance(value, list | tuple)


def listed(value: Any, at: str, least: int, most: int) -> Problems:
    """A list of `least` to `most` things."""
    if not is_list(value) or not least <= len(value) <= most:
        yield f"{at}: a list of {least} to {most}"


def items(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Return each thing of a list with its place; nothing if it is no list."""
    return ((f"{at}/{index}", item) for index, item in enumerate(value if is_list(value) else ()))


def number(value: Any) -> bool:
    """Whether `value` is a number that JSON can carry."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
