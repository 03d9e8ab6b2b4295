"""The application: the page, its files, and the rooms. `uvicorn examples.chat.app:from_environment --factory` serves it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from examples.chat.chat import Chat
from examples.chat.rooms import ROOMS
from wscontrollers import App, Container, Limits, Request, WebSocket, WebSocketRequestValidationError, status
from wscontrollers.groups import Engine
from wscontrollers.messages import Codec

FILES = Path(__file__).parent / "static"
LIMITS = Limits(rate=10, burst=30, outbox=500)


async def page(request: Request) -> FileResponse:
    """The page. The policy lets nothing run or load that is not one of our own files, whatever somebody types into a room."""
    return FileResponse(FILES / "index.html", headers={"content-security-policy": "default-src 'self'; img-src 'self' data:"})


async def say_why(websocket: WebSocket, error: WebSocketRequestValidationError) -> None:
    """Refuse a name or a room. A page cannot read why a handshake is refused, only why a session is closed: so accept first."""
    fault = error.errors()[0]
    await websocket.accept()
    await websocket.close(status.WS_1008_POLICY_VIOLATION, f"{fault['loc'][-1]}: {fault['msg']}")


def page_routes() -> Sequence[BaseRoute]:
    """What a browser loads."""
    return [Route("/", page), Mount("/static", StaticFiles(directory=FILES), name="static")]


def make_app(
    container: Container | None = None,
    *,
    engine: Engine | str | None = None,
    limits: Limits = LIMITS,
    codecs: Sequence[Codec] = (),
) -> App:
    """A chat. With an engine its rooms are shared by all processes that have the same one; without, they are its own.

    Args:
        container: What supplies the services; a test gives one with another `Space`.
        engine: What carries the rooms between processes, or its URL: "redis://localhost:6379", "nats://localhost:4222".
        limits: What a session may take.
        codecs: What sessions can be held in; JSON alone when left out.
    """
    app = App(
        controllers=[Chat], groups=ROOMS, engine=engine, container=container, routes=page_routes(), limits=limits, codecs=codecs
    )
    app.exception_handler(WebSocketRequestValidationError)(say_why)
    return app


def from_environment() -> App:
    """The chat on the engine whose URL is in the variable CHAT_ENGINE; on none if there is none."""
    return make_app(engine=os.environ.get("CHAT_ENGINE"))
