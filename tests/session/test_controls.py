"""Control frames and who deals with them."""

from wscontrollers import App
from wscontrollers.messages import Cancel, Credit, Message
from wscontrollers.session import Session
from wscontrollers.session.controls import NO_CONTROLS
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


async def test_without_handlers_control_frames_change_nothing() -> None:
    """A loop has no stream to give credit to and no handler to cancel: its session goes on."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Say]) -> None:
        async for message in session:
            await session.reply(message, message)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send_json({"type": "cancel", "re": 1})
        await peer.send_json({"type": "credit", "re": 1, "n": 1})
        await peer.send(Say(text="hi"))
        assert await peer.expect(Say) == Say(text="hi")

    for frame in (Cancel(1), Credit(1, 1)):
        NO_CONTROLS.control(frame)
    assert not NO_CONTROLS.owes()
