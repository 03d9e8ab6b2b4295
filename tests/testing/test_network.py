"""What only a real socket has."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.testing.endpoints import echo, silent
from wscontrollers.testing import AsyncTestClient, SendTimeout, network

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]
Clients = Callable[..., AsyncTestClient]


@pytest.fixture
def is_real() -> bool:
    """Here always."""
    return True


async def test_a_frame_of_any_size_comes_whole(async_client_of: Clients) -> None:
    """Larger than any buffer on its way."""
    async with async_client_of(echo) as client, client.connect("/") as session:
        await session.send_bytes(b"x" * 4_000_000)
        assert len(await session.receive_bytes()) == 4_000_000


async def test_a_server_that_does_not_read_fails_the_flood(async_client_of: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """The buffers are full, and the failure says why the test stands still."""
    monkeypatch.setattr(network, "_STALL", 0.1)

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await anyio.sleep_forever()

    async with async_client_of(endpoint) as client, client.connect("/", allow_leftovers=True) as session:
        with pytest.raises(SendTimeout, match=r"the server took no byte within 0\.1 s; it has stopped reading"):
            await session.flood(b"x" * 1_000_000 for _ in range(100))
        session.reset()


async def test_nobody_knows_what_the_kernel_keeps(async_client_of: Clients) -> None:
    """`unread` says so."""
    async with async_client_of(silent) as client, client.connect("/") as session:
        assert session.unread is None


async def test_a_handshake_that_the_server_itself_refuses(async_client_of: Clients) -> None:
    """No application ever sees it, and nothing is waited for."""
    async with async_client_of(silent) as client:
        refusal = await client.connect("/", headers={"sec-websocket-version": "12"}).expect_refused()
        assert 400 <= refusal.status < 500


async def test_two_resets_are_one(async_client_of: Clients) -> None:
    """A connection breaks once."""
    codes: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        codes.append((await websocket.receive())["code"])

    async with async_client_of(endpoint) as client:
        async with client.connect("/") as session:
            session.reset()
            session.reset()
        assert codes == [1005]
