"""Homes and modals of the pretended workspace: who sees which, and what a form says when it is sent.

Payloads: docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.sandbox.slack_blocks import problems
from bot.sandbox.slack_shapes import PLAIN, Problems, string, text_object

_TRIGGER: Final = timedelta(seconds=3)
"""How long after somebody did something a modal may be opened for it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a member sees; `published` counts how often it was put there."""

    ident: str
    content: Mapping[str, Any]
    at: datetime
    published: int = 1

    @property
    def payload(self) -> dict[str, Any]:
        """The view as payloads have it, with the state of its inputs."""
        return {
            **self.content,
            "id": self.ident,
            "hash": f"{self.published}.{self.ident}",
            "state": {"values": {}},
        }


@dataclass
class Views:
    """Every Home and every open modal, by member; and the triggers that may open one."""

    homes: dict[str, View] = field(default_factory=dict)
    modals: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def publish(self, member: str, view: Mapping[str, Any], ident: str, at: datetime) -> View:
        """Put a view into a member's Home."""
        before = self.homes.get(member)
        times = before.published + 1 if before else 1
        self.homes[member] = View(before.ident if before else ident, view, at, times)
        return self.homes[member]

    def redeem(self, trigger: str, now: datetime) -> tuple[str, str]:
        """Return the member whose deed a trigger stands for, or "" and Slack's error word."""
        member, at = self.triggers.pop(trigger, ("", now))
        if not member:
            return "", "invalid_trigger_id"
        return (member, "") if now - at <= _TRIGGER else ("", "expired_trigger_id")


def view_problems(view: Any, kind: str) -> tuple[str, ...]:
    """Say everything that is wrong with a view of a kind, "home" or "modal"."""
    if not isinstance(view, Mapping) or view.get("type") != kind:
        return (f"/view: a {kind} view",)
    return (*_about(view, kind), *problems(view.get("blocks"), 100))


def _about(view: Mapping[str, Any], kind: str) -> Problems:
    known = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
    known |= (
        {"title", "submit", "close", "clear_on_close", "notify_on_close"}
        if kind == "modal"
        else set()
    )
    yield from (f"/view: no {name}" for name in view if name not in known)
    yield from string(view.get("callback_id", "-"), "/view/callback_id", 255)
    if len(str(view.get("private_metadata", ""))) > 3_000:
        yield "/view/private_metadata: at most 3000 characters"
    if kind == "modal":
        yield from text_object(view.get("title"), "/view/title", 24, PLAIN)
        for name in ("submit", "close"):
            if name in view:
                yield from text_object(view[name], f"/view/{name}", 24, PLAIN)
        if any(one.get("type") == "input" for one in view["blocks"]) and "submit" not in view:
            yield "/view/submit: a view with inputs needs it"


def filled_in(view: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a form: what stood there, and `values` by `action_id` over it.

    Raises `LookupError`, which is the caller's fault, for an input that is not there.
    """
    state: dict[str, Any] = {}
    missing = set(values)
    for block_id, element in _inputs(view):
        name = element["action_id"]
        missing.discard(name)
        given = values.get(name, _NOTHING)
        state[block_id] = {name: _READ[element["type"]](element, given)}
    if missing:
        raise LookupError(f"no inputs {sorted(missing)} in the form")
    return {"values": state}


_NOTHING: Final = object()


def _inputs(view: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, block in enumerate(view["blocks"]):
        if block["type"] == "input":
            yield block.get("block_id", f"made-up-{place}"), block["element"]


def _text(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
    value = element.get("initial_value") if given is _NOTHING else given
    return {"type": element["type"], "value": value or None}


def _time(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
    value = element.get("initial_time") if given is _NOTHING else given
    return {"type": element["type"], "selected_time": value or None}


def _several(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
    if given is _NOTHING:
        return {"type": element["type"], "selected_options": element.get("initial_options", [])}
    known = {one["value"]: one for one in element["options"]}
    return {"type": element["type"], "selected_options": [known[one] for one in given]}


_READ: Final[Mapping[str, Callable[[Mapping[str, Any], Any], dict[str, Any]]]] = {
    "checkboxes": _several,
    "multi_static_select": _several,
    "plain_text_input": _text,
    "timepicker": _time,
}
