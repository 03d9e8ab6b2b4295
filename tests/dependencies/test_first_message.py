"""The first frame of a session as a source of parameters."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import ormsgpack
import pytest
from pydantic import BaseModel, Field

from tests.dependencies.sessions import sending
from wscontrollers import (
    App,
    Controller,
    DeclarationError,
    Depends,
    FirstMessage,
    JsonCodec,
    Limits,
    Message,
    MsgPackCodec,
    Session,
    WebSocket,
    WebSocketDisconnect,
    websocket,
)
from wscontrollers.testing import AsyncTestClient, TestClient, WebSocketDenialResponse


class Credentials(BaseModel):
    user: str
    age: Annotated[int, Field(gt=0)] = 18


def told(app: App, frame: str | bytes) -> Any:
    """What a session answers to its first frame."""
    with TestClient(app).websocket_connect("/") as session:
        session.send({"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame})
        return session.receive_json()


def closed(app: App, frame: str | bytes | None = None) -> tuple[int, str]:
    """The close that a first frame, or none, leads to."""
    with TestClient(app).websocket_connect("/") as session:
        if frame is not None:
            session.send({"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame})
        with pytest.raises(WebSocketDisconnect) as left:
            session.receive_json()
    return left.value.code, left.value.reason


def who(credentials: Annotated[Credentials, FirstMessage()]) -> Any:
    return credentials.model_dump()


@pytest.mark.parametrize("frame", ['{"user": "ann"}', b'{"user": "ann"}'], ids=["text", "binary"])
def test_the_first_frame_is_received_validated_and_injected(frame: str | bytes) -> None:
    """The handshake is accepted, one frame of JSON taken, and the endpoint's own accept does nothing more."""
    assert told(sending(who), frame) == {"user": "ann", "age": 18}


def test_the_endpoint_gets_the_frames_behind_it() -> None:
    """Only one frame is taken."""

    async def endpoint(websocket: WebSocket, credentials: Annotated[Credentials, FirstMessage()]) -> None:
        await websocket.send_json([credentials.user, await websocket.receive_text()])

    app = App()
    app.add_api_websocket_route("/", endpoint)
    with TestClient(app).websocket_connect("/") as session:
        session.send_text('{"user": "ann"}')
        session.send_text("hi")
        assert session.receive_json() == ["ann", "hi"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("{", "first message: not JSON"),
        ("NaN", "first message: not JSON"),
        ("9" * 4301, "first message: not JSON"),
        ("[" * 64 + "]" * 64, "first message: model_type"),
        ("[" * 65 + "]" * 65, "first message: more than 64 levels"),
        ("[" * 60_000, "first message: more than 64 levels"),
        (b"\xff", "first message: not UTF-8"),
        ("[]", "first message: model_type"),
        ('{"age": 1}', "first message: user: missing"),
        ('{"user": "ann", "age": 0}', "first message: age: greater_than"),
    ],
    ids=["half", "nan", "digits", "levels", "too many levels", "open levels", "bytes", "list", "missing", "constraint"],
)
def test_a_bad_first_message_closes_with_1008(frame: str | bytes, reason: str) -> None:
    """Undecodable, no JSON, too deep and of a bad shape are told apart by a short reason, which never repeats what was sent."""
    assert closed(sending(who), frame) == (1008, reason)


def test_a_reason_fits_into_a_close_frame() -> None:
    """However long the location is, at most 123 bytes (RFC 6455, section 5.5)."""

    def found(message: Annotated[dict[str, int], FirstMessage()]) -> Any:
        return message

    code, reason = closed(sending(found), '{"%s": "x"}' % ("ä" * 100))
    assert code == 1008
    assert 100 < len(reason.encode()) <= 123


def test_no_first_message_in_time_closes_with_1008() -> None:
    """The time limit is the marker's, in seconds."""

    def found(message: Annotated[Credentials, FirstMessage(timeout=0.01)]) -> Any:
        return message.user

    assert closed(sending(found)) == (1008, "first message: none within the time limit")


def test_a_first_message_over_the_limit_closes_with_1009() -> None:
    """64 KiB, counted in bytes of UTF-8."""

    def found(message: Annotated[str, FirstMessage()]) -> Any:
        return len(message)

    fits = "ä" * (32 * 1024 - 1)
    assert told(sending(found), f'"{fits}"') == len(fits)
    assert closed(sending(found), f'"{fits}ä"') == (1009, "first message: over 65536 bytes")
    assert closed(sending(found), f'"{fits}ä"'.encode()) == (1009, "first message: over 65536 bytes")


class Hall(Controller):
    """What it takes is set on the app, the controller and its routes."""

    prefix = "/hall"
    limits = Limits(depth=2)

    @websocket("/", limits=Limits(digits=3))
    async def narrow(self, websocket: WebSocket, message: Annotated[Any, FirstMessage()]) -> None:
        await websocket.send_json(message)

    @websocket("/held", limits=Limits(digits=3))
    async def held(self, session: Session, message: Annotated[Any, FirstMessage()]) -> None:
        await session.websocket.send_json(message)

    @websocket("/wide", limits=Limits(message=None, depth=64))
    async def wide(self, websocket: WebSocket, message: Annotated[Any, FirstMessage()]) -> None:
        await websocket.send_json(len(str(message)))


@pytest.mark.parametrize(
    ("path", "frame", "answer"),
    [
        ("/", "[[123]]", [[123]]),
        ("/", '["1234567"]', ["1234567"]),
        ("/", "[1234]", (1008, "first message: an integer of more than 3 digits")),
        ("/", "[[[1]]]", (1008, "first message: more than 2 levels")),
        ("/", "[1e999]", (1008, "first message: NaN and Infinity are no numbers here")),
        ("/", '["a string of 26 letters"]', (1009, "first message: over 20 bytes")),
        ("/held", "[[1]]", [[1]]),
        ("/held", "[[[1]]]", (1008, "first message: more than 2 levels")),
        ("/wide", "[[[1]]]", 7),
        ("/wide", '"%s"' % ("a" * 70_000), 70_000),
    ],
)
def test_what_it_may_be_is_set_as_limits_are(path: str, frame: str, answer: Any) -> None:
    """On the app, on the controller, on the route: size, levels and digits, with a session and without one."""
    app = App(controllers=[Hall], limits=Limits(message=20))
    with TestClient(app).websocket_connect(f"/hall{path}") as session:
        session.send_text(frame)
        event = session.receive()
    closed = (event.get("code"), event.get("reason"))
    assert answer == (json.loads(event["text"]) if "text" in event else closed)


def test_how_long_it_is_waited_for_is_set_as_limits_are() -> None:
    """Where the parameter says nothing; what it says counts more."""

    class Slow(Controller):
        limits = Limits(first_message=0.01)

        @websocket("/")
        async def open(self, websocket: WebSocket, message: Annotated[str, FirstMessage()]) -> None: ...

        @websocket("/patient")
        async def patient(self, websocket: WebSocket, message: Annotated[str, FirstMessage(timeout=None)]) -> None:
            await websocket.send_json(message)

    app = App(controllers=[Slow])
    assert closed(app) == (1008, "first message: none within the time limit")
    with TestClient(app).websocket_connect("/patient") as session:
        with pytest.raises(TimeoutError):
            session.receive_json(timeout=0.1)
        session.send_text('"a"')
        assert session.receive_json() == "a"


def test_a_peer_that_leaves_without_a_message_ends_the_session() -> None:
    """Clean-ups run, nothing fails."""
    events: list[str] = []

    def resource() -> Iterator[None]:
        try:
            yield
        finally:
            events.append("cleaned up")

    def found(before: Annotated[None, Depends(resource)], message: Annotated[Credentials, FirstMessage()]) -> Any:
        return message.user

    with TestClient(sending(found), raise_server_exceptions=False).websocket_connect("/"):
        pass
    assert events == ["cleaned up"]


def test_several_first_messages_each_take_the_field_of_their_name() -> None:
    """One frame, received once, also when the parameters are of different functions."""

    def token(token: Annotated[str, FirstMessage()], last_seen: Annotated[int, FirstMessage(alias="seen")] = 0) -> Any:
        return [token, last_seen]

    def found(pair: Annotated[Any, Depends(token)], credentials: Annotated[Credentials, FirstMessage()]) -> Any:
        return [*pair, credentials.user]

    app = sending(found)
    assert told(app, '{"token": "t", "seen": 7, "credentials": {"user": "ann"}}') == ["t", 7, "ann"]
    assert told(app, '{"token": "t", "credentials": {"user": "ann"}}') == ["t", 0, "ann"]
    assert closed(app, '{"token": "t"}') == (1008, "first message: missing")
    assert closed(app, '"t"') == (1008, "first message: not an object")


def test_several_first_messages_of_one_name_each_take_the_whole() -> None:
    """Two functions that want the same thing do not make it a field of itself."""

    def user(message: Annotated[Credentials, FirstMessage()]) -> str:
        return message.user

    def found(message: Annotated[dict[str, Any], FirstMessage()], name: Annotated[str, Depends(user)]) -> Any:
        return [message, name]

    assert told(sending(found), '{"user": "ann"}') == [{"user": "ann"}, "ann"]


@pytest.mark.parametrize("frame", ["no json {", b"\xff\x00"], ids=["text", "binary"])
def test_raw_gives_the_frame_as_it_came(frame: str | bytes) -> None:
    """Nothing is decoded or parsed."""

    def found(message: Annotated[str | bytes, FirstMessage(raw=True)]) -> Any:
        return [type(message).__name__, len(message)]

    assert told(sending(found), frame) == [type(frame).__name__, len(frame)]


@pytest.mark.parametrize(("annotation", "frame", "kind"), [(str, b"x", "text"), (bytes, "x", "binary")])
def test_raw_of_one_kind_refuses_the_other(annotation: Any, frame: str | bytes, kind: str) -> None:
    """What is annotated `str` never gets bytes."""

    def found(message: Annotated[annotation, FirstMessage(raw=True)]) -> Any:
        return len(message)

    assert closed(sending(found), frame) == (1008, f"first message: not a {kind} frame")


def test_raw_and_parsed_are_of_the_same_frame() -> None:
    """One who signs and one who reads."""

    def found(body: Annotated[str, FirstMessage(raw=True)], credentials: Annotated[Credentials, FirstMessage()]) -> Any:
        return [body, credentials.user]

    assert told(sending(found), '{"user":"ann"}') == ['{"user":"ann"}', "ann"]


RAW_FAULTS = [
    (Annotated[int, FirstMessage(raw=True)], "a raw first message is a str or bytes, and no int"),
    (Annotated[str | None, FirstMessage(raw=True)], r"and no str \| None\. Fix: annotate it with one of these or both"),
    (Annotated[str, FirstMessage(raw=True, max_length=3)], "so nothing validates it"),
    (Annotated[str, Field(max_length=3), FirstMessage(raw=True)], "so nothing validates it"),
]


@pytest.mark.parametrize(("annotation", "match"), RAW_FAULTS)
def test_raw_is_a_text_or_bytes_and_nothing_else(annotation: Any, match: str) -> None:
    """What can never come, and what would never be looked at, is refused at registration."""

    def found(message: object) -> None: ...

    found.__annotations__["message"] = annotation
    with pytest.raises(DeclarationError, match=match):
        sending(found)


def test_raw_may_say_nothing_of_its_type() -> None:
    """Then it is either."""

    def found(message: Annotated[Any, FirstMessage(raw=True)]) -> Any:
        return message

    assert told(sending(found), "hi") == "hi"


class Hello(Message):
    user: str


class Back(Message, tag="back", extra="forbid", strict=True):
    user: str
    seats: tuple[int, ...] = ()


def greeting(message: Annotated[Hello | Back, FirstMessage()]) -> Any:
    return [type(message).__name__, message.user]


def test_a_first_message_of_a_message_class_has_its_tag() -> None:
    """As every frame has; what the class says of other keys does not hold for the frame's own."""

    def hello(message: Annotated[Hello, FirstMessage()]) -> Any:
        return message.user

    app = sending(hello)
    assert told(app, '{"type": "hello", "user": "ann", "ref": 1}') == "ann"
    for frame, reason in {
        '{"user": "ann"}': "first message: type: missing",
        '{"type": "back", "user": "ann"}': "first message: type: unknown",
        '{"type": "cancel", "re": 1}': "first message: type: unknown",
        '{"type": 1, "user": "ann"}': "first message: type: unknown",
        '{"type": "hello"}': "first message: user: missing",
        "[]": "first message: not an object",
    }.items():
        assert closed(app, frame) == (1008, reason)
    assert told(sending(greeting), '{"type": "hello", "user": "ann"}') == ["Hello", "ann"]
    assert told(sending(greeting), '{"type": "back", "user": "ann", "seats": [1], "ref": 1}') == ["Back", "ann"]
    assert closed(sending(greeting), '{"type": "back", "user": "ann", "more": 1}') == (
        1008,
        "first message: more: extra_forbidden",
    )


def test_a_message_class_that_is_a_field_of_the_first_message_needs_no_tag() -> None:
    """There it is a model like any other; so it is beside a type that is no message."""

    def pair(hello: Annotated[Hello, FirstMessage()], seen: Annotated[int, FirstMessage()]) -> Any:
        return [hello.user, seen]

    def either(message: Annotated[Hello | None, FirstMessage()]) -> Any:
        return message and message.user

    assert told(sending(pair), '{"hello": {"user": "ann"}, "seen": 3}') == ["ann", 3]
    assert told(sending(either), '{"user": "ann"}') == "ann"


@pytest.mark.anyio
async def test_a_tagged_first_message_in_another_codec() -> None:
    """Its object has the tag too."""

    class Door(Controller):
        @websocket("/")
        async def open(self, session: Session[Any, Greeted], first: Annotated[Hello | Back, FirstMessage()]) -> None:
            await session.send(Greeted(user=type(first).__name__, key=b""))

    app = App(controllers=[Door], codecs=[MsgPackCodec()])
    async with AsyncTestClient(app) as client, client.connect("/", subprotocols=["wsc.v1+msgpack"]) as session:
        await session.send_bytes(ormsgpack.packb({"type": "back", "user": "ann"}))
        assert await session.expect(Greeted) == Greeted(user="Back", key=b"")


def waiting(one: Any, other: Any) -> App:
    """Two functions that want the message."""

    def user(message: object) -> Any:
        return message

    def found(message: object, user: Annotated[Any, Depends(user)]) -> Any:
        return user

    user.__annotations__["message"], found.__annotations__["message"] = Annotated[Any, one], Annotated[Any, other]
    return sending(found)


def test_a_timeout_that_is_said_holds_for_all() -> None:
    """The default is none that was said; two that differ are refused, for one of them would be wrong."""
    for one, other in ((FirstMessage(), FirstMessage(timeout=0.01)), (FirstMessage(timeout=0.01), FirstMessage(timeout=0.01))):
        assert closed(waiting(one, other)) == (1008, "first message: none within the time limit")
    for one, other in ((FirstMessage(), FirstMessage(timeout=None)), (FirstMessage(timeout=30), FirstMessage())):
        assert told(waiting(one, other), '"hi"') == "hi"
    with pytest.raises(
        DeclarationError, match=r"parameters 'message' and 'message': .* timeouts (5|None) and (5|None)\. Fix: give"
    ):
        waiting(FirstMessage(timeout=5), FirstMessage(timeout=None))


def test_json_is_validated_by_the_rules_of_json() -> None:
    """In strict models too, a list is a tuple and a string is a date: JSON has no other way to say it."""
    from datetime import date

    class Booking(BaseModel, strict=True):
        day: date
        seats: tuple[int, ...]

    def found(booking: Annotated[Booking, FirstMessage()]) -> Any:
        return [booking.day.isoformat(), booking.seats]

    assert told(sending(found), '{"day": "2026-01-31", "seats": [1, 2]}') == ["2026-01-31", [1, 2]]


def test_no_handshake_with_invalid_parameters_is_accepted() -> None:
    """The first message is not waited for when the handshake is to be refused."""

    def found(limit: int, message: Annotated[Credentials, FirstMessage()]) -> Any:
        return [limit, message.user]

    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        TestClient(sending(found, invalid_parameters="answer")).websocket_connect("/?limit=x"),
    ):
        pass
    assert refused.value.status_code == 422


def test_accepting_again_with_a_subprotocol_comes_too_late() -> None:
    """The endpoint is told, and how to mend it."""

    async def endpoint(websocket: WebSocket, credentials: Annotated[Credentials, FirstMessage()]) -> None:
        await websocket.accept(subprotocol="chat")

    app = App()
    app.add_api_websocket_route("/", endpoint)
    with TestClient(app).websocket_connect("/", subprotocols=["chat"]) as session:
        session.send_text('{"user": "ann"}')
        with pytest.raises(RuntimeError, match=r"come too late\. Fix: accept in a dependency that runs before"):
            session.receive_json()


def test_a_dependency_may_accept_before_the_message() -> None:
    """With a subprotocol of its own choice."""

    async def accept(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="chat")

    async def endpoint(
        websocket: WebSocket, accepted: Annotated[None, Depends(accept)], credentials: Annotated[Credentials, FirstMessage()]
    ) -> None:
        await websocket.send_json(credentials.user)

    app = App()
    app.add_api_websocket_route("/", endpoint)
    with TestClient(app).websocket_connect("/", subprotocols=["chat"]) as session:
        session.send_text('{"user": "ann"}')
        assert session.accepted_subprotocol == "chat"
        assert session.receive_json() == "ann"


class Greeted(Message):
    user: str
    key: bytes


class Keyed(BaseModel):
    user: str
    key: bytes


async def greeted(*offered: str, frame: str | bytes) -> Greeted | str:
    """What a session with two codecs answers to a first frame, or the reason of its close."""

    class Door(Controller):
        @websocket("/")
        async def open(self, session: Session[Any, Greeted], first: Annotated[Keyed, FirstMessage()]) -> None:
            await session.send(Greeted(user=first.user, key=first.key))

    codecs = [JsonCodec(), MsgPackCodec()]
    app = App(controllers=[Door], codecs=codecs)
    async with AsyncTestClient(app, codecs=codecs) as client, client.connect("/", subprotocols=offered) as session:
        await (session.send_text(frame) if isinstance(frame, str) else session.send_bytes(frame))
        try:
            return await session.expect(Greeted)
        except AssertionError as error:
            return str(error)


@pytest.mark.anyio
async def test_a_session_reads_it_with_the_codec_that_was_negotiated() -> None:
    """JSON where the client offers nothing."""
    packed = ormsgpack.packb({"user": "ann", "key": b"\xff"})
    assert await greeted("wsc.v1+msgpack", frame=packed) == Greeted(user="ann", key=b"\xff")
    assert await greeted(frame='{"user": "ann", "key": "k"}') == Greeted(user="ann", key=b"k")


@pytest.mark.anyio
async def test_a_frame_that_is_not_the_codecs_closes_with_1008() -> None:
    """So does one that has more levels than a frame may have."""
    deep = ormsgpack.packb({"user": "ann", "key": b""}).replace(b"\xc4\x00", b"\x91" * 70 + b"\xc0")
    for frame in ("text", b"\xc1", deep):
        assert "first message: not what the codec reads" in str(await greeted("wsc.v1+msgpack", frame=frame))
    assert "first message: user: missing" in str(await greeted("wsc.v1+msgpack", frame=ormsgpack.packb({"key": b""})))
