"""Typed messages in a test: what is sent, expected, asked, streamed and answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import pytest
from starlette.websockets import WebSocket

from tests.testing.endpoints import silent
from tests.testing.lines import every_line
from wscontrollers import App, Controller, JsonRpc, Session, receive, websocket
from wscontrollers.messages import Cancel, Credit, Gap, JsonCodec, Message, MsgPackCodec, ObjectCodec, Ok
from wscontrollers.testing import AsyncTestClient, ErrorAnswer, LeftoverFrames, ReceiveTimeout, SessionClosed, UnexpectedFrame

pytestmark = pytest.mark.anyio
Clients = Callable[..., AsyncTestClient]


class Say(Message):
    text: str


class Said(Message):
    who: str
    text: str


class Accepted(Message):
    pass


@dataclass
class Plain:
    text: str
    type: Literal["plain"] = "plain"


def answering(*frames: dict[str, Any] | str, sends: Any = None) -> Any:
    """An endpoint that answers the first frame with these, `ref` filled in as `re` where that is asked for."""

    async def endpoint(websocket: WebSocket) -> None:
        if sends is not None:
            websocket.scope["wscontrollers.sends"] = sends
        await websocket.accept()
        asked = await websocket.receive_json()
        for frame in frames:
            if isinstance(frame, dict) and frame.get("re") == "ref":
                frame = {**frame, "re": asked["ref"]}
            await websocket.send_text(frame if isinstance(frame, str) else json.dumps(frame))
        await websocket.receive()

    return endpoint


@pytest.mark.parametrize(
    ("message", "ref", "frame"),
    [
        (Say(text="hi"), None, {"type": "say", "text": "hi"}),
        (Say(text="hi"), "7", {"type": "say", "ref": "7", "text": "hi"}),
        (Plain("hi"), 7, {"type": "plain", "ref": 7, "text": "hi"}),
        ({"type": "free", "a": 1}, "7", {"type": "free", "a": 1, "ref": "7"}),
        (Cancel("7"), None, {"type": "cancel", "re": "7"}),
        (Credit("7", 16), None, {"type": "credit", "re": "7", "n": 16}),
        ('{"type": "raw"}', None, {"type": "raw"}),
        (b'{"type": "raw"}', None, {"type": "raw"}),
    ],
    ids=str,
)
async def test_anything_with_a_form_on_the_wire_is_sent(
    async_client_of: Clients, message: Any, ref: Any, frame: dict[str, Any]
) -> None:
    """Messages, data classes, dicts and control frames; text and bytes go as they are."""
    seen: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        event = await websocket.receive()
        seen.append(json.loads(event.get("text") or event["bytes"]))
        await websocket.receive()

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.send(message, ref=ref)
        await session.expect_nothing()
    assert seen == [frame]


async def test_what_is_no_message_is_refused(async_client_of: Clients) -> None:
    """The error says what to send."""
    async with async_client_of(silent) as client, client.connect("/") as session:
        with pytest.raises(TypeError, match="object"):
            await session.send(object())
        with pytest.raises(TypeError, match=r"has no ref. Fix: "):
            await session.send("text", ref="1")


@every_line
async def test_a_message_is_expected(async_client_of: Clients) -> None:
    """One type, a union, a plain data class or a control frame; each comes as an object."""
    endpoint = answering(
        {"type": "said", "who": "ann", "text": "hi"},
        {"type": "said", "who": "bob", "text": "ho"},
        {"type": "plain", "text": "x"},
        {"type": "gap", "dropped": 3, "reason": "slow"},
        {"type": "gap", "dropped": 4, "reason": "slow"},
    )
    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.send(Say(text="go"))
        assert await session.expect(Said) == Said(who="ann", text="hi")
        assert await session.expect(Accepted | Said) == Said(who="bob", text="ho")
        assert await session.expect(Plain) == Plain("x")
        assert await session.expect(Gap) == Gap(3, "slow")
        assert (await session.expect(Said | Gap)).dropped == 4


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        ({"type": "accepted"}, r"""Said was expected, but text '\{"type": "accepted"\}', which is not that \(unknown_type"""),
        ({"type": "said", "who": "ann"}, r"which is not that \(validation"),
        ("{", r"which is not that \(invalid_json"),
        ({"type": "gap", "dropped": 1, "reason": "slow"}, "Said was expected, but text '.*gap.*' came"),
    ],
)
async def test_another_message_fails_the_test(async_client_of: Clients, frame: Any, what: str) -> None:
    """The failure says what was expected, what came, and why it is not that."""
    async with async_client_of(answering(frame)) as client, client.connect("/") as session:
        await session.send(Say(text="go"))
        with pytest.raises(UnexpectedFrame, match=what):
            await session.expect(Said)


ERROR = {"type": "error", "code": "room_full", "message": "no room", "errors": [{"loc": ["text"], "type": "x", "msg": "y"}]}


@every_line
async def test_an_error_is_expected(async_client_of: Clients) -> None:
    """By its code, or whatever it is; the frame comes back."""
    async with async_client_of(answering(ERROR, ERROR, ERROR, {"type": "accepted"})) as client, client.connect("/") as session:
        await session.send(Say(text="go"))
        assert (await session.expect_error("room_full")).message == "no room"
        assert (await session.expect_error()).errors == ERROR["errors"]
        with pytest.raises(UnexpectedFrame, match=r"the error 'forbidden' was expected, but text .*room_full"):
            await session.expect_error("forbidden")
        with pytest.raises(UnexpectedFrame, match=r"an error was expected, but text .*accepted"):
            await session.expect_error()


async def test_an_error_where_a_message_was_expected(async_client_of: Clients) -> None:
    """Code, text and faults stand in the failure, and in its `error`."""
    async with async_client_of(answering(ERROR)) as client, client.connect("/") as session:
        await session.send(Say(text="go"))
        with pytest.raises(ErrorAnswer, match=r"Said was expected, but the error 'room_full' came: no room. \[\{'loc'") as failed:
            await session.expect(Said)
        assert failed.value.error.code == "room_full"


def failing_handler() -> Any:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        async for _ in websocket.iter_text():
            websocket.scope["wscontrollers.report_exception"](ValueError("a handler's bug"))
            await websocket.send_json({"type": "error", "code": "internal", "message": "internal error", "id": "1"})

    return endpoint


@every_line
async def test_a_handlers_bug_surfaces(async_client_of: Clients) -> None:
    """Where a message was expected, it is raised; `expect_error("internal")` takes it for expected."""
    async with async_client_of(failing_handler()) as client:
        async with client.connect("/") as session:
            await session.send(Say(text="go"))
            assert (await session.expect_error("internal")).id == "1"
        async with client.connect("/") as session:
            await session.send(Say(text="go"))
            with pytest.raises(ValueError, match="a handler's bug"):
                await session.expect(Said)
        with pytest.raises(ValueError, match="a handler's bug"):
            async with client.connect("/") as session:
                await session.send(Say(text="go"))
                await session.expect_error()


@every_line
async def test_a_request_gets_its_own_answer(async_client_of: Clients) -> None:
    """What comes before it stays to be received, and nobody has to."""
    endpoint = answering(
        {"type": "said", "who": "ann", "text": "hi"},
        {"type": "accepted", "re": "another"},
        {"type": "accepted", "re": "ref"},
        sends=[Accepted, Said],
    )
    async with async_client_of(endpoint) as client:
        async with client.connect("/") as session:
            assert await session.request(Say(text="hi")) == Accepted()
            assert await session.expect(Said) == Said(who="ann", text="hi")
        async with client.connect("/") as session:
            assert await session.request(Say(text="hi"), reply=Accepted) == Accepted()


async def test_what_comes_behind_an_answer_is_a_leftover(async_client_of: Clients) -> None:
    """Only what a request passed over may be left."""
    endpoint = answering({"type": "accepted", "re": "ref"}, {"type": "said", "who": "ann", "text": "hi"})
    async with async_client_of(endpoint) as client:
        with pytest.raises(LeftoverFrames, match="said"):
            async with client.connect("/") as session:
                await session.request(Say(text="hi"), reply=Accepted)


async def test_an_ok_is_none(async_client_of: Clients) -> None:
    """What a handler returned that has nothing to say."""
    async with async_client_of(answering({"type": "ok", "re": "ref"})) as client, client.connect("/") as session:
        assert await session.request(Say(text="hi"), reply=Accepted) is None


async def test_requests_may_overlap(async_client_of: Clients) -> None:
    """Each gets its own answer, in whatever order they come."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        asked = [await websocket.receive_json() for _ in range(3)]
        for message in reversed(asked):
            await websocket.send_json({"type": "said", "who": "x", "text": message["text"], "re": message["ref"]})
        await websocket.receive()

    answers: dict[str, str] = {}
    async with async_client_of(endpoint) as client, client.connect("/") as session:

        async def ask(text: str) -> None:
            answers[text] = (await session.request(Say(text=text), reply=Said)).text

        async with anyio.create_task_group() as tasks:
            for text in "abc":
                tasks.start_soon(ask, text)
    assert answers == {"a": "a", "b": "b", "c": "c"}


async def test_a_request_that_fails(async_client_of: Clients) -> None:
    """By an error, by another type, by a close, by silence."""
    async with async_client_of(
        routes={
            "/error": answering({**ERROR, "re": "ref"}),
            "/type": answering({"type": "accepted", "re": "ref"}),
            "/silence": silent,
            "/close": closing,
        }
    ) as client:
        async with client.connect("/error") as session:
            with pytest.raises(ErrorAnswer, match="the error 'room_full' came"):
                await session.request(Say(text="hi"), reply=Said)
        async with client.connect("/type") as session:
            with pytest.raises(UnexpectedFrame, match="Said was expected"):
                await session.request(Say(text="hi"), reply=Said)
        async with client.connect("/silence") as session:
            with pytest.raises(ReceiveTimeout, match=r"still waiting for the answer to '1' after 0.01 s"):
                await session.request(Say(text="hi"), reply=Said, timeout=0.01)
        async with client.connect("/close") as session:
            for _ in range(2):
                with pytest.raises(SessionClosed, match="close 4000"):
                    await session.request(Say(text="hi"), reply=Said)


async def closing(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()
    await websocket.close(4000)


async def test_the_type_of_an_answer_must_be_known(async_client_of: Clients) -> None:
    """The error says how to name it."""
    async with async_client_of(silent) as client, client.connect("/") as session:
        with pytest.raises(
            TypeError, match=r"does not declare what it sends, .* Fix: name it, request\(\.\.\., reply=Accepted\)"
        ):
            await session.request(Say(text="hi"))


async def test_a_frame_that_is_not_declared_fails_the_test(async_client_of: Clients) -> None:
    """Where the endpoint says what it sends, it has to keep to it."""
    endpoint = answering({"type": "said", "who": "ann", "text": "hi"}, sends=Accepted)
    async with async_client_of(endpoint) as client, client.connect("/") as session:
        await session.send(Say(text="hi"))
        with pytest.raises(UnexpectedFrame, match="'said', which it does not declare to send"):
            await session.expect(Said)


class Talk(Controller):
    """Its handler sends what it is told, declared or not."""

    sends = (Said, bytes)

    @websocket("/")
    async def open(self) -> AsyncIterator[None]:
        yield

    @receive
    async def say(self, message: Say, session: Session[Any, Any]) -> None:
        frames: dict[str, Any] = {
            "undeclared": Accepted(),
            "text": "no frame",
            "bytes": b"raw",
            "declared": Said(who="ann", text="hi"),
        }
        await session.send(frames[message.text])


@pytest.mark.parametrize("what", ["undeclared", "text"])
@every_line
async def test_every_frame_is_checked_whoever_takes_it(is_real: bool, what: str) -> None:
    """Also by verbs that know nothing of types; and what nobody takes is checked when the session is left."""
    wrong = pytest.raises(
        UnexpectedFrame, match=r"what the endpoint declares was expected, .*, which it does not declare to send"
    )
    async with AsyncTestClient(App(controllers=[Talk]), real=is_real) as client:
        async with client.connect("/") as session:
            for take in (session.receive, session.receive_text, session.receive_json):
                await session.send(Say(text=what))
                with wrong:
                    await take()
        with wrong:
            async with client.connect("/", allow_leftovers=True) as session:
                await session.send(Say(text=what))


async def test_what_is_declared_passes_whoever_takes_it(is_real: bool) -> None:
    """Messages, raw frames of a declared kind, and the frames of the framework."""
    async with (
        AsyncTestClient(App(controllers=[Talk]), real=is_real) as client,
        client.connect("/", allow_leftovers=True) as session,
    ):
        for what in ("declared", "bytes"):
            await session.send(Say(text=what), ref=1)
            await session.receive()
            assert await session.receive_json() == {"type": "ok", "re": 1}
        await session.send(Say(text="declared"))


async def test_where_nothing_is_declared_nothing_is_checked(is_real: bool) -> None:
    """An endpoint that says nothing of what it sends may send anything."""
    app = App()

    @app.websocket("/")
    async def anything(session: Session[Say, Any]) -> None:
        async for message in session:
            await session.send(message.text)

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        await session.send(Say(text="text"))
        assert await session.receive_text() == "text"


async def test_frames_are_checked_in_the_codec_that_is_spoken(is_real: bool) -> None:
    """Also where the test does not speak it; JSON-RPC has other frames, which are not checked."""

    class Reversed(ObjectCodec):
        subprotocol = "chat.v1+reversed"
        binary = False

        def load(self, frame: Any) -> Any:
            return json.loads(frame[::-1])

        def dump(self, value: dict[str, Any]) -> str:
            return json.dumps(value)[::-1]

    class Calls(Controller):
        protocol = JsonRpc()
        sends = (Said,)

        @websocket("/rpc")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> str:
            return message.text

    async with AsyncTestClient(App(controllers=[Talk, Calls], codecs=[JsonCodec(), Reversed()]), real=is_real) as client:
        async with client.connect("/", subprotocols=["chat.v1+reversed"]) as session:
            await session.send_text('{"type": "say", "text": "declared"}'[::-1])
            assert "ann" in (await session.receive_text())[::-1]
        async with client.connect("/rpc") as session:
            await session.send_json({"jsonrpc": "2.0", "method": "say", "params": ["a"], "id": 1})
            assert (await session.receive_json())["result"] == "a"


@every_line
async def test_a_stream_is_iterated(async_client_of: Clients) -> None:
    """Its items until its end; frames in between stay to be received."""
    endpoint = answering(
        {"type": "said", "who": "a", "text": "1", "re": "ref"},
        {"type": "accepted"},
        {"type": "said", "who": "a", "text": "2", "re": "ref"},
        {"type": "end", "re": "ref"},
    )
    async with async_client_of(endpoint) as client, client.connect("/") as session:
        assert [hit.text async for hit in session.stream(Say(text="hi"), item=Said)] == ["1", "2"]
        await session.expect(Accepted)


async def test_a_stream_may_fail(async_client_of: Clients) -> None:
    """An error ends it."""
    endpoint = answering({"type": "said", "who": "a", "text": "1", "re": "ref"}, {**ERROR, "re": "ref"})
    got: list[str] = []
    async with async_client_of(endpoint) as client, client.connect("/") as session:
        with pytest.raises(ErrorAnswer):
            async for hit in session.stream(Say(text="hi"), item=Said):
                got.append(hit.text)
    assert got == ["1"]


@every_line
async def test_the_server_asks(async_client_of: Clients) -> None:
    """What came with a `ref` can be answered, once; None answers `ok`."""
    seen: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        for ref in (1, "two"):
            await websocket.send_json({"type": "say", "text": "who?", "ref": ref})
            seen.append(await websocket.receive_json())
        await websocket.close()

    async with async_client_of(endpoint) as client, client.connect("/") as session:
        question = await session.expect(Say)
        await session.reply(question, Said(who="ann", text="me"))
        with pytest.raises(ValueError, match="no open question"):
            await session.reply(question)
        await session.reply(await session.expect(Say))
        await session.expect_closed(1000)
    assert seen == [{"type": "said", "who": "ann", "text": "me", "re": 1}, {"type": "ok", "re": "two"}]


async def test_the_subprotocol_chooses_the_codec(async_client_of: Clients) -> None:
    """MessagePack where the accept says so."""
    pytest.importorskip("ormsgpack")
    codec = MsgPackCodec()

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept("wsc.v1+msgpack")
        for _ in range(2):
            asked = codec.load(await websocket.receive_bytes())
            await websocket.send_bytes(codec.dump({"type": "said", "who": "x", "text": asked["text"], "re": asked["ref"]}))
        await websocket.close()

    async with async_client_of(endpoint) as client, client.connect("/", subprotocols=["wsc.v1+msgpack"]) as session:
        assert (await session.request(Say(text="hi"), reply=Said)).text == "hi"
        await session.send({"type": "say", "text": "ho"}, ref=2)
        assert (await session.expect(Said)).text == "ho"


async def test_a_control_frame_can_be_expected_as_an_answer(async_client_of: Clients) -> None:
    """`expect(Ok)` where a test sends its own `ref`."""
    async with async_client_of(answering({"type": "ok", "re": "ref"})) as client, client.connect("/") as session:
        await session.send(Say(text="hi"), ref="mine")
        assert await session.expect(Ok) == Ok("mine")


@every_line
async def test_a_flood_of_messages(is_real: bool) -> None:
    """Each is encoded as `send` does it; frames may stand among them as they are, and what is no message is told."""
    app = App()
    seen: list[str] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            seen.append(message.text)

    async with AsyncTestClient(app, real=is_real) as client, client.connect("/") as session:
        assert await session.flood([Say(text="a"), '{"type": "say", "text": "b"}', {"type": "say", "text": "c"}]) == 3
        await session.expect_nothing()
        with pytest.raises(TypeError, match="Fix: "):
            await session.flood([17])
    assert seen == ["a", "b", "c"]
