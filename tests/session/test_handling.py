"""One message on its way through its handler: interceptor, guards, dependencies, call, answer, errors."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Literal

import anyio
import anyio.lowlevel
import pytest
from pydantic import Field

from wscontrollers import (
    App,
    Container,
    Controller,
    Denied,
    Depends,
    Module,
    WebSocketDisconnect,
    WebSocketException,
    message_scoped,
    provider,
    websocket,
)
from wscontrollers.declare import receive
from wscontrollers.messages import End, JsonRpc, Message
from wscontrollers.session import Limits, Session
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: Annotated[str, Field(max_length=10)]


class Said(Message):
    text: str


class Other(Message):
    pass


class Chat(Controller):
    """The least controller with handlers."""

    @websocket("/{room}")
    async def session(self) -> AsyncIterator[None]:
        yield


class RoomFull(Exception):
    pass


class TooLateError(Exception):
    code = "too_late"


async def test_what_a_handler_returns_goes_to_the_sender() -> None:
    """A message goes back with `re` if there was a `ref`; None answers only a `ref`, with `ok`."""

    class Echo(Chat):
        @receive
        async def say(self, message: Say, room: str) -> Said | None:
            return Said(text=f"{room}: {message.text}") if message.text else None

    async with AsyncTestClient(App(controllers=[Echo])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"), ref="7")
        assert await peer.receive_json() == {"type": "said", "text": "tea: a", "re": "7"}
        await peer.send(Say(text="a"))
        assert await peer.receive_json() == {"type": "said", "text": "tea: a"}
        await peer.send(Say(text=""))
        await peer.send(Say(text=""), ref=0)
        assert await peer.receive_json() == {"type": "ok", "re": 0}


async def test_one_handler_may_take_several_types() -> None:
    """A union of messages comes to one method; its parameter may have any name if its type says that it is a message."""

    class Union(Chat):
        @receive
        async def both(self, what: Say | Other) -> Said:
            return Said(text=type(what).__name__)

    async with AsyncTestClient(App(controllers=[Union])) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) == Said(text="Say")
        assert await peer.request(Other()) == Said(text="Other")


async def test_declared_errors_are_typed_frames() -> None:
    """`raises=`: the code is the exception's `code`, else the snake case of its name; the text is the exception's."""

    class Full(Chat):
        @receive(raises=[RoomFull, TooLateError])
        async def say(self, message: Say) -> None:
            raise RoomFull("8 are in") if message.text == "full" else TooLateError("closed at ten")

    async with AsyncTestClient(App(controllers=[Full])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="full"), ref=1)
        assert await peer.receive_json() == {"type": "error", "code": "room_full", "message": "8 are in", "re": 1}
        await peer.send(Say(text="late"))
        assert await peer.receive_json() == {"type": "error", "code": "too_late", "message": "closed at ten"}


async def test_a_bug_is_told_by_an_id_and_logged_in_full(caplog: pytest.LogCaptureFixture) -> None:
    """Any other exception is `internal` without a word of it; the log has the id, the traceback, and the session goes on."""

    class Bug(Chat):
        @receive
        async def say(self, message: Say) -> None:
            raise KeyError("secret")

        @receive
        async def other(self, message: Other) -> object:
            return object()

    async with AsyncTestClient(App(controllers=[Bug])) as client, client.connect("/tea") as peer:
        for message in (Say(text="a"), Other()):
            await peer.send(message, ref=1)
            error = await peer.expect_error("internal")
            assert (error.re, error.errors) == (1, None)
            assert error.id is not None
            assert "secret" not in str(error)
            (record,) = [each for each in caplog.records if error.id in each.getMessage()]
            assert record.name == "wscontrollers.session"
            assert record.levelno == logging.ERROR
            assert record.exc_info is not None


async def test_a_guard_denies() -> None:
    """`Denied` in a dependency of `@receive` is the error `forbidden` with its text; the handler is not called."""
    called: list[str] = []

    async def only_short(message: Say) -> None:
        if len(message.text) > 3:
            raise Denied(403, "too long for you")

    class Guarded(Chat):
        @receive(dependencies=[Depends(only_short)])
        async def say(self, message: Say) -> None:
            called.append(message.text)

    async with AsyncTestClient(App(controllers=[Guarded])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="long"), ref=1)
        assert await peer.receive_json() == {"type": "error", "code": "forbidden", "message": "too long for you", "re": 1}
        await peer.send(Say(text="yes"), ref=2)
        assert await peer.receive_json() == {"type": "ok", "re": 2}
    assert called == ["yes"]


async def test_guards_run_for_each_message_and_the_rest_once() -> None:
    """Path parameters and session dependencies are resolved once; guards and what reads the message run anew."""
    calls: list[str] = []

    def user() -> str:
        calls.append("user")
        return "ann"

    def guard(name: Annotated[str, Depends(user)]) -> None:
        calls.append(f"guard {name}")

    def upper(message: Say) -> str:
        calls.append("upper")
        return message.text.upper()

    class Twice(Chat):
        def __init__(self, name: Annotated[str, Depends(user)]) -> None:
            self.name = name

        @receive(dependencies=[Depends(guard)])
        async def say(
            self,
            message: Say,
            room: str,
            name: Annotated[str, Depends(user)],
            text: Annotated[str, Depends(upper)],
            page: int = 1,
        ) -> Said:
            return Said(text=f"{room} {name} {text} {page}")

    app = App(controllers=[Twice], sync_dependencies="inline")
    async with AsyncTestClient(app) as client, client.connect("/tea?page=3") as peer:
        assert await peer.request(Say(text="a")) == Said(text="tea ann A 3")
        assert await peer.request(Say(text="b")) == Said(text="tea ann B 3")
    assert calls == ["user", "guard ann", "upper", "guard ann", "upper"]


class Unit:
    """A unit of work."""


class Work(Module):
    """Gives units of work, one a message."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    @message_scoped
    @provider
    async def unit(self) -> AsyncIterator[Unit]:
        self.log.append("begin")
        try:
            yield Unit()
        except BaseException as error:
            self.log.append(f"rollback {type(error).__name__}")
            raise
        self.log.append("commit")


async def test_a_message_scoped_service_lives_as_long_as_the_message() -> None:
    """It is made for each message, sees the handler's exception, and is left before the answer goes out."""
    log: list[str] = []

    class Worker(Chat):
        @receive
        async def say(self, message: Say, unit: Unit, same: Unit) -> Said:
            assert unit is same
            if message.text == "bad":
                raise KeyError
            log.append(message.text)
            return Said(text=message.text)

    app = App(controllers=[Worker], container=Container(Work(log)))
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a")
        assert log == ["begin", "a", "commit"]
        log.clear()
        await peer.send(Say(text="bad"))
        await peer.expect_error("internal")
        assert log == ["begin", "rollback KeyError"]


@pytest.mark.parametrize("order", ["serial", "concurrent"])
async def test_what_cleans_up_behind_a_message_is_shielded(order: Literal["serial", "concurrent"]) -> None:
    """A handler that is cancelled has its clean-ups run to their end, each time anew, and so has one whose peer leaves."""
    log: list[str] = []

    async def unit() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            log.append("clean")

    class Worker(Chat):
        @receive(order=order, dependencies=[Depends(unit)])
        async def say(self, message: Say) -> None:
            log.append(message.text)
            if message.text != "done":
                await anyio.sleep_forever()

    async with AsyncTestClient(App(controllers=[Worker])) as client, client.connect("/tea") as peer:
        for ref in (1, 2):
            await peer.send(Say(text="waits"), ref=ref)
            await peer.expect_nothing()
            await peer.send_json({"type": "cancel", "re": ref})
            await peer.expect_error("cancelled")
            await peer.send(Say(text="done"), ref=3)
            assert await peer.receive_json() == {"type": "ok", "re": 3}
        await peer.send(Say(text="left"))
        await peer.expect_nothing()
    assert log == [*["waits", "clean", "done", "clean"] * 2, "left", "clean"]


async def test_what_a_stream_needs_is_open_until_it_has_ended() -> None:
    """Clean-ups of a message run behind the last item, and before `end`."""
    log: list[str] = []

    async def connection() -> AsyncIterator[str]:
        log.append("open")
        yield "c"
        log.append("closed")

    class Streams(Chat):
        @receive
        async def say(self, message: Say, unit: Unit, c: Annotated[str, Depends(connection)]) -> AsyncIterator[Said]:
            for letter in message.text:
                log.append(letter)
                yield Said(text=letter + c)

    app = App(controllers=[Streams], container=Container(Work(log)))
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="ab"), ref=1)
        assert [(await peer.expect(Said)).text for _ in "ab"] == ["ac", "bc"]
        assert await peer.expect(End) == End(1)
        await peer.send(Say(text="x"))
        assert await peer.receive_json() == {"type": "said", "text": "xc"}
    assert log == ["open", "begin", "a", "b", "commit", "begin", "x", "commit", "closed"]


async def test_a_clean_up_that_fails_is_the_handlers_error() -> None:
    """If the unit of work cannot be committed, the sender gets an error and not the answer."""

    class Failing(Module):
        @message_scoped
        @provider
        def unit(self) -> Any:
            return Unit()

    async def commit(message: Say) -> AsyncIterator[None]:
        yield
        raise RoomFull("conflict")

    class Worker(Chat):
        @receive(raises=[RoomFull], dependencies=[Depends(commit)])
        async def say(self, message: Say) -> Said:
            return Said(text="done")

    async with AsyncTestClient(App(controllers=[Worker])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"), ref=1)
        assert await peer.receive_json() == {"type": "error", "code": "room_full", "message": "conflict", "re": 1}


@pytest.mark.parametrize("declared", [True, False])
async def test_a_slow_handler_times_out(declared: bool) -> None:
    """`@receive(timeout=)`, else `Limits(handler_time=)`, cancels a handler: error `timeout`."""

    class Slow(Chat):
        @receive(timeout=0.01 if declared else None)
        async def say(self, message: Say) -> None:
            await anyio.sleep_forever()

    app = App(controllers=[Slow], limits=None if declared else Limits(handler_time=0.01))
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"), ref=1)
        assert await peer.receive_json() == {"type": "error", "code": "timeout", "message": "it took too long", "re": 1}


async def test_a_time_out_inside_of_a_handler_is_its_own_bug() -> None:
    """A `TimeoutError` that a handler raises is no time-out of the handler."""

    class Slow(Chat):
        @receive(timeout=5)
        async def say(self, message: Say) -> None:
            raise TimeoutError

    async with AsyncTestClient(App(controllers=[Slow])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_error("internal")


async def test_a_handler_closes_with_a_code() -> None:
    """`WebSocketException` ends the session with its code, from a handler too."""

    class Closing(Chat):
        @receive
        async def say(self, message: Say) -> None:
            raise WebSocketException(4004, "out")

    async with AsyncTestClient(App(controllers=[Closing])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_closed(4004)


async def test_an_interceptor_stands_around_all_handlers() -> None:
    """`around_message` sees the message and what comes of it, may change both, and need not call the handler at all."""

    class Around(Chat):
        async def around_message(self, message: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
            if message.text == "cached":
                return Said(text="from the cache")
            result = await call_next(Say(text=message.text + "!"))
            return Said(text="no stream") if result is None and message.text == "s" else result

        @receive
        async def say(self, message: Say) -> Said:
            return Said(text=message.text)

    async with AsyncTestClient(App(controllers=[Around])) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a!")
        assert await peer.request(Say(text="cached")) == Said(text="from the cache")


async def test_an_interceptor_stands_around_streams() -> None:
    """For a stream `call_next` returns None behind its last item."""
    seen: list[object] = []

    class Around(Chat):
        async def around_message(self, message: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
            seen.append(await call_next(message))

        @receive
        async def say(self, message: Say) -> AsyncIterator[Said]:
            for letter in message.text:
                yield Said(text=letter)

    async with AsyncTestClient(App(controllers=[Around])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="ab"), ref=1)
        assert [(await peer.expect(Said)).text for _ in "ab"] == ["a", "b"]
        assert await peer.expect(End) == End(1)
    assert seen == [None]


async def test_a_stream_that_fails_ends_with_an_error() -> None:
    """The items so far, then the error in place of `end`."""

    class Failing(Chat):
        @receive(raises=[RoomFull])
        async def say(self, message: Say) -> AsyncIterator[Said]:
            yield Said(text="a")
            raise RoomFull("full")

    async with AsyncTestClient(App(controllers=[Failing])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="ab"), ref=1)
        assert await peer.expect(Said) == Said(text="a")
        assert await peer.receive_json() == {"type": "error", "code": "room_full", "message": "full", "re": 1}


async def test_a_handler_pushes_through_the_session() -> None:
    """A handler's Session is the one of the endpoint; what it sends besides comes before its answer."""

    class Push(Chat):
        sends = (Other,)

        @receive
        async def say(self, message: Say, session: Session) -> Said:
            await session.send(Other())
            return Said(text=message.text)

    async with AsyncTestClient(App(controllers=[Push])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"), ref=1)
        assert await peer.expect(Other) == Other()
        assert await peer.receive_json() == {"type": "said", "text": "a", "re": 1}


async def test_another_connections_end_is_a_bug_of_the_handler() -> None:
    """`WebSocketDisconnect` in a handler says that its session has ended; while it lasts, that is an error like any other."""

    class Proxy(Chat):
        @receive
        async def say(self, message: Say) -> None:
            raise WebSocketDisconnect(1006, "some other connection")

    async with AsyncTestClient(App(controllers=[Proxy])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"), ref=1)
        assert (await peer.expect_error("internal")).re == 1


class Newest(Chat):
    """Only the newest call counts; its peer is slow."""

    protocol = JsonRpc()
    limits = Limits(stall=10)

    @receive(order="latest")
    async def say(self, message: Say) -> str:
        return message.text * 70_000

    @receive
    async def other(self, message: Other) -> None: ...


def call(id_: str, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": id_}


async def test_a_response_on_its_way_is_not_cancelled() -> None:
    """Neither by a newer call nor by the client: a call of JSON-RPC has one response, which may be that of a batch."""
    async with AsyncTestClient(App(controllers=[Newest])) as client, client.connect("/tea") as peer:
        peer.pause_reading()
        await peer.send_json(call("first", "say", text="a"))  # fills the connection
        await peer.send_json([call("second", "say", text="b"), call("other", "other")])
        await client.clock.advance(0)
        await peer.send_json(call("third", "say", text="c"))
        for id_ in ("second", "other"):
            await peer.send_json({"jsonrpc": "2.0", "method": "cancel", "params": {"re": id_}})
        await client.clock.advance(0)
        peer.resume_reading()
        first, batch, third = [await peer.receive_json() for _ in range(3)]
        assert (first["id"], [each["id"] for each in batch], third["id"]) == ("first", ["second", "other"], "third")
        assert all("result" in response for response in (first, *batch, third))
        await peer.expect_nothing()


async def test_a_response_that_nobody_takes_is_given_up() -> None:
    """With its session: a peer that stops reading, or breaks off, holds no handler."""
    ended: list[Any] = []

    class Watched(Newest):
        @websocket("/{room}")
        async def session(self, session: Session) -> AsyncIterator[None]:
            try:
                yield
            finally:
                ended.append(session.ended)

    async with AsyncTestClient(App(controllers=[Watched])) as client:
        for leave in ("stall", "reset"):
            async with client.connect("/tea", allow_leftovers=True) as peer:
                peer.pause_reading()
                for text in "ab":
                    await peer.send_json(call(text, "say", text=text))
                await client.clock.advance(0)
                if leave == "reset":
                    peer.reset()
                    continue
                await client.clock.advance(9)
                await client.clock.advance(4)
                assert [each.code for each in ended] == [1013]
                peer.resume_reading()
    assert len(ended) == 2


async def test_a_response_ends_with_its_peer_though_the_connection_takes_nothing() -> None:
    """A client that closes politely, and had stopped reading: its server may hold the write for ever."""
    frames = [{"type": "websocket.connect"}]
    frames += [{"type": "websocket.receive", "text": json.dumps(call("a", "say", text="a"))}]
    is_writing = anyio.Event()

    async def get() -> Any:
        if frames:
            return frames.pop(0)
        await is_writing.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def put(event: Any) -> None:
        if event["type"] == "websocket.send":
            is_writing.set()
            await anyio.sleep_forever()

    scope = {"type": "websocket", "path": "/tea", "headers": [], "query_string": b"", "subprotocols": []}
    with anyio.fail_after(5):
        await App(controllers=[Newest])(scope, get, put)
