"""The stand-in's Socket Mode, as a raw WebSocket client sees it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_clients import Client, Clock, call, masked, post, section

from bot.sandbox.slack import Slack
from bot.sandbox.websocket import Frame, Misbehaved, Opcode, WebSocket


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[Slack]:
    with Slack(clock) as slack:
        yield slack


@pytest.fixture
def client(slack: Slack) -> Iterator[Client]:
    with closing(Client(link(slack))) as client:
        assert client.status == 101
        assert client.receive_text()["type"] == "hello"
        yield client


def link(slack: Slack) -> str:
    return str(call(slack, "apps.connections.open", slack.app_token)["url"])


def typing(slack: Slack, *words: str, **who: str) -> tuple[Thread, list[Any]]:
    replies: list[Any] = []
    person = Thread(target=lambda: replies.append(slack.user.command(*words, **who)))
    person.start()
    return person, replies


def test_a_ticket_admits_once(slack: Slack):
    url = link(slack)
    with closing(Client(url)) as first, closing(Client(url)) as second:
        hello = first.receive_text()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert second.status == 503


def test_a_command_travels_as_slack_sends_it_and_its_answer_is_shown(slack: Slack, client: Client):
    person, replies = typing(slack, "/spend", "a<b> & c", user_id="U7")
    envelope = client.receive_text()
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    payload = envelope["payload"]
    assert payload["text"] == "a&lt;b&gt; &amp; c"
    assert (payload["user_id"], payload["team_id"]) == ("U7", slack.team_id)
    answer = {"text": "Hi.", "blocks": [section("Hi.")], "response_type": "in_channel"}
    client.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": answer}).encode())
    person.join()
    assert (replies[0].text, replies[0].response_type) == ("Hi.", "in_channel")
    assert (slack.messages[0].via, slack.messages[0].only_for) == ("ack", "")


def test_a_response_url_works_five_times_in_thirty_minutes(
    slack: Slack, client: Client, clock: Clock
):
    urls = []
    for _ in range(2):
        person, replies = typing(slack, "/spend")
        envelope = client.receive_text()
        client.send(json.dumps({"envelope_id": envelope["envelope_id"]}).encode())
        person.join()
        urls.append(envelope["payload"]["response_url"])
    more = json.dumps({"text": "more"})
    answers = [post(urls[1], more, "application/json")[0] for _ in range(6)]
    assert answers == [200] * 5 + [404]
    assert [shown.text for shown in replies[0].later] == ["more"] * 5
    assert post(urls[0], json.dumps({"blocks": [{}]}), "application/json")[2] == "invalid_blocks"
    clock.now += timedelta(minutes=30)
    assert post(urls[0], more, "application/json")[2] == "expired_url"


def test_an_answer_that_slack_would_not_show_fails_for_the_user(slack: Slack, client: Client):
    person, replies = typing(slack, "/spend")
    ident = client.receive_text()["envelope_id"]
    bad = {"text": "a", "blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}]}
    client.send(json.dumps({"envelope_id": ident, "payload": bad}).encode())
    person.join()
    assert (replies[0].error, replies[0].text) == ("invalid_blocks", "")
    assert "/blocks/0/text" in slack.violations[0]
    assert slack.messages == ()


def test_an_unacknowledged_command_times_out_and_is_not_sent_again(slack: Slack, client: Client):
    person, replies = typing(slack, "/spend", "one")
    assert client.receive_text()["payload"]["text"] == "one"
    person.join()
    assert replies[0].error == "operation_timeout"
    person, replies = typing(slack, "/spend", "two")
    envelope = client.receive_text()
    assert envelope["payload"]["text"] == "two"
    client.send(json.dumps({"envelope_id": envelope["envelope_id"]}).encode())
    person.join()
    assert replies[0].error == ""


def test_without_a_connection_a_command_fails_at_once(slack: Slack):
    assert slack.user.command("/spend").error == "dispatch_failed"


def test_presses_and_events_travel_too(slack: Slack, client: Client):
    for act, kind in (
        (lambda: slack.user.action("snooze", "4h"), "interactive"),
        (lambda: slack.user.event({"type": "app_home_opened", "user": "U1"}), "events_api"),
    ):
        person = Thread(target=act)
        person.start()
        envelope = client.receive_text()
        assert envelope["type"] == kind
        client.send(json.dumps({"envelope_id": envelope["envelope_id"]}).encode())
        person.join()


def test_pressing_finds_the_button_as_the_message_stands_now(slack: Slack, client: Client):
    ack = {"type": "button", "text": plain("Acknowledge"), "action_id": "ack", "value": "7"}
    top_up = {"type": "button", "text": plain("Top up"), "url": "https://a.invalid/credits"}
    blocks = [section("Low"), {"type": "actions", "elements": [ack, top_up]}]
    sent = call(slack, "chat.postMessage", channel="U7", text="Low", blocks=blocks)
    payload = pressed(slack, client, sent["ts"], "Acknowledge", user_id="U7")
    action = payload["actions"][0]
    assert (action["action_id"], action["value"], action["text"]) == (
        "ack",
        "7",
        plain("Acknowledge"),
    )
    assert (payload["user"]["id"], payload["team"]["id"]) == ("U7", slack.team_id)
    assert payload["channel"] == {"id": "D7", "name": "directmessage"}
    assert payload["container"]["message_ts"] == payload["message"]["ts"] == sent["ts"]
    rows = [block["block_id"] for block in payload["message"]["blocks"]]
    assert action["block_id"] == rows[1] != rows[0]
    url = pressed(slack, client, slack.messages[0], "Top up")["actions"][0]
    assert (url["url"], "value" in url) == ("https://a.invalid/credits", False)
    edit = {"channel": "D7", "ts": sent["ts"], "text": "Low"}
    call(slack, "chat.update", **edit, blocks=[{"type": "actions", "elements": [top_up]}])
    with pytest.raises(LookupError, match="'Top up'"):
        slack.user.press(sent["ts"], "ack")


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def pressed(slack: Slack, client: Client, *what: Any, **who: str) -> dict[str, Any]:
    person = Thread(target=lambda: slack.user.press(*what, **who))
    person.start()
    envelope = client.receive_text()
    client.send(json.dumps({"envelope_id": envelope["envelope_id"]}).encode())
    person.join()
    payload: dict[str, Any] = envelope["payload"]
    return payload


def test_the_eleventh_connection_is_turned_away(slack: Slack):
    clients, first = [], []
    try:
        for _ in range(11):
            clients.append(Client(link(slack)))
            first.append(clients[-1].receive_text())  # it counts from its greeting on
        assert [message["type"] for message in first[:10]] == ["hello"] * 10
        assert first[10]["reason"] == "too_many_websockets"
    finally:
        for client in clients:
            client.close()


def test_pings_are_answered_unless_the_peer_is_silent(slack: Slack, client: Client):
    client.send(b"a", Opcode.PING)
    while (frame := client.receive())[0] != Opcode.PONG:
        pass
    assert frame == (Opcode.PONG, b"a")
    slack.links.silent = True
    client.send(b"b", Opcode.PING)
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.receive()


def test_closing_cuts_open_connections_and_may_be_repeated(slack: Slack, client: Client):
    slack.close()
    client.reader.read()
    slack.close()
    assert slack.links.count == 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x01a", 1002),  # not masked
        (masked(Opcode.TEXT, b"\xff", final=True), 1007),
        (masked(Opcode.BINARY, b"a", final=True), 1003),
        (masked(Opcode.CONTINUATION, b"a", final=True), 1002),
        (masked(Opcode.PING, b"a" * 126, final=True), 1002),
        (masked(Opcode.PING, b"", final=False), 1002),
        (masked(0x3, b"", final=True), 1002),
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x81\xff" + struct.pack("!Q", 1 << 40), 1009),
        (masked(Opcode.TEXT, b"[]", final=True), 1008),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",  # masks are random
)
def test_a_client_that_breaks_the_protocol_is_told_why(client: Client, raw: bytes, code: int):
    client.socket.sendall(raw)
    while (frame := client.receive())[0] != Opcode.CLOSE:
        pass
    assert struct.unpack("!H", frame[1][:2]) == (code,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), min_size=1, max_size=4), st.data())
def test_a_message_arrives_whole_however_it_is_cut(parts: list[str], data: st.DataObject):
    frames = [
        masked(
            Opcode.CONTINUATION if index else Opcode.TEXT,
            part.encode(),
            final=index == len(parts) - 1,
        )
        for index, part in enumerate(parts)
    ]
    stream = b"".join(frames)
    cut = data.draw(st.integers(0, len(stream)))
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as reader:
        sender = Thread(target=lambda: (theirs.sendall(stream[:cut]), theirs.sendall(stream[cut:])))
        sender.start()
        received = WebSocket(ours, reader).receive()
        sender.join()
    assert received == Frame(Opcode.TEXT, "".join(parts).encode(), final=True)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_no_bytes_whatever_break_the_reader(junk: bytes):
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rb") as reader:
        with theirs:
            theirs.sendall(junk)
        peer = WebSocket(ours, reader)
        with suppress(Misbehaved):
            while peer.receive() is not None:
                pass
