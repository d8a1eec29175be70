"""Fixtures of the provider tests."""

import ssl
from datetime import UTC, datetime

import pytest
from scripted_server import KEY, Play, Server, Waits

from costcompass_core.providers.http import Http, Limits
from costcompass_core.providers.openrouter import PROVIDER


@pytest.fixture
def now():
    return lambda: datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def waits():
    return Waits()


@pytest.fixture
def serve():
    servers = []

    def start(*plays: Play, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(*plays, tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def connect(waits):
    clients = []

    def start(url: str, key: str = KEY, **limits) -> Http:
        headers = {"Authorization": f"Bearer {key}"}
        client = Http(
            url,
            headers,
            wait=waits,
            limits=Limits(**limits),
            jitter=lambda: 1.0,
            refusals=PROVIDER.refusals,
        )
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()
