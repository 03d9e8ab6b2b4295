"""FastAPI with injector for the class, as those have it who share services between parts of an application."""

from __future__ import annotations

from fastapi import Depends, FastAPI, WebSocket
from injector import Binder, Injector, singleton

from benchmarks.apps.graph import Clock, Desk, Journal, Store, declared


def configure(binder: Binder) -> None:
    """Three services of the app, and the class."""
    for cls in (Clock, Store, Journal):
        binder.bind(cls, scope=singleton)
    binder.bind(Desk)


services = Injector([configure])
inline, threads = declared(Depends, coroutines=True), declared(Depends)
app = FastAPI()


async def desk() -> Desk:
    """The class, from the injector."""
    return services.get(Desk)


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
