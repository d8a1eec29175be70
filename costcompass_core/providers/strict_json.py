"""JSON as RFC 8259 has it and not a bit more, with every digit of every number kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn, Self

from costcompass_core.domain.money import plain


def decode(body: bytes) -> Any:
    """Return the value in `body`: fractions as `Decimal`, whole numbers as `int`.

    Raises `ValueError`, saying what the text is instead, for anything but strict UTF-8 JSON: a
    byte order mark, NaN or an infinity, a name given twice (parsers differ on which one counts),
    numbers or nesting beyond any sense. The text itself is never quoted.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise ValueError("not JSON (it begins with a byte order mark)")
    try:
        return _DECODER.decode(text)
    except _Refused:
        raise
    except json.JSONDecodeError:
        raise ValueError(f"not JSON ({_looks_like(text)})") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (ValueError, ArithmeticError):
        # int() refuses thousands of digits, Decimal() exponents that no machine can hold.
        raise ValueError("holding a number out of any range") from None


def decode_lines(body: bytes) -> list[Any]:
    """Return the value of each line (JSON Lines), empty ones left out. Raises as `decode` does."""
    found = []
    for number, line in enumerate(body.splitlines(), 1):
        if line.strip():
            try:
                found.append(decode(line))
            except ValueError as why:
                raise ValueError(f"{why}, in line {number}") from None
    return found


class Number(Decimal):
    """A fraction whose text has an exponent: `raw` is how it was written."""

    raw: str

    def __new__(cls, text: str) -> Self:
        """Keep `text` beside its value."""
        self = super().__new__(cls, text)
        self.raw = text
        return self


def raw_text(amount: Any) -> str | None:
    """Return how an amount was written, `None` where that is its plain notation (`money.plain`)."""
    if isinstance(amount, str):
        written = amount
    elif isinstance(amount, Number):
        return amount.raw
    elif isinstance(amount, Decimal):
        if amount:
            return None  # without an exponent a decimal keeps every digit that was written
        written = format(amount, "f")
    else:
        written = str(amount)
    return None if written == plain(Decimal(written)) else written


def _fraction(text: str) -> Decimal:
    return Number(text) if "e" in text or "E" in text else Decimal(text)


class _Refused(ValueError):
    """JSON that other parsers may take."""


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"holding {name}, which is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("holding the same name twice in one object")
    return found


def _looks_like(text: str) -> str:
    start = text.lstrip()[:1]
    if not start:
        return "empty"
    return "HTML" if start == "<" else "broken or cut short" if start in "{[" else "other text"


_DECODER = json.JSONDecoder(
    parse_float=_fraction, parse_constant=_no_constant, object_pairs_hook=_unique
)
