"""What a configuration is made of: tables of keys, each of a kind, checked in one pass."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong: the key's path, what is wrong with it, the mend."""

    path: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        """Return the line that people read."""
        line = f"{self.path} {self.what}"
        return f"{line}: {self.mend}" if self.mend else line


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `read` raises `ValueError` with the words for what is wrong.

    `text` says that the value is a TOML string, so a variable's content is taken as it stands.
    `item` is the kind of each value of a list.
    """

    read: Callable[[Any], Any]
    expects: str
    text: bool = True
    item: Kind | None = None

    def from_text(self, content: str) -> object:
        """Return what an environment variable's content would be in the file."""
        if self.text:
            return content
        try:
            return tomllib.loads(f"value = {content}", parse_float=Decimal)["value"]
        except (ValueError, RecursionError):  # bad syntax, endless digits or nesting
            return content


@dataclass(frozen=True, slots=True)
class Key:
    """A key's kind, what it means, and its default; without a default it must be there.

    `says` is a sentence for people, in Markdown.
    """

    kind: Kind
    says: str
    default: Any = _MISSING

    @property
    def required(self) -> bool:
        """Whether the key must be there."""
        return self.default is _MISSING


@dataclass(frozen=True, slots=True)
class Table:
    """A table's keys and sub-tables; `many` marks a list of such tables (`[[account]]`).

    `says` is what the table is for, as for a `Key`.
    """

    says: str
    keys: Mapping[str, Key]
    tables: Mapping[str, Table] = field(default_factory=dict)
    many: bool = False
    optional: bool = False

    def read(self, node: Any, path: str, mistakes: list[Mistake]) -> Any:
        """Return the checked values, defaults filled in, adding to `mistakes` what is wrong."""
        if not self.many:
            return self._read_one(node, path, mistakes)
        if not isinstance(node, list) or not all(isinstance(one, Mapping) for one in node):
            mistakes.append(Mistake(path, "must be a list of tables", f"write [[{path}]]"))
            return []
        return [self._read_one(one, f"{path}[{i}]", mistakes) for i, one in enumerate(node)]

    def _read_one(self, node: Any, path: str, mistakes: list[Mistake]) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            mistakes.append(Mistake(path, "must be a table", f"write [{path}]"))
            node = {}
        known = [*self.keys, *self.tables]
        mistakes.extend(
            Mistake(_join(path, name), "is not a known key", _nearest(name, known))
            for name in node
            if name not in known
        )
        values: dict[str, Any] = {
            name: _read_key(key, node, _join(path, name), name, mistakes)
            for name, key in self.keys.items()
        }
        for name, table in self.tables.items():
            empty: Any = [] if table.many else {}
            values[name] = (
                None
                if table.optional and name not in node
                else table.read(node.get(name, empty), _join(path, name), mistakes)
            )
        return values

    def kind_at(self, path: list[str]) -> Kind | None:
        """Return the kind of the key at `path`, `None` where there is no such key."""
        step, *rest = path
        if self.many:
            return (
                Table(self.says, self.keys, self.tables).kind_at(rest)
                if _is_place(step) and rest
                else None
            )
        if not rest:
            return self.keys[step].kind if step in self.keys else None
        return self.tables[step].kind_at(rest) if step in self.tables else None

    def nearest(self, path: list[str]) -> str:
        """Return the hint for a `path` that leads nowhere."""
        step, *rest = path or [""]
        if self.many and _is_place(step):
            return Table(self.says, self.keys, self.tables).nearest(rest)
        if step in self.tables:
            return self.tables[step].nearest(rest)
        return _nearest(step, [*self.keys, *self.tables])


def _read_key(
    key: Key, node: Mapping[str, Any], path: str, name: str, mistakes: list[Mistake]
) -> Any:
    if name not in node:
        if key.required:
            mistakes.append(Mistake(path, "is missing", f"it must be {key.kind.expects}"))
            return None
        return key.default
    return _read_value(key.kind, node[name], path, mistakes)


def _read_value(kind: Kind, value: Any, path: str, mistakes: list[Mistake]) -> Any:
    if kind.item is not None and isinstance(value, list):
        item = kind.item
        return tuple(
            _read_value(item, one, f"{path}[{i}]", mistakes) for i, one in enumerate(value)
        )
    try:
        return kind.read(value)
    except ValueError as error:
        mistakes.append(Mistake(path, str(error)))
        return None


def _is_place(step: str) -> bool:
    """Return whether `step` of a variable's name is a position in a list of tables."""
    return re.fullmatch(r"\d{1,3}", step, re.ASCII) is not None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"


def differing(before: object, after: object, path: str = "") -> list[str]:
    """Return the keys, such as `alerts.quiet_hours`, whose values differ between two trees.

    Of a list of tables only its own name: entries have no identity but their place.
    """
    if before == after:
        return []
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return [path]
    found = []
    for key in dict.fromkeys([*before, *after]):
        inner = f"{path}.{key}" if path else str(key)
        found += differing(before.get(key), after.get(key), inner)
    return found
