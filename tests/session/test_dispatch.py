"""The dispatcher: messages to their handlers, in the order that each handler asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from json import dumps, loads
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from wscontrollers import App, Controller, websocket
from wscontrollers.declare import Order, per, receive
from wscontrollers.messages import Cancel, Credit, End, Message
from wscontrollers.session import Limits, Session
from wscontrollers.session.clock import MACHINE
from wscontrollers.session.watch import watch_of
from wscontrollers.testing import AsyncTestClient


class Work(Message):
    name: str
    room: str = "a"


class Done(Message):
    name: str


class Quick(Message):
    pass


class Count(Message):
    n: int


class Item(Message):
    i: int


class Anything(Message):
    key: Any


class Steps:
    """What handlers did, and the gates at which they wait."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gates: dict[str, anyio.Event] = {}

    async def pass_through(self, name: str) -> None:
        self.log.append(f"{name} in")
        try:
            await self.gates.setdefault(name, anyio.Event()).wait()
            self.log.append(f"{name} out")
        except BaseException:
            self.log.append(f"{name} cancelled")
            raise

    def open(self, *names: str) -> None:
        for name in names:
            self.gates.setdefault(name, anyio.Event()).set()


def app_with(steps: Steps, mark: object, limits: Limits | None = None) -> App:
    class Works(Controller):
        @websocket("/{floor}")
        async def session(self) -> AsyncIterator[None]:
            yield
            steps.log.append("behind")

        async def work(self, message: Work) -> Done:
            await steps.pass_through(message.name)
            return Done(name=message.name)

        work = mark(work)  # type: ignore[operator]

        @receive
        async def quick(self, message: Quick) -> None:
            steps.log.append("quick")

    return App(controllers=[Works], limits=limits)


async def test_serial_messages_wait_for_each_other() -> None:
    """By default a handler has finished before the next message is handled."""
    steps = Steps()
    async with AsyncTestClient(app_with(steps, receive)) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a"))
        await peer.send(Work(name="b"))
        await peer.send(Quick(), ref=1)
        await peer.expect_nothing()
        assert steps.log == ["a in"]
        steps.open("a", "b")
        assert [await peer.expect(Done) for _ in "ab"] == [Done(name="a"), Done(name="b")]
        await peer.receive_json()
        assert steps.log == ["a in", "a out", "b in", "b out", "quick"]


async def test_concurrent_messages_run_at_once_up_to_the_limit() -> None:
    """`order="concurrent", limit=2`: two run, the third waits, and with it all that comes behind."""
    steps = Steps()
    async with AsyncTestClient(app_with(steps, receive(order="concurrent", limit=2))) as client, client.connect("/x") as peer:
        for name in "abc":
            await peer.send(Work(name=name))
        await peer.send(Quick(), ref=1)
        await peer.expect_nothing()
        assert steps.log == ["a in", "b in"]
        steps.open("b")
        assert await peer.expect(Done) == Done(name="b")
        assert await peer.receive_json() == {"type": "ok", "re": 1}
        await peer.expect_nothing()
        assert steps.log.index("b out") < steps.log.index("c in")
        steps.open("c")
        assert await peer.expect(Done) == Done(name="c")
        steps.open("a")
        assert await peer.expect(Done) == Done(name="a")


async def test_a_newer_message_cancels_the_older() -> None:
    """`order="latest"`: the older handler is cancelled and answers the error `cancelled`, before the newer one begins."""
    steps = Steps()
    async with AsyncTestClient(app_with(steps, receive(order="latest"))) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a"), ref=1)
        await peer.expect_nothing()
        await peer.send(Work(name="b"), ref=2)
        error = await peer.expect_error("cancelled")
        assert error.re == 1
        steps.open("b")
        assert await peer.receive_json() == {"type": "done", "name": "b", "re": 2}
        assert steps.log == ["a in", "a cancelled", "b in", "b out"]


async def test_messages_of_one_key_follow_each_other() -> None:
    """`order=per("room")`: those of one room are in order, those of different rooms do not wait for each other."""
    steps = Steps()
    async with AsyncTestClient(app_with(steps, receive(order=per("room")))) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a1", room="a"))
        await peer.send(Work(name="a2", room="a"))
        await peer.send(Work(name="b1", room="b"))
        await peer.expect_nothing()
        assert steps.log == ["a1 in", "b1 in"]
        steps.open("a1", "a2", "b1")
        assert sorted([(await peer.expect(Done)).name for _ in range(3)]) == ["a1", "a2", "b1"]
        assert steps.log.index("a1 out") < steps.log.index("a2 in")


async def test_a_key_may_be_of_the_path() -> None:
    """`per("floor")`: a parameter of the path, where the message has no such field: all of the session in order."""
    steps = Steps()
    async with AsyncTestClient(app_with(steps, receive(order=per("floor")))) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a"))
        await peer.send(Work(name="b"))
        await peer.expect_nothing()
        assert steps.log == ["a in"]
        steps.open("a", "b")
        assert [(await peer.expect(Done)).name for _ in range(2)] == ["a", "b"]


@pytest.mark.parametrize("order", ["serial", "concurrent"])
async def test_a_client_cancels_a_handler(order: str) -> None:
    """`cancel` ends the handler that answers `re` with the error `cancelled`; the session goes on."""
    steps = Steps()
    mark = receive(order=order)  # type: ignore[call-overload]
    async with AsyncTestClient(app_with(steps, mark)) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a"), ref=1)
        await peer.send(Cancel(1))
        error = await peer.expect_error("cancelled", timeout=3)
        assert error.re == 1
        await peer.send(Cancel(1))
        await peer.send(Cancel(99))
        await peer.send(Quick(), ref=2)
        assert await peer.receive_json() == {"type": "ok", "re": 2}
        assert steps.log == ["a in", "a cancelled", "quick"]


@pytest.mark.parametrize("order", ["serial", "concurrent"])
async def test_handlers_are_cancelled_when_the_peer_is_gone(order: str) -> None:
    """Nobody waits for the answer any more: what runs is cancelled at once, and the endpoint goes on behind its yield."""
    steps = Steps()
    mark = receive(order=order)  # type: ignore[call-overload]
    async with AsyncTestClient(app_with(steps, mark)) as client, client.connect("/x") as peer:
        await peer.send(Work(name="a"))
        await peer.expect_nothing()
    assert steps.log == ["a in", "a cancelled", "behind"]


@pytest.mark.parametrize("order", ["serial", "concurrent"])
async def test_handlers_have_a_grace_when_the_server_ends(order: str) -> None:
    """A session that the server ends lets its handlers finish and answer; behind the grace they are cancelled."""
    steps = Steps()
    mark = receive(order=order)  # type: ignore[call-overload]
    app = app_with(steps, mark, Limits(lifetime=10, grace=3))
    async with AsyncTestClient(app) as client:
        clock = client.clock
        async with client.connect("/x") as peer:
            await peer.send(Work(name="a"))
            await clock.advance(11)
            steps.open("a")
            assert await peer.expect(Done) == Done(name="a")
            await peer.expect_closed(1001)
        assert steps.log == ["a in", "a out", "behind"]
        steps.log.clear()
        async with client.connect("/x") as peer:
            await peer.send(Work(name="b"))
            await clock.advance(11)
            assert steps.log == ["b in"]
            await clock.advance(4)
            await peer.expect_closed(1001)
        assert steps.log == ["b in", "b cancelled", "behind"]


async def test_a_stream_flows_until_the_first_credit_and_then_as_credited() -> None:
    """Items come freely; from the first credit on exactly as many as credited; then the end."""

    class Counting(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive
        async def count(self, message: Count, session: Session) -> AsyncIterator[Item]:
            for i in range(message.n):
                if i == 2:
                    await paused.wait()
                yield Item(i=i)

    paused = anyio.Event()
    async with AsyncTestClient(App(controllers=[Counting])) as client, client.connect("/") as peer:
        await peer.send(Count(n=6), ref="s")
        assert [(await peer.expect(Item)).i for _ in range(2)] == [0, 1]
        await peer.send(Credit("s", 2))
        await peer.expect_nothing()
        paused.set()
        assert [(await peer.expect(Item)).i for _ in range(2)] == [2, 3]
        await peer.expect_nothing()
        await peer.send(Credit("s", 1))
        assert (await peer.expect(Item)).i == 4
        await peer.send(Credit("s", 5))
        assert (await peer.expect(Item)).i == 5
        assert await peer.expect(End) == End("s")


@pytest.mark.parametrize("order", ["serial", "concurrent"])
async def test_a_cancelled_stream_ends(order: str) -> None:
    """After `cancel` comes `end`; the generator's clean-up has run."""
    log: list[str] = []

    class Counting(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive(order=order)  # type: ignore[call-overload,untyped-decorator]
        async def count(self, message: Count) -> AsyncIterator[Item]:
            try:
                yield Item(i=0)
                await anyio.sleep_forever()
            finally:
                log.append("cleaned up")

        @receive
        async def quick(self, message: Quick) -> None: ...

    async with AsyncTestClient(App(controllers=[Counting])) as client, client.connect("/") as peer:
        await peer.send(Count(n=6), ref="s")
        assert await peer.expect(Item) == Item(i=0)
        await peer.send(Cancel("s"))
        assert await peer.expect(End) == End("s")
        assert log == ["cleaned up"]
        await peer.send(Quick(), ref=3)
        assert await peer.receive_json() == {"type": "ok", "re": 3}


async def settled() -> None:
    """Let everything happen that waits for nothing from outside."""
    for _ in range(30):
        await checkpoint()


class Gate:
    """ASGI's other side: it takes each frame when it is let through."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.sent: list[Any] = []
        self.send, self.receive = anyio.create_memory_object_stream[Any](10)
        self.send.send_nowait({"type": "websocket.connect"})
        self.permits = anyio.Semaphore(0)

    async def take(self, event: Any) -> None:
        if event["type"] == "websocket.send":
            await self.permits.acquire()
            self.sent.append(loads(event["text"]))

    async def run(self) -> None:
        with self.send, self.receive:
            await self.app({"type": "websocket", "path": "/", "headers": []}, self.receive.receive, self.take)

    async def get(self, **frame: Any) -> None:
        await self.send.send({"type": "websocket.receive", "text": dumps(frame)})
        for _ in range(2):  # the look-out sees that somebody has to read
            await settled()
            watch_of(MACHINE).glance()
        await settled()

    async def let(self, frames: int) -> None:
        for _ in range(frames):
            self.permits.release()
        await settled()


@pytest.mark.parametrize("mark", [{}, {"timeout": 5}, {"order": "concurrent"}, {"order": "latest"}])
@pytest.mark.parametrize("name", ["answer", "declared", "items"])
@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_cancel_comes_too_late_for_an_answer_on_its_way(mark: dict[str, Any], name: str, is_taken: bool) -> None:
    """What comes of a handler is decided when it is done: each `ref` has one answer, be it queued or under way meanwhile."""

    class Full(Exception): ...

    class Slow(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        async def work(self, message: Work, session: Session) -> Done:
            session.send_nowait(Item(i=1))
            if message.name == "declared":
                raise Full
            return Done(name=message.name)

        work = receive(raises=[Full], **mark)(work)

        async def count(self, message: Count, session: Session) -> AsyncIterator[Item]:
            session.send_nowait(Item(i=1))
            return
            yield

        count = receive(**mark)(count)

    gate = Gate(App(controllers=[Slow]))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gate.run)
        await gate.get(**({"type": "count", "n": 1} if name == "items" else {"type": "work", "name": name}), ref="r")
        await gate.let(1 if is_taken else 0)
        await gate.get(type="cancel", re="r")
        await gate.let(10)
        assert gate.sent[0] == {"type": "item", "i": 1}
        assert [frame.get("code", frame["type"]) for frame in gate.sent[1:]] == [
            {"answer": "done", "declared": "full", "items": "end"}[name]
        ]
        await gate.get(type="work", name="next", ref="s")
        await gate.let(10)
        assert gate.sent[-1] == {"type": "done", "name": "next", "re": "s"}
        tasks.cancel_scope.cancel()


async def test_a_running_stream_holds_up_later_messages_but_no_control_frames() -> None:
    """Under `serial` the next message waits for the end of the stream; credit and cancel do not."""

    class Counting(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive
        async def count(self, message: Count) -> AsyncIterator[Item]:
            for i in range(message.n):
                yield Item(i=i)

        @receive
        async def quick(self, message: Quick) -> None: ...

    async with AsyncTestClient(App(controllers=[Counting])) as client, client.connect("/") as peer:
        await peer.send(Credit("s", 1))
        await peer.send(Count(n=40), ref="s")
        await peer.send(Quick(), ref=3)
        assert [(await peer.expect(Item)).i for _ in range(40)] == list(range(40))
        assert await peer.expect(End) == End("s")
        assert await peer.receive_json() == {"type": "ok", "re": 3}


@pytest.mark.parametrize("order", ["serial", "concurrent", "latest"])
async def test_credit_for_a_stream_that_waits_for_its_turn_counts_from_the_first_item(order: Order) -> None:
    """Sent right behind the message, it is there before the first item; none is left for another stream of that reference."""
    gate = anyio.Event()

    class Feed(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive
        async def quick(self, message: Quick) -> None:
            await gate.wait()

        @receive(order=order)
        async def count(self, message: Count) -> AsyncIterator[Item]:
            for i in range(message.n):
                yield Item(i=i)

    async with AsyncTestClient(App(controllers=[Feed])) as client, client.connect("/") as peer:
        await peer.send(Quick())
        await peer.send(Count(n=3), ref="s")
        await peer.send(Credit("s", 1))
        await peer.send(Credit("s", 1))
        for _ in range(2):  # the look-out sees that somebody has to read
            watch_of(client.clock).glance()
            await anyio.wait_all_tasks_blocked()
        gate.set()
        assert [(await peer.expect(Item)).i for _ in range(2)] == [0, 1]
        await peer.expect_nothing()
        await peer.send(Credit("s", 1))
        assert (await peer.expect(Item)).i == 2
        await peer.expect(End)
        await peer.send(Count(n=3), ref="s")
        assert [(await peer.expect(Item)).i for _ in range(3)] == [0, 1, 2]
        await peer.expect(End)


async def test_a_stream_that_waits_for_credit_is_not_held_up_by_a_full_inbox() -> None:
    """Credit is read behind more messages than the inbox holds; where too many bytes pile up, the session is closed with 1008."""

    class Counting(Controller):
        limits = Limits(inbox=2, inbox_bytes=1_000, grace=1)

        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive
        async def count(self, message: Count) -> AsyncIterator[Item]:
            await started.wait()
            for i in range(message.n):
                yield Item(i=i)

        @receive
        async def quick(self, message: Quick) -> None: ...

    for quick, credit in ((5, True), (8, False)):
        started = anyio.Event()
        async with AsyncTestClient(App(controllers=[Counting])) as client, client.connect("/") as peer:
            await peer.send(Count(n=2), ref="s")
            await peer.send(Credit("s", 1))
            await peer.expect_nothing()
            started.set()
            assert (await peer.expect(Item)).i == 0
            for ref in range(quick):
                await peer.send(Quick(), ref=ref)
            if credit:
                await peer.send(Credit("s", 1))
                assert (await peer.expect(Item)).i == 1
                assert await peer.expect(End) == End("s")
                assert [(await peer.receive_json())["re"] for _ in range(quick)] == list(range(quick))
            else:
                await peer.expect_nothing()
                await client.clock.advance(2)
                await peer.expect_closed(1008)


async def test_a_key_that_has_no_hash_is_a_failure_of_its_message() -> None:
    """A type that says nothing lets lists in too: the session, and its other messages, are none the worse."""

    class Works(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive(order=per("key"))
        async def anything(self, message: Anything) -> Done:
            return Done(name=str(message.key))

    async with AsyncTestClient(App(controllers=[Works])) as client, client.connect("/") as peer:
        await peer.send(Anything(key=["a"]), ref=1)
        assert (await peer.expect_error("internal")).re == 1
        assert await peer.request(Anything(key="a")) == Done(name="a")
