"""Sending without waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from wscontrollers.session.stepping import is_steppable, resumed, server_behind


@pytest.mark.parametrize("protocol", [WebSocketsSansIOProtocol, WSProtocol])
def test_a_known_servers_own_send_is_stepped(protocol: Any) -> None:
    """And no other: what stands around it may belong to the task that calls it."""
    send = object.__new__(protocol).send

    async def around(message: Any) -> None:
        await send(message)

    class Other(protocol):  # type: ignore[misc]
        async def send(self, message: Any) -> None: ...

    assert is_steppable(send)
    assert not is_steppable(around)
    assert not is_steppable(object.__new__(Other).send)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the known servers run on it alone
class TestResumed:
    """A coroutine that was stepped once goes on in another task as if nothing had been."""

    async def test_it_comes_to_its_end(self) -> None:
        """What it waits for wakes it, several times."""
        gates = [asyncio.Event(), asyncio.Event()]
        passed: list[int] = []

        async def write() -> None:
            for number, gate in enumerate(gates):
                await gate.wait()
                passed.append(number)

        stepped = write()
        going_on = asyncio.create_task(awaiting(stepped, stepped.send(None)))
        for gate in gates:
            assert not going_on.done()
            gate.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await going_on
        assert passed == [0, 1]

    async def test_its_exception_is_raised(self) -> None:
        """To the task that goes on with it."""
        gate = asyncio.Event()

        async def write() -> None:
            await gate.wait()
            raise OSError("gone")

        stepped = write()
        waits_for = stepped.send(None)
        gate.set()
        with pytest.raises(OSError, match="gone"):
            await resumed(stepped, waits_for)

    async def test_a_cancellation_reaches_it(self) -> None:
        """It can clean up."""
        seen: list[str] = []

        async def write() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        stepped = write()
        going_on = asyncio.create_task(awaiting(stepped, stepped.send(None)))
        await asyncio.sleep(0)
        going_on.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going_on
        assert seen == ["cancelled"]


async def awaiting(stepped: Any, waits_for: Any) -> None:
    await resumed(stepped, waits_for)


@pytest.mark.parametrize("protocol", [WebSocketsSansIOProtocol, WSProtocol])
def test_one_way_is_enough_to_know_a_server(protocol: Any) -> None:
    """Middleware wraps `send`, or `receive`; behind both nobody knows."""
    server = object.__new__(protocol)

    async def around(*_: Any) -> None: ...

    assert server_behind(server.send, around) is server_behind(around, server.receive) is server
    assert server_behind(around, around) is None
