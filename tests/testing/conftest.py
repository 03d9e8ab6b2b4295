"""Clients of small applications, on both event loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from wscontrollers.testing import AsyncTestClient, TestClient


@pytest.fixture(params=["asyncio", "trio"])
def client_of(request: pytest.FixtureRequest) -> Callable[..., TestClient]:
    """Makes a client of an endpoint, on each event loop."""

    def client(endpoint: Any, **options: Any) -> TestClient:
        app = Starlette(routes=[WebSocketRoute("/", endpoint)])
        return TestClient(app, backend=request.param, **options)

    return client


@pytest.fixture
def is_real(request: pytest.FixtureRequest) -> bool:
    """Whether a real uvicorn serves the application; `tests.testing.lines.every_line` says so."""
    real: bool = getattr(request, "param", False)
    return real


@pytest.fixture
def async_client_of(is_real: bool) -> Callable[..., AsyncTestClient]:
    """Makes an asynchronous client of an endpoint, or of several by their paths."""

    def client(*endpoint: Any, routes: dict[str, Any] | None = None, **options: Any) -> AsyncTestClient:
        paths = routes or {"/": endpoint[0]}
        app = Starlette(routes=[WebSocketRoute(path, one) for path, one in paths.items()])
        return AsyncTestClient(app, real=is_real, **options)

    return client
