"""Clients of small applications, on both event loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from wscontrollers.testing import TestClient


@pytest.fixture(params=["asyncio", "trio"])
def client_of(request: pytest.FixtureRequest) -> Callable[..., TestClient]:
    """Makes a client of an endpoint, on each event loop."""

    def client(endpoint: Any, **options: Any) -> TestClient:
        app = Starlette(routes=[WebSocketRoute("/", endpoint)])
        return TestClient(app, backend=request.param, **options)

    return client
