"""One line of a provider's answer, field by field: what is odd is told with its path and number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from costcompass_core.domain.errors import UnreadableAnswer
from costcompass_core.providers.fields import clean

_KEPT: Final = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines are from: a provider's title and the path it was asked for."""

    title: str
    path: str

    def unreadable(self, why: str) -> UnreadableAnswer:
        """Return the error for an answer that is odd."""
        return UnreadableAnswer(f"the answer of {self.title}'s {self.path} {why}", _KEPT)

    def line(self, number: int, values: Any) -> Line:
        """Return line `number`, counted from 1. Raises `UnreadableAnswer` for what is no object."""
        if not isinstance(values, dict):
            raise self.unreadable(f"has a line {number} that is no object")
        return Line(self, number, values)


@dataclass(frozen=True, slots=True)
class Line:
    """One object of an answer."""

    source: Source
    number: int
    values: Mapping[str, Any]

    def read(self, name: str, parse: Callable[[Any], _Value]) -> _Value:
        """Return a field as `parse` understands it, which raises `ValueError`; missing is `None`."""
        try:
            return parse(self.values.get(name))
        except ValueError as why:
            raise self.source.unreadable(f"is odd in line {self.number}: {name} {why}") from None

    def text(self, name: str) -> str:
        """Return a name fit to store; empty where there is none."""
        return self.read(name, _text)


def _text(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, str):
        return clean(raw.strip())
    raise ValueError("is no text")


def objects(raw: object) -> list[Any]:
    """Return a list as it is. Raises `ValueError` for anything else."""
    if isinstance(raw, list):
        return raw
    raise ValueError("is no list")
