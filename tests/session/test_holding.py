"""How sessions are opened and accepted."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from wscontrollers import App, Controller, Denied, Depends, Message, Session, receive, register_controllers, websocket
from wscontrollers.messages import JsonCodec, JsonRpc, MsgPackCodec
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


async def test_nothing_is_received_before_the_accept(caplog: pytest.LogCaptureFixture) -> None:
    """To try is an error that says so; it does no harm: the endpoint can still accept and receive."""

    class Late(Controller):
        @websocket("/{how}", accept=False)
        async def open(self, session: Session[Say, Said], how: str) -> None:
            if how == "fails":
                await session.receive()
            with pytest.raises(RuntimeError, match=r"before the handshake is accepted\. Fix: "):
                await (session.receive() if how == "receives" else anext(session))
            await session.accept()
            async for message in session:
                await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(App(controllers=[Late])) as client:
        for how in ("receives", "iterates"):
            async with client.connect(f"/{how}") as peer:
                assert await peer.request(Say(text=how)) == Said(text=how)
        await client.connect("/fails").expect_refused(500)
    assert "nothing can be received before the handshake is accepted" in caplog.text


async def test_an_endpoint_that_yields_has_accepted() -> None:
    """Otherwise its clean-ups see an error that names it, and the peer gets HTTP 500."""
    log: list[str] = []

    class Late(Controller):
        @websocket("/{when}", accept=False)
        async def open(self, session: Session, when: str) -> AsyncIterator[None]:
            if when == "before":
                await session.accept()
            try:
                yield
            except RuntimeError as error:
                log.append(str(error))
                raise

        @receive
        async def say(self, message: Say) -> Said:
            return Said(text=message.text)

    async with AsyncTestClient(App(controllers=[Late])) as client:
        async with client.connect("/before") as peer:
            assert await peer.request(Say(text="a")) == Said(text="a")
        await client.connect("/never").expect_refused(500)
    (told,) = log
    assert "Late.open" in told
    assert "it yields before the handshake is accepted. Fix: " in told


async def test_a_codec_that_the_endpoint_chooses_is_spoken() -> None:
    """Whatever was negotiated before; what handlers answer is written in it, too."""

    class Late(Controller):
        @websocket("/", accept=False)
        async def open(self, session: Session, choice: str = "") -> AsyncIterator[None]:
            await session.accept(choice)
            assert session.subprotocol == choice
            yield

        @receive
        async def say(self, message: Say) -> Said:
            return Said(text=message.text)

    app = App(controllers=[Late], codecs=[JsonCodec(), MsgPackCodec()])
    async with AsyncTestClient(app) as client:
        for choice, kind in (("wsc.v1+msgpack", bytes), ("wsc.v1+json", str), ("chat.v1", str)):
            offered = ["wsc.v1+msgpack", "wsc.v1+json", "chat.v1"]
            async with client.connect("/", params={"choice": choice}, subprotocols=offered) as peer:
                assert peer.subprotocol == choice
                await peer.send(Say(text="a"))
                assert isinstance(await peer.receive(), kind)


async def test_json_rpc_is_spoken_under_any_name_that_was_offered() -> None:
    """There is no other codec on such a controller."""

    class Late(Controller):
        protocol = JsonRpc()

        @websocket("/", accept=False)
        async def open(self, session: Session) -> AsyncIterator[None]:
            await session.accept("chat.v1")
            yield

        @receive
        async def say(self, message: Say) -> str:
            return message.text

    async with AsyncTestClient(App(controllers=[Late])) as client, client.connect("/", subprotocols=["chat.v1"]) as peer:
        await peer.send_json({"jsonrpc": "2.0", "method": "say", "params": ["a"], "id": 1})
        assert await peer.receive_json() == {"jsonrpc": "2.0", "result": "a", "id": 1}


async def test_a_subprotocol_that_was_not_offered_is_refused() -> None:
    """Nothing was sent then: the endpoint can still accept without it, or refuse."""

    class Late(Controller):
        @websocket("/", accept=False)
        async def open(self, session: Session[Say, Said]) -> None:
            with pytest.raises(ValueError, match=r"Session.accept\('v2'\): the client does not offer it.*Fix: "):
                await session.accept("v2")
            await session.accept()
            async for message in session:
                await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(App(controllers=[Late])) as client, client.connect("/", subprotocols=["v1"]) as peer:
        assert peer.subprotocol is None
        assert await peer.request(Say(text="a")) == Said(text="a")


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
