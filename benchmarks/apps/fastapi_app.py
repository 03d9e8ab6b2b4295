"""FastAPI alone: the class is had by functions too."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Header, WebSocket

from benchmarks.apps.graph import Clock, Desk, Journal, Store, declared

app = FastAPI()


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


CLOCK = Clock()
STORE, JOURNAL = Store(CLOCK), Journal(CLOCK)


async def clock() -> Clock:
    return CLOCK


async def store() -> Store:
    return STORE


async def journal() -> Journal:
    return JOURNAL


async def desk(clock: Clock = Depends(clock), store: Store = Depends(store), journal: Journal = Depends(journal)) -> Desk:
    return Desk(clock, store, journal)


inline, threads = declared(Depends, coroutines=True), declared(Depends)


@app.websocket("/ten")
async def ten(
    websocket: WebSocket,
    permissions: str = inline.permissions,
    tenant: str = inline.tenant,
    features: str = inline.features,
    unit: str = inline.unit,
    desk: Desk = Depends(desk),
) -> None:
    """Ten functions, all of them `async def`, and a class."""
    await websocket.accept()
    await websocket.receive()


@app.websocket("/ten-threads")
async def ten_threads(
    websocket: WebSocket,
    permissions: str = threads.permissions,
    tenant: str = threads.tenant,
    features: str = threads.features,
    unit: str = threads.unit,
    desk: Desk = Depends(desk),
) -> None:
    """Ten functions, three of them plain, and a class."""
    await websocket.accept()
    await websocket.receive()
