"""JSON-RPC 2.0 over controllers: the specification's examples, and what a client may expect whatever it sends."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.rpc_examples import EXAMPLES
from wscontrollers import (
    App,
    Controller,
    Denied,
    Depends,
    JsonRpc,
    Limits,
    Message,
    RequestRefusedError,
    Session,
    receive,
    websocket,
)
from wscontrollers.testing import AsyncTestClient, AsyncTestSession, TestClient


class Subtract(Message):
    minuend: int
    subtrahend: int


class Update(Message):
    a: int
    b: int
    c: int
    d: int
    e: int


class Sum(Message):
    a: int
    b: int
    c: int


class NotifySum(Message):
    a: int
    b: int
    c: int


class NotifyHello(Message):
    n: int


class GetData(Message):
    pass


class Specified(Controller):
    """The server of the specification's examples."""

    protocol = JsonRpc()

    @websocket("/")
    async def open(self) -> AsyncIterator[None]:
        yield

    @receive
    async def subtract(self, message: Subtract) -> int:
        return message.minuend - message.subtrahend

    @receive
    async def sum(self, message: Sum) -> int:
        return message.a + message.b + message.c

    @receive
    async def get_data(self, message: GetData) -> list[Any]:
        return ["hello", 5]

    @receive
    async def told(self, message: Update | NotifySum | NotifyHello) -> None: ...


@pytest.mark.parametrize(("sent", "answered"), EXAMPLES)
async def test_the_specifications_examples(sent: str, answered: Any) -> None:
    """Section 7 of the specification, each example as it stands there."""
    async with AsyncTestClient(App(controllers=[Specified])) as client, client.connect("/") as peer:
        await peer.send_text(sent)
        if answered is not None:
            assert await peer.receive_json() == answered
        await peer.expect_nothing()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_specifications_examples_over_a_real_server(anyio_backend: str) -> None:
    """All of them in one session of a uvicorn."""
    async with AsyncTestClient(App(controllers=[Specified]), real=True) as client, client.connect("/") as peer:
        for sent, answered in EXAMPLES:
            await peer.send_text(sent)
            if answered is not None:
                assert await peer.receive_json() == answered
        await peer.expect_nothing()


class Echo(Message):
    n: int


class Later(Message):
    n: int


class Fail(Message):
    how: str = "declared"


class Ask(Message): ...


class Hang(Message):
    n: int = 0


class Quit(Message):
    slowly: bool = False


class Question(Message):
    text: str


class RoomFull(Exception): ...


async def only_small(message: Echo) -> None:
    if message.n > 1_000_000:
        raise Denied(403, "too much")


class Office(Controller):
    """A method of each kind."""

    protocol = JsonRpc(subprotocol="office.rpc")
    limits = Limits(rate=None, bad_frames=None, bad_frames_in_a_row=None, inbox=2)

    @websocket("/")
    async def open(self) -> AsyncIterator[None]:
        yield

    @receive(dependencies=[Depends(only_small)])
    async def echo(self, message: Echo) -> int:
        return message.n

    @receive(order="concurrent", limit=3)
    async def later(self, message: Later) -> Echo:
        for _ in range(message.n % 5):
            await checkpoint()
        return Echo(n=message.n)

    @receive(raises=[RoomFull], timeout=1)
    async def fail(self, message: Fail) -> None:
        if message.how == "declared":
            raise RoomFull("no chair is free")
        if message.how == "slowly":
            await anyio.sleep_forever()
        raise KeyError("secret")

    @receive
    async def ask(self, message: Ask, session: Session[Any, Any]) -> str:
        try:
            return f"{await session.request(Question(text='how many?'), reply=int)}!"
        except RequestRefusedError as refused:
            return f"{refused.code}: {refused.text}"

    @receive
    async def quit(self, message: Quit, session: Session[Any, Any]) -> None:
        if message.slowly:
            await session.request(Question(text="sure?"), reply=int)
        await session.close(4000)
        if message.slowly:
            await anyio.sleep_forever()

    @receive(order="latest")
    async def hang(self, message: Hang) -> int:
        if message.n == 0:
            await anyio.sleep_forever()
        return message.n


def call(id_: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": id_}


def result(id_: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": id_}


def error(id_: Any, number: int, text: str, **data: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": number, "message": text} | ({"data": data} if data else {}), "id": id_}


async def answered(peer: AsyncTestSession, frame: Any) -> Any:
    await peer.send_json(frame)
    return await peer.receive_json()


async def test_errors_of_handlers_are_error_objects(caplog: pytest.LogCaptureFixture) -> None:
    """Ours are -32000 with the code as data; a bug is -32603 with the id that is in the log, and no word of the bug."""
    async with AsyncTestClient(App(controllers=[Office]), timeout=10) as client, client.connect("/") as peer:
        assert await answered(peer, call(1, "fail")) == error(1, -32000, "no chair is free", code="room_full")
        assert await answered(peer, call(2, "echo", n=2_000_000)) == error(2, -32000, "too much", code="forbidden")
        assert await answered(peer, call(3, "fail", how="slowly")) == error(3, -32000, "it took too long", code="timeout")
        assert await answered(peer, call(5, "echo", n="x")) == error(
            5,
            -32602,
            "Invalid params",
            errors=[
                {
                    "loc": ["n"],
                    "type": "int_parsing",
                    "msg": "Input should be a valid integer, unable to parse string as an integer",
                }
            ],
        )
        await peer.send_json(call(4, "fail", how="bug"))
        failure = await peer.expect_error("internal")
        (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert (failure.re, failure.message) == (4, "Internal error")
        assert failure.id is not None
        assert failure.id in record.getMessage()


async def test_what_is_cancelled_is_answered_once() -> None:
    """By the client's `cancel`, or by a newer call where only the latest counts; a batch has its place for it."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        await peer.send_json([call("old", "hang"), call("b", "echo", n=1)])
        await peer.send_json(call("new", "hang"))
        assert await peer.receive_json() == [error("old", -32000, "it was cancelled", code="cancelled"), result("b", 1)]
        await peer.send_json({"jsonrpc": "2.0", "method": "cancel", "params": {"re": "new"}})
        assert await peer.receive_json() == error("new", -32000, "it was cancelled", code="cancelled")
        await peer.send_json({"jsonrpc": "2.0", "method": "cancel", "params": {"re": "new"}})
        await peer.expect_nothing()


async def test_the_server_asks() -> None:
    """A request with an id, whose result is validated; an error object is a refusal, and a response to nothing is nothing."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        for response, said in [
            ({"result": 7}, "7!"),
            ({"result": "many"}, "validation: the result is no int"),
            ({"error": {"code": -32601, "message": "what?"}}, "-32601: what?"),
        ]:
            question = await answered(peer, call("mine", "ask"))
            assert question == {
                "jsonrpc": "2.0",
                "method": "question",
                "params": {"text": "how many?"},
                "id": question["id"],
            }
            for id_ in (question["id"] + 100, None, "x", question["id"]):
                await peer.send_json({"jsonrpc": "2.0", "id": id_, **response})
            assert await peer.receive_json() == result("mine", said)


async def test_a_long_batch_does_not_hold_up_the_answer_that_its_first_call_waits_for() -> None:
    """A batch takes one place of the inbox, however long it is."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        question = await answered(peer, [call("ask", "ask"), *(call(n, "echo", n=n) for n in range(99))])
        responses = await answered(peer, [{"jsonrpc": "2.0", "id": question["id"], "result": 7}])
        assert responses == [result("ask", "7!"), *(result(n, n) for n in range(99))]


async def test_a_session_that_ends_leaves_no_call_without_a_response() -> None:
    """What was not handled, or not to its end, is cancelled; then comes the close."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        await peer.send_json([call(1, "echo", n=1), call("hang", "hang"), call(2, "quit"), call(3, "echo", n=3)])
        await client.clock.advance(10)
        ends = [error(id_, -32000, "the session ends", code="cancelled") for id_ in ("hang", 3)]
        assert await peer.receive_json() == [result(1, 1), ends[0], result(2, None), ends[1]]
        await peer.expect_closed(4000)


async def test_calls_behind_the_end_are_not_answered() -> None:
    """Else a client could have the server keep one after the other, while a handler has its grace."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        question = await answered(peer, call("slow", "quit", slowly=True))
        await peer.send_json({"jsonrpc": "2.0", "result": 1, "id": question["id"]})
        await client.clock.advance(0)
        for _ in range(3):
            await peer.send_json([call("late", "echo", n=4), call(None, "unknown")])
        await client.clock.advance(10)
        assert await peer.receive_json() == error("slow", -32000, "the session ends", code="cancelled")
        await peer.expect_closed(4000)


async def test_a_batch_counts_as_so_many_messages() -> None:
    """Each of its calls takes a token; where there are not enough, nothing of it is done."""

    class Slow(Office):
        limits = Limits(rate=1, burst=3)

    async with AsyncTestClient(App(controllers=[Slow])) as client, client.connect("/") as peer:
        assert await answered(peer, [call(n, "echo", n=n) for n in range(2)]) == [result(0, 0), result(1, 1)]
        assert await answered(peer, [call(n, "echo", n=n) for n in range(2)]) == error(
            None, -32000, "too many messages", code="rate_limited"
        )
        assert await peer.receive_json() == [error(n, -32000, "the session ends", code="cancelled") for n in range(2)]
        await peer.expect_closed(1008)


async def test_the_bad_ones_of_a_batch_count_as_bad_frames() -> None:
    """Each of them in all, and together as one of a row; also those of which nobody is told. What can be told comes first."""

    class Strict(Office):
        limits = Limits(bad_frames_in_a_row=3, bad_frames=10)

    async with AsyncTestClient(App(controllers=[Strict])) as client:
        async with client.connect("/") as peer:
            assert len(await answered(peer, [1, 2, 3, call(1, "echo", n=1), 4])) == 5
            await peer.send_json({"jsonrpc": "2.0", "method": "unknown"})
            assert await answered(peer, [5]) == [error(None, -32600, "Invalid Request")]
            assert await peer.expect_closed(1008) == "too many bad frames"
        async with client.connect("/") as peer:
            assert len(await answered(peer, [*range(11)])) == 11
            assert await peer.expect_closed(1008) == "too many bad frames"


def test_the_subprotocol_of_the_protocol() -> None:
    """It is chosen if it is offered; codecs are not."""
    with TestClient(App(controllers=[Office])) as client:
        for offered, chosen in [(["wsc.v1+json", "office.rpc"], "office.rpc"), (["wsc.v1+json"], None)]:
            with client.websocket_connect("/", offered) as session:
                assert session.accepted_subprotocol == chosen


# What comes back, whatever is sent

IDS = st.none() | st.integers(0, 3) | st.sampled_from(["a", "b", 1.5, -1])
NUMBERS = st.integers(0, 20)


@st.composite
def items(draw: st.DrawFn) -> tuple[Any, Any]:
    """A member of a batch, and its response; None where there is none."""
    kind = draw(st.sampled_from(["echo", "later", "fail", "unknown", "invalid", "junk", "response", "wrong version"]))
    id_, n = draw(IDS), draw(NUMBERS)
    params: Any = draw(st.sampled_from([{"n": n}, [n]]))
    made: tuple[Any, Any] = {
        "echo": ({"method": "echo", "params": params}, result(id_, n)),
        "later": ({"method": "later", "params": params}, result(id_, {"n": n})),
        "fail": ({"method": "fail"}, error(id_, -32000, "no chair is free", code="room_full")),
        "unknown": ({"method": "credit", "params": params}, error(id_, -32601, "Method not found")),
        "invalid": (
            {"method": "echo", "params": [n, n]},
            error(
                id_,
                -32602,
                "Invalid params",
                errors=[{"loc": [1], "type": "unexpected_positional_argument", "msg": "Unexpected positional argument"}],
            ),
        ),
        "junk": (None, error(None, -32600, "Invalid Request")),
        "response": ({"result": n}, None),
        "wrong version": ({"method": "echo", "params": params, "jsonrpc": "1.0"}, error(None, -32600, "Invalid Request")),
    }[kind]
    sent, response = made
    if kind == "junk":
        return draw(st.sampled_from([1, None, "text", {}, [], {"foo": "boo"}])), response
    sent = {"jsonrpc": "2.0", **sent}
    if kind in ("response", "wrong version") or draw(st.booleans()):
        return {**sent, "id": id_}, response
    return sent, None


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, Any]:
    """A frame, and what comes back for it; None for nothing."""
    kind = draw(st.sampled_from(["one", "batch", "empty", "no json"]))
    if kind == "no json":
        return draw(st.sampled_from(["", "{", "[1,", '{"jsonrpc": "2.0"', "NaN"])), error(None, -32700, "Parse error")
    if kind == "empty":
        return "[]", error(None, -32600, "Invalid Request")
    drawn = draw(st.lists(items(), min_size=1, max_size=1 if kind == "one" else 8))
    responses = [response for _, response in drawn if response is not None]
    if kind == "one" and not isinstance(drawn[0][0], list):
        return json.dumps(drawn[0][0]), responses[0] if responses else None
    return json.dumps([sent for sent, _ in drawn]), responses or None


async def exchanged(sent: list[str], count: int) -> list[Any]:
    """Send frames without waiting, and receive so many; then nothing more comes, and the session is well."""
    async with AsyncTestClient(App(controllers=[Office])) as client, client.connect("/") as peer:
        for text in sent:
            await peer.send_text(text)
        received = [await peer.receive_json() for _ in range(count)]
        await peer.expect_nothing()
        assert await answered(peer, call("last", "echo", n=1)) == result("last", 1)
        return received


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=60, deadline=None)
@given(exchange=st.lists(frames(), max_size=6))
def test_each_call_has_one_response(backend: str, exchange: list[tuple[str, Any]]) -> None:
    """Each frame is answered by what the model says, in one frame, once; ids may come twice, and order between frames is open."""
    expected = [answer for _, answer in exchange if answer is not None]

    received = anyio.run(exchanged, [text for text, _ in exchange], len(expected), backend=backend)

    assert Counter(map(json.dumps, map(normal, received))) == Counter(map(json.dumps, map(normal, expected)))


def normal(frame: Any) -> Any:
    """The same with its names in order."""
    return json.loads(json.dumps(frame, sort_keys=True))
