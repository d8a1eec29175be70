"""The server's half of a WebSocket (RFC 6455), as much as Socket Mode needs: text and control frames."""

from __future__ import annotations

import base64
import binascii
import hashlib
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from enum import IntEnum
from io import BufferedIOBase
from itertools import cycle
from threading import Lock
from typing import Final, NamedTuple

_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""The constant of RFC 6455, section 1.3, that proves the server speaks WebSocket."""

_LONGEST_MESSAGE: Final = 1 << 20
"""Bytes; Slack documents no limit, so this only keeps a runaway client from filling the memory."""

_LONGEST_CONTROL: Final = 125


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class Frame(NamedTuple):
    """One frame as it came in, unmasked."""

    opcode: Opcode
    payload: bytes
    final: bool


class HandshakeRefused(Exception):
    """The upgrade request is not one of RFC 6455, section 4.2.1."""


class Misbehaved(Exception):
    """The client broke the protocol; `code` is the status to close with (section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def handshake(headers: Mapping[str, str]) -> bytes:
    """Return the 101 answer to an upgrade request; `headers` have lower-case names."""
    key = headers.get("sec-websocket-key", "")
    if headers.get("upgrade", "").lower() != "websocket":
        raise HandshakeRefused("no Upgrade: websocket")
    if "upgrade" not in headers.get("connection", "").lower():
        raise HandshakeRefused("no Connection: Upgrade")
    if headers.get("sec-websocket-version") != "13":
        raise HandshakeRefused("not version 13")
    if _decoded_length(key) != 16:
        raise HandshakeRefused("the key is not 16 bytes in base64")
    proof = base64.b64encode(hashlib.sha1(key.encode() + _GUID.encode()).digest()).decode()  # noqa: S324 - the RFC's choice
    lines = (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {proof}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class WebSocket:
    """An accepted connection. One thread receives; any thread may send."""

    def __init__(self, connection: socket.socket, reader: BufferedIOBase) -> None:
        """`reader` is the buffered reading end of `connection`."""
        self._connection = connection
        self._reader = reader
        self._sending = Lock()

    def receive(self) -> Frame | None:
        """Wait for the next text message or control frame; `None` once the connection is over."""
        parts: list[bytes] = []
        while True:
            frame = self._read_frame()
            if frame is None or frame.opcode >= Opcode.CLOSE:
                return frame
            _check_order(frame, started=bool(parts))
            parts.append(frame.payload)
            if sum(map(len, parts)) > _LONGEST_MESSAGE:
                raise Misbehaved(1009, "message too long")
            if frame.final:
                return Frame(Opcode.TEXT, _utf8(b"".join(parts)), final=True)

    def send(self, opcode: Opcode, payload: bytes) -> None:
        """Send one unmasked, unfragmented frame; `OSError` if the client is gone."""
        with self._sending:
            self._connection.sendall(_head(opcode, len(payload)) + payload)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame, if anyone still listens, and hang up."""
        with suppress(OSError):
            self.send(Opcode.CLOSE, struct.pack("!H", code) + reason.encode())
        self.drop()

    def drop(self) -> None:
        """Cut the TCP connection without a word."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _read_frame(self) -> Frame | None:
        head = self._read(2)
        if head is None:
            return None
        opcode, final = _opcode(head[0]), bool(head[0] & 0x80)
        if not head[1] & 0x80:
            raise Misbehaved(1002, "a client's frames are masked")
        length = self._length(head[1] & 0x7F)
        if opcode >= Opcode.CLOSE and (length > _LONGEST_CONTROL or not final):
            raise Misbehaved(1002, "a control frame is short and whole")
        mask, masked = self._read(4), self._read(length)
        if mask is None or masked is None:
            return None
        return Frame(opcode, bytes(a ^ b for a, b in zip(masked, cycle(mask), strict=False)), final)

    def _length(self, short: int) -> int:
        if short < 126:
            return short
        form, size = ("!H", 2) if short == 126 else ("!Q", 8)
        raw = self._read(size) or bytes(size)
        length: int = struct.unpack(form, raw)[0]
        if length > _LONGEST_MESSAGE:
            raise Misbehaved(1009, "message too long")
        return length

    def _read(self, size: int) -> bytes | None:
        """Return exactly `size` bytes, or `None` when the connection ended first."""
        try:
            data = self._reader.read(size)
        except (OSError, ValueError):  # ValueError: closed by another thread while reading
            return None
        return data if len(data) == size else None


def _decoded_length(key: str) -> int:
    try:
        return len(base64.b64decode(key, validate=True))
    except binascii.Error:
        return 0


def _opcode(first: int) -> Opcode:
    if first & 0x70:
        raise Misbehaved(1002, "no extension was agreed on")
    try:
        return Opcode(first & 0x0F)
    except ValueError:
        raise Misbehaved(1002, "unknown opcode") from None


def _check_order(frame: Frame, *, started: bool) -> None:
    if frame.opcode is Opcode.BINARY:
        raise Misbehaved(1003, "Socket Mode is text")
    if started != (frame.opcode is Opcode.CONTINUATION):
        raise Misbehaved(1002, "fragments out of order")


def _utf8(payload: bytes) -> bytes:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise Misbehaved(1007, "text is UTF-8") from None
    return payload


def _head(opcode: Opcode, length: int) -> bytes:
    first = 0x80 | opcode
    if length < 126:
        return struct.pack("!BB", first, length)
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)
