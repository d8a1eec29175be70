"""What the tests of the Slack stand-in share: a clock, a plain HTTP client, a raw WebSocket client."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.slack import Slack
from bot.sandbox.websocket import Opcode

CHANNEL = "C0SANDBOX01"


class Clock:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def post(url: str, body: str, kind: str, token: str = "") -> tuple[int, dict[str, str], str]:
    parts = urlsplit(url)
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    with closing(HTTPConnection(parts.netloc, timeout=20)) as connection:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read().decode()


def call(slack: Slack, method: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
    bearer = slack.bot_token if token is None else token
    url, body = slack.api_url + method, json.dumps(arguments)
    answer: dict[str, Any] = json.loads(
        post(url, body, "application/json; charset=utf-8", bearer)[2]
    )
    return answer


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


class Client:
    """A WebSocket client as raw as it gets."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection(
            (str(parts.hostname), int(parts.port or 0)), timeout=20
        )
        self.reader = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        head += (
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        self.status = int(self.reader.readline().split()[1])
        while self.reader.readline().strip():
            pass

    def receive(self) -> tuple[int, bytes]:
        first, length = self.reader.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.reader.read(2))
        return first & 0x0F, self.reader.read(length)

    def receive_text(self) -> dict[str, Any]:
        while (frame := self.receive())[0] != Opcode.TEXT:
            pass
        message: dict[str, Any] = json.loads(frame[1])
        return message

    def send(self, payload: bytes, opcode: int = Opcode.TEXT, *, final: bool = True) -> None:
        self.socket.sendall(masked(opcode, payload, final=final))

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


def masked(opcode: int, payload: bytes, *, final: bool) -> bytes:
    mask, size = os.urandom(4), len(payload)
    first = bytes([opcode | (0x80 if final else 0)])
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return first + length + mask + bytes(a ^ b for a, b in zip(payload, cycle(mask), strict=False))
