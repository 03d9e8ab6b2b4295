"""What a session says, in the order in which it says it."""

from typing import Any

from wscontrollers import App, Controller, websocket
from wscontrollers.declare import receive
from wscontrollers.messages import Message
from wscontrollers.session import Session
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Said(Message):
    text: str


async def test_answers_and_what_is_sent_meanwhile_share_one_line() -> None:
    """An answer, an error and a message that is pushed go out as they come; nothing overtakes anything."""

    class Chat(Controller):
        sends = (Said,)

        @websocket("/")
        async def open(self, session: Session) -> Any:
            self.session = session
            yield

        @receive
        async def say(self, message: Say) -> Said:
            await self.session.send(Said(text="pushed"))
            if message.text == "bad":
                raise KeyError(message.text)
            return Said(text=message.text)

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.send(Say(text="hi"), ref=1)
        await peer.send(Say(text="bad"), ref=2)
        assert [await peer.receive_json() for _ in range(3)] == [
            {"type": "said", "text": "pushed"},
            {"type": "said", "re": 1, "text": "hi"},
            {"type": "said", "text": "pushed"},
        ]
        await peer.expect_error("internal")


async def test_an_answer_to_nothing_that_asked_is_left_out() -> None:
    """A handler that returns nothing says so only to a `ref`."""

    class Chat(Controller):
        @websocket("/")
        async def open(self) -> Any:
            yield

        @receive
        async def say(self, message: Say) -> None: ...

    async with AsyncTestClient(App(controllers=[Chat])) as client, client.connect("/") as peer:
        await peer.send(Say(text="unasked"))
        await peer.send(Say(text="asked"), ref="a")
        assert await peer.receive_json() == {"type": "ok", "re": "a"}
