"""A pytest plugin: clients of the application under test, without configuration.

It looks for a fixture named `app`; a project that calls it otherwise overrides `wsc_app`:

    @pytest.fixture
    def wsc_app(chat: App) -> App:
        return chat

All names begin with `wsc_`, and nothing happens to a test that asks for none of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .async_client import AsyncTestClient
    from .client import TestClient


@pytest.fixture
def wsc_app(request: pytest.FixtureRequest) -> Any:
    """The application under test: what the fixture `app` gives."""
    try:
        return request.getfixturevalue("app")
    except pytest.FixtureLookupError as error:
        if error.argname != "app":
            raise
        raise RuntimeError(
            "fixture wsc_app: there is no fixture `app`. Fix: define one that returns the application, or override wsc_app."
        ) from None


@pytest.fixture
async def wsc_client(wsc_app: Any, anyio_backend: Any) -> AsyncIterator[AsyncTestClient]:
    """An entered `AsyncTestClient` of the application; for tests that anyio's plugin runs."""
    from .async_client import AsyncTestClient  # a test run that asks for nothing here pays for nothing

    async with AsyncTestClient(wsc_app) as client:
        yield client


@pytest.fixture
async def wsc_real_client(wsc_app: Any, anyio_backend: Any) -> AsyncIterator[AsyncTestClient]:
    """The same with a real uvicorn on a free port; asyncio only, other event loops skip."""
    from .async_client import AsyncTestClient

    if (anyio_backend if isinstance(anyio_backend, str) else anyio_backend[0]) != "asyncio":
        pytest.skip("uvicorn runs on asyncio only")
    async with AsyncTestClient(wsc_app, real=True) as client:
        yield client


@pytest.fixture
def wsc_sync_client(wsc_app: Any) -> Iterator[TestClient]:
    """An entered `TestClient` of the application, for tests that are no coroutines."""
    from .client import TestClient

    with TestClient(wsc_app) as client:
        yield client
