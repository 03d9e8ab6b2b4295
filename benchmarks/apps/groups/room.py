"""A group in wscontrollers."""

from __future__ import annotations

from benchmarks.apps.groups.texts import JOINED, read
from wscontrollers import App, Groups, Limits, Message, Session


class Said(Message):
    text: str


def app_with(groups: Groups) -> App:
    """The application."""
    app = App(groups=groups, limits=Limits(rate=1_000_000, burst=1_000_000))

    @app.websocket("/member")
    async def member(session: Session[str, str | Said]) -> None:
        """Be in the group until the end."""
        await session.join("room")
        await session.send(JOINED)
        async for _ in session:
            pass

    @app.websocket("/publish")
    async def publisher(session: Session[str, Said], groups: Groups) -> None:
        """Publish what is ordered."""
        async for order in session:
            count, text = read(order)
            for _ in range(count):
                await groups.publish("room", Said(text=text))

    return app
