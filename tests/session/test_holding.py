"""How sessions are opened and accepted."""

from collections.abc import AsyncIterator
from typing import Any

from wscontrollers import App, Controller, Denied, Depends, Message, Session, receive, register_controllers, websocket
from wscontrollers.testing import AsyncTestClient
from wscontrollers.websockets import WebSocketState


class Say(Message):
    text: str


class Said(Message):
    text: str


async def test_it_is_accepted_when_dependencies_and_constructor_have_succeeded() -> None:
    """A guard refuses with an HTTP answer although the constructor takes the Session."""

    def guard(token: str = "") -> None:
        if token != "t":
            raise Denied(401, "no token")

    class Chat(Controller):
        dependencies = [Depends(guard)]

        def __init__(self, session: Session) -> None:
            self.session = session

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            assert self.session.websocket.application_state is WebSocketState.CONNECTED
            yield

        @receive
        async def say(self, message: Say, session: Session) -> Said:
            return Said(text=f"{session is self.session}")

    async with AsyncTestClient(App(controllers=[Chat])) as client:
        await client.connect("/").expect_refused(401)
        async with client.connect("/?token=t") as peer:
            assert await peer.request(Say(text="")) == Said(text="True")


async def test_an_endpoint_accepts_by_itself_where_it_says_so() -> None:
    """`@websocket(accept=False)`: it may refuse late, or choose subprotocol and headers."""

    class Late(Controller):
        @websocket("/", accept=False)
        async def open(self, session: Session[Say, Said], yes: bool = False) -> None:
            assert session.websocket.application_state is WebSocketState.CONNECTING
            if not yes:
                raise Denied(403, "not you")
            await session.accept("v2", [(b"x-served-by", b"late")])
            await session.accept()
            await session.send(Said(text="in"))

    async with AsyncTestClient(App(controllers=[Late])) as client:
        await client.connect("/").expect_refused(403)
        async with client.connect("/?yes=1", subprotocols=["v2"]) as peer:
            assert peer.subprotocol == "v2"
            assert peer.accepted_headers["x-served-by"] == "late"
            assert await peer.expect(Said) == Said(text="in")
            await peer.expect_closed(1000)


async def test_the_codecs_subprotocol_is_accepted() -> None:
    """A client that offers `wsc.v1+json` gets it back."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/", subprotocols=["x", "wsc.v1+json"]) as peer:
        assert peer.subprotocol == "wsc.v1+json"
        assert await peer.request(Say(text="a")) == Said(text="a")


async def test_it_works_on_another_application() -> None:
    """On plain Starlette the same sessions are held."""
    from starlette.applications import Starlette

    class Chat(Controller):
        @websocket("/chat")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> Said:
            return Said(text=message.text)

    app: Any = Starlette()
    register_controllers(app, Chat)
    async with AsyncTestClient(app) as client, client.connect("/chat") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a")
