"""What all tests share: async ones run on both event loops."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both back ends of anyio; a test of the framework that holds on one only must say why."""
    backend: str = request.param
    return backend
