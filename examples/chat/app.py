"""The application: the page, its files, and the rooms."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from examples.chat.rooms import Rooms
from wscontrollers import App, Container, Request

FILES = Path(__file__).parent / "static"


async def page(request: Request) -> FileResponse:
    """The page. The policy lets nothing run or load that is not one of our own files, whatever somebody types into a room."""
    return FileResponse(FILES / "index.html", headers={"content-security-policy": "default-src 'self'; img-src 'self' data:"})


def make_app(container: Container | None = None) -> App:
    """A chat of its own: each application has its own rooms.

    Args:
        container: What supplies the services; a test gives one with other `Limits`.
    """
    routes = [Route("/", page), Mount("/static", StaticFiles(directory=FILES), name="static")]
    return App(controllers=[Rooms], container=container, routes=routes)
