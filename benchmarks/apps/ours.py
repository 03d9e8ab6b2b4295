"""wscontrollers."""

from __future__ import annotations

from typing import Annotated

from injector import Binder

from benchmarks.apps.graph import Clock, Journal, Store, declared
from wscontrollers import App, Container, Controller, Depends, Header, Module, WebSocket, singleton, websocket


class Services(Module):
    """Three services of the app."""

    def configure(self, binder: Binder) -> None:
        for cls in (Clock, Store, Journal):
            binder.bind(cls, scope=singleton)


inline, threads = declared(Depends, thread=False), declared(Depends)


class Desk(Controller):
    """The class with three services."""

    def __init__(self, clock: Clock, store: Store, journal: Journal) -> None:
        self.clock = clock
        self.store = store
        self.journal = journal

    @websocket("/ten")
    async def ten(
        self,
        websocket: WebSocket,
        permissions: str = inline.permissions,
        tenant: str = inline.tenant,
        features: str = inline.features,
        unit: str = inline.unit,
    ) -> None:
        """Ten functions, three of them plain, without threads."""
        await websocket.accept()
        await websocket.receive()

    @websocket("/ten-threads")
    async def ten_threads(
        self,
        websocket: WebSocket,
        permissions: str = threads.permissions,
        tenant: str = threads.tenant,
        features: str = threads.features,
        unit: str = threads.unit,
    ) -> None:
        """Ten functions, three of them plain, in threads."""
        await websocket.accept()
        await websocket.receive()


app = App(container=Container(Services()))


@app.websocket("/nothing")
async def nothing(websocket: WebSocket) -> None:
    """Accept, wait for the end."""
    await websocket.accept()
    await websocket.receive()


@app.websocket("/four/{room}")
async def four(websocket: WebSocket, room: str, limit: int, x_token: Annotated[str, Header()], order: str = "new") -> None:
    """Four parameters."""
    assert room
    assert limit
    assert order
    assert x_token
    await websocket.accept()
    await websocket.receive()


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    """Each text frame back."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


app.include_controller(Desk)
