"""A small application with services that a test does not want as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from wscontrollers import App, Container, Controller, Module, WebSocket, provider, session_scoped, singleton, websocket


class Clock:
    """Tells the time."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)


class Mailbox:
    """Sends mail; this one keeps it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_open = True

    async def send(self, text: str) -> None:
        """Send a mail."""
        self.sent.append(text)


@session_scoped
class Visit:
    """When the session began."""

    def __init__(self, clock: Clock) -> None:
        self.began = clock.now()


class Services(Module):
    """What is bound in production."""

    @singleton
    @provider
    async def mailbox(self) -> AsyncIterator[Mailbox]:
        """Open as long as the application runs."""
        mailbox = Mailbox()
        yield mailbox
        mailbox.is_open = False


class Desk(Controller):
    """Takes notes and mails them."""

    prefix = "/desk"

    def __init__(self, mailbox: Mailbox, visit: Visit) -> None:
        self.mailbox = mailbox
        self.visit = visit

    @websocket("")
    async def take(self, websocket: WebSocket) -> None:
        """Mail each note with the time at which the visit began."""
        await websocket.accept()
        async for note in websocket.iter_text():
            await self.mailbox.send(f"{self.visit.began:%H:%M} {note}")
            await websocket.send_text("sent")


def make_app() -> App:
    """The application as it runs in production."""
    return App(controllers=[Desk], container=Container(Services()))
