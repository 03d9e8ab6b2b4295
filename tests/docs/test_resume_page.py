"""The client in docs/how-to/resume.md, in a real browser, against the server of the same document."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.examples.browser import EXECUTABLE, browsing
from tests.serving import serving
from wscontrollers import App, Controller, Message, Resume, Session, receive, websocket

pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="there is no chromium on this machine; install it to try the page"),
    pytest.mark.timeout(120),
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "how-to" / "resume.md"


class Move(Message):
    by: int


class Moved(Message):
    to: int


class Game(Controller):
    """The document's game."""

    resume = Resume(grace=30)

    @websocket("/game")
    async def play(self, session: Session[Any, Any]) -> Any:
        self.place = 0
        yield

    @receive
    async def move(self, message: Move) -> Moved:
        self.place += message.by
        return Moved(to=self.place)


class Breakable:
    """An application whose connections the test can break."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._breaks: list[Callable[[], None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            loop, transport = asyncio.get_running_loop(), send.__self__.transport
            self._breaks.append(lambda: loop.call_soon_threadsafe(transport.abort) and None)
        await self._app(scope, receive, send)

    def break_all(self) -> None:
        """Break those that were opened until now."""
        breaks, self._breaks = self._breaks, []
        for each in breaks:
            each()


def page(address: str) -> str:
    """The document's script in a page that keeps what it heard."""
    (script,) = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    script = script.replace("wss://example.org/game", f"ws://{address}/game")
    # A tab looks again whenever the page changes.
    ticks = "setInterval(() => { document.body.textContent = Date.now(); }, 20);"
    heard = "const places = []; const heard = (frame) => places.push(frame.to);"
    return f"<body><script>{heard}\n{script}\n{ticks}\nconnect();</script></body>"


def test_a_page_goes_on_where_it_was() -> None:
    """What it moved before its connection broke counts, and so does what it sent while it had none; each move once."""
    app = App(controllers=[Game])
    breakable = Breakable(app)
    with serving(breakable) as address, browsing() as browser:
        app.router.routes.append(Route("/", lambda request: HTMLResponse(page(address))))
        tab = browser.tab(f"http://{address}/")
        tab.until("socket.readyState === 1 && !!ticket")
        tab.run("send({type: 'move', by: 1})")
        tab.until("places.join() === '1'")
        for by in (2, 3):
            breakable.break_all()
            tab.until("socket.readyState > 1")
            tab.run(f"send({{type: 'move', by: {by}}})")
            tab.until(f"places.length === {by}")

        assert tab.run("places.join()") == "1,3,6"
