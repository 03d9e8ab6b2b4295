"""An endpoint that iterates calls: each has its response, also the one that it leaves unanswered."""

from __future__ import annotations

from typing import Any

from wscontrollers import App, Controller, JsonRpc, Message, Session, WebSocketDisconnect, websocket
from wscontrollers.testing import AsyncTestClient


class Double(Message):
    n: int


class Rename(Message):
    name: str


def call(id_: Any, method: str, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": list(params), "id": id_}


def result(id_: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": id_}


class Iterated(Controller):
    """Answers one of its methods, and not the other."""

    protocol = JsonRpc()

    @websocket("/iterated")
    async def iterated(self, session: Session[Double | Rename, int]) -> None:
        async for message in session:
            if isinstance(message, Double):
                await session.reply(message, 2 * message.n)

    @websocket("/received")
    async def received(self, session: Session[Double | Rename, int]) -> None:
        try:
            while True:
                message = await session.receive()
                if isinstance(message, Double):
                    await session.reply(message, 2 * message.n)
        except WebSocketDisconnect:
            pass


async def test_an_unanswered_call_has_the_result_null() -> None:
    """When the next message is taken; so no batch waits for ever."""
    async with AsyncTestClient(App(controllers=[Iterated])) as client:
        for path in ("/iterated", "/received"):
            async with client.connect(path) as peer:
                await peer.send_json(call(1, "rename", "tea"))
                assert await peer.receive_json() == result(1, None)
                await peer.send_json([call(2, "rename", "tea"), call(3, "double", 4), call(4, "rename", "milk")])
                assert await peer.receive_json() == [result(2, None), result(3, 8), result(4, None)]
