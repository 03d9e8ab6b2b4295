"""What all tests share: async ones run on both event loops."""

from __future__ import annotations

import pytest

from wscontrollers.logs import begin_anew


@pytest.fixture(autouse=True)
def fresh_logs() -> None:
    """No line of a test is left out for those of another one."""
    begin_anew()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both back ends of anyio; a test of the framework that holds on one only must say why."""
    backend: str = request.param
    return backend
