"""A secret that does not show itself by accident."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Text that only `expose()` reveals; `repr`, `str`, formatting and pickling do not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap `text` as it is."""
        self._text = text

    def expose(self) -> str:
        """Return the secret itself: only for the header or the seal that needs it."""
        return self._text

    def __repr__(self) -> str:
        """Hide the text."""
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        """Hide the text in f-strings too."""
        return repr(self)

    def __eq__(self, other: object) -> bool:
        """Compare by text."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """Hash by text."""
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a pickle is a copy that nobody guards."""
        raise TypeError("a Secret cannot be pickled")
