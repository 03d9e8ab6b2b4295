"""What stands between a session and its connection: frames are numbered, kept, and sent again."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.session.resuming.lines import Held, Wire, asked, claimed, number_of, opened, text
from wscontrollers import Resume
from wscontrollers.session.clock import SCOPE_KEY as CLOCK_KEY
from wscontrollers.session.resuming.carrying import carry
from wscontrollers.session.resuming.connection import PeerGone
from wscontrollers.session.resuming.kept import Kept
from wscontrollers.session.resuming.line import Line
from wscontrollers.testing.clock import VirtualClock


async def test_frames_of_the_session_go_to_the_connection() -> None:
    """And what the client says comes to the session, a frame at a time."""
    _, line, wire, _ = await opened()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, wire.connection)
        await line.send(text("one"))
        wire.tell({"type": "websocket.receive", "text": "hi"})
        assert [(await line.receive())["type"] for _ in range(2)] == ["websocket.connect", "websocket.receive"]
        tasks.cancel_scope.cancel()

    assert wire.sent == ["websocket.accept", "Resumable", "one"]
    assert line.received == 1


async def test_another_connection_is_sent_what_did_not_arrive() -> None:
    """First what was sent and not received, then what waits; the session does not notice."""
    resume, line, wire, kept = await opened()
    for content in ("one", "two", "three"):
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.send, text("four"))
        await anyio.wait_all_tasks_blocked()
        assert line.is_detached
        assert claimed(line, other, number_of(resume, kept.tickets[0]), 1)
        tasks.start_soon(carry, line, other.connection, 1)
        await anyio.wait_all_tasks_blocked()
        await line.send(text("five"))
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0", "two", "three", "four", "five"]
    assert (kept.told, line.resumed) == (["came back"], 1)


async def test_what_is_not_kept_any_more_is_counted() -> None:
    """The client is told how many frames it will never get."""
    resume, line, wire, kept = await opened(frames=2)
    for content in ("one", "two", "three", "four"):
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    assert claimed(line, other, number_of(resume, kept.tickets[0]), 1)
    assert await line.took_up(other.connection, 1)

    assert other.sent == ["websocket.accept", "Resumed 0 1", "three", "four"]


async def test_a_write_that_fails_is_done_on_the_next_connection() -> None:
    """The session waits as for a slow client, and neither loses the frame nor sends it twice."""
    resume, line, wire, kept = await opened()
    await line.send(text("one"))
    wire.is_broken = True
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.send, text("two"))
        await anyio.wait_all_tasks_blocked()
        assert claimed(line, other, number_of(resume, kept.tickets[0]), 1)
        assert await line.took_up(other.connection, 1)

    assert other.sent == ["websocket.accept", "Resumed 0 0", "two"]


async def test_what_came_before_a_write_failed_is_still_read() -> None:
    """A client that said something and closed did both, though an answer to it could not be written; else it is lost."""
    clock = VirtualClock()
    wire = Wire(**{CLOCK_KEY: clock})
    line = Line(Resume(30), wire.connection, None)
    line.hold(Held())
    wire.is_broken = True
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, wire.connection)
        tasks.start_soon(line.send, text("one"))
        await anyio.wait_all_tasks_blocked()
        line.expire(clock.now())
        assert not line.is_detached
        wire.tell({"type": "websocket.receive", "text": "hi"})
        assert [(await line.receive())["type"] for _ in range(2)] == ["websocket.connect", "websocket.receive"]
        line.expire(clock.now() + 1)
        assert line.is_detached
        tasks.cancel_scope.cancel()


async def test_what_is_sent_again_is_not_forgotten_meanwhile() -> None:
    """A frame that is sent during the replay takes no place of those that are still to come."""
    resume, line, wire, kept = await opened(frames=4)
    for content in "abcd":
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    other.gate = anyio.Event()
    assert claimed(line, other, number_of(resume, kept.tickets[0]), 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.took_up, other.connection, 0)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(line.send, text("e"))
        await anyio.wait_all_tasks_blocked()
        other.gate.set()

    assert other.sent == ["websocket.accept", "Resumed 0 0", *"abcde"]


async def test_a_replay_that_another_one_overtook_changes_nothing() -> None:
    """Its write may end well, or fail, when the next connection is there already."""
    resume, line, wire, held = await opened()
    for content in "abc":
        await line.send(text(content))
    line.lose(wire.connection)
    slow, other = Wire(), Wire()
    assert claimed(line, slow, number_of(resume, held.tickets[0]), 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.took_up, slow.connection, 0)
        await anyio.wait_all_tasks_blocked()
        slow.is_stalled = True
        tasks.start_soon(line.send, text("d"))
        await anyio.wait_all_tasks_blocked()
        assert claimed(line, other, number_of(resume, held.tickets[1]), 1)
        assert await line.took_up(other.connection, 1)
        await line.send(text("e"))
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0", *"bcde"]


async def test_a_ticket_is_used_by_who_got_the_next_one() -> None:
    """If the connection is lost before its client said anything, both are good: the client may have either."""
    resume, line, wire, held = await opened()
    line.lose(wire.connection)
    other, again = Wire(), Wire()
    assert claimed(line, other, 1, 0)
    assert await line.took_up(other.connection, 0)
    assert not claimed(line, again, 1, 0)
    line.lose(other.connection)
    assert claimed(line, again, 1, 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, again.connection, 0)
        again.tell({"type": "websocket.receive", "text": "hi"})
        assert [(await line.receive())["type"] for _ in range(1)] == ["websocket.receive"]
        tasks.cancel_scope.cancel()

    assert not claimed(line, Wire(), 1, 0)
    assert not claimed(line, Wire(), 2, 0)
    assert claimed(line, Wire(), number_of(resume, held.tickets[-1]), 0)


async def test_a_session_that_ends_while_its_client_is_behind_comes_behind_that() -> None:
    """What it says last, and the close frame, follow on what was missed."""
    resume, line, wire, held = await opened()
    for content in "ab":
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    other.gate = anyio.Event()
    assert claimed(line, other, number_of(resume, held.tickets[0]), 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.took_up, other.connection, 0)
        await anyio.wait_all_tasks_blocked()
        line.let_go()
        other.gate.set()
        await line.send(text("goodbye"))
        await line.send({"type": "websocket.close", "code": 1000})

    assert other.sent[-4:] == ["a", "b", "goodbye", "websocket.close"]


async def test_a_client_can_come_back_before_its_loss_is_known() -> None:
    """A write that hangs on the dead connection goes to the new one; the old one is closed, and its server's call returns."""
    resume, line, wire, kept = await opened()
    wire.is_stalled = True
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, wire.connection)
        tasks.start_soon(line.send, text("one"))
        await anyio.wait_all_tasks_blocked()
        wire.is_stalled = False
        assert claimed(line, other, number_of(resume, kept.tickets[0]), 0)
        tasks.start_soon(carry, line, other.connection, 0)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0", "one"]
    assert wire.sent == ["websocket.accept", "Resumable", "websocket.close"]


async def test_a_send_that_is_given_up_is_not_sent_later() -> None:
    """Its number goes to the next frame."""
    resume, line, wire, kept = await opened()
    line.lose(wire.connection)
    with anyio.move_on_after(0):
        await line.send(text("given up"))
    other = Wire()
    assert claimed(line, other, number_of(resume, kept.tickets[0]), 0)
    assert await line.took_up(other.connection, 0)
    await line.send(text("one"))

    assert other.sent == ["websocket.accept", "Resumed 0 0", "one"]
    assert line.sent.last == 1


@pytest.mark.parametrize(
    ("scope", "received", "number"),
    [
        ({"headers": [(b"origin", b"https://b")]}, 0, 1),
        ({"headers": []}, 0, 1),
        ({"path": "/other"}, 0, 1),
        ({"subprotocols": []}, 0, 1),
        ({}, 2, 1),
        ({}, 0, 2),
        ({}, 0, 0),
    ],
)
async def test_a_ticket_is_good_in_its_place_alone(scope: Any, received: int, number: int) -> None:
    """From the same page, to the same path, in the same subprotocol; and nobody received more than was sent."""
    _, line, _, _ = await opened()
    await line.send(text("one"))

    assert not claimed(line, Wire(**scope), number, received)
    assert claimed(line, Wire(), 1, 1)


async def test_a_ticket_is_good_once() -> None:
    """The second one who comes with it is refused; the connection that was let in has another."""
    _, line, wire, kept = await opened()
    line.lose(wire.connection)
    other = Wire()
    assert claimed(line, other, 1, 0)
    assert await line.took_up(other.connection, 0)

    assert not claimed(line, Wire(), 1, 0)
    assert claimed(line, Wire(), 2, 0)
    assert len(kept.tickets) == 2


async def test_a_ticket_is_not_lost_with_a_handshake() -> None:
    """A connection that breaks before it is accepted used nothing; the session goes on waiting."""
    _, line, wire, _ = await opened()
    line.lose(wire.connection)
    broken = Wire()
    broken.is_broken = True
    assert claimed(line, broken, 1, 0)
    assert not await line.took_up(broken.connection, 0)

    assert line.is_detached
    assert claimed(line, Wire(), 1, 0)


async def test_a_client_that_does_not_come_back_is_gone() -> None:
    """After the grace the session sees a disconnect, and who waits to send hears of it."""
    clock = VirtualClock()
    wire = Wire(**{CLOCK_KEY: clock})
    line = Line(Resume(30), wire.connection, None)
    line.hold(Held())
    line.lose(wire.connection)
    line.expire(clock.now() + 29)
    assert line.is_detached
    failures: list[Exception] = []

    async def send() -> None:
        try:
            await line.send(text("one"))
        except OSError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        line.expire(clock.now() + 30)

    assert isinstance(failures[0], PeerGone)
    assert await line.receive() == {"type": "websocket.disconnect", "code": 1006, "reason": ""}
    assert not claimed(line, Wire(), 1, 0)


async def test_a_session_that_ends_without_its_client_waits_for_nobody() -> None:
    """There is nobody to be sent a close frame."""
    _, line, wire, _ = await opened()
    line.lose(wire.connection)
    line.let_go()
    await line.send({"type": "websocket.close", "code": 1000})

    assert wire.sent == ["websocket.accept", "Resumable"]


async def test_before_it_is_held_a_loss_is_the_end() -> None:
    """While the handshake's dependencies run there is nothing that could be resumed."""
    wire = Wire()
    line = Line(Resume(), wire.connection, None)
    line.lose(wire.connection, {"type": "websocket.disconnect", "code": 1006})

    assert await line.receive() == {"type": "websocket.disconnect", "code": 1006}
    with pytest.raises(PeerGone):
        await line.send({"type": "websocket.accept"})


async def test_the_end_of_the_application_ends_the_session() -> None:
    """One that is not held yet is cancelled."""
    _, line, _, kept = await opened()
    line.stop()
    assert kept.told == [(1001, "the server ends")]

    early = Line(Resume(), Wire().connection, None)
    early.stop()
    assert early.running.cancel_called


async def test_a_session_that_cleans_up_is_not_disturbed_by_the_end_of_the_application() -> None:
    """It comes to its end by itself."""
    _, line, _, _ = await opened()
    line.let_go()
    line.stop()

    assert not line.running.cancel_called


async def test_what_comes_before_the_session_begins_has_no_number() -> None:
    """A dependency that sends by itself sends before the first ticket; it is not sent again."""
    wire, kept = Wire(), Held()
    line = Line(Resume(30), wire.connection, None)
    await line.send({"type": "websocket.accept"})
    await line.send(text("early"))
    line.hold(kept)
    await line.announce()
    await line.send(text("one"))

    assert wire.sent == ["websocket.accept", "early", "Resumable", "one"]
    assert line.sent.last == 1


class Client:
    """A client that comes back with what it knows, to this process or another one.

    Attributes:
        heard: What it received, on all connections together.
    """

    def __init__(self, resume: Resume) -> None:
        self.resume = resume
        self.heard: list[str] = []
        self.held = Held()
        self.wire = Wire()
        self.line = Line(resume, self.wire.connection, None)

    def hears(self) -> int:
        """Take what arrived; how many frames of the session it has now."""
        self.heard += [each for each in self.wire.sent if each not in ("websocket.accept", "Resumable") and each[0] != "R"]
        self.wire.sent.clear()
        return len(self.heard)

    async def come(self) -> None:
        """The first time."""
        await self.line.send({"type": "websocket.accept", "subprotocol": "wsc.v1+json"})
        self.line.hold(self.held)
        await self.line.announce()

    def swallow(self) -> None:
        """From now on what is sent does not arrive, though nobody knows."""
        self.hears()
        self.wire.sent = _Nowhere()

    async def come_back(self, *, moves: bool) -> None:
        """On another connection, perhaps in another process."""
        received = self.hears()
        number = number_of(self.resume, self.held.tickets[-1])
        self.wire = Wire()
        if not moves:
            assert claimed(self.line, self.wire, number, received)
            assert await self.line.took_up(self.wire.connection, received)
            return
        kept = self.line.give_away(asked(self.line, self.wire, number, received))
        assert kept is not None
        self.line.over()
        self.line = Line(self.resume, self.wire.connection, None, kept=Kept.decode(kept.encode()), has=received)
        await self.come()


class _Nowhere(list[Any]):
    """Frames that nobody gets."""

    def append(self, item: Any) -> None: ...


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.sampled_from(["send", "send", "swallow", "lose", "back", "move"]), max_size=25))
def test_whatever_breaks_a_client_has_every_frame_once_and_in_order(steps: list[str]) -> None:
    """Connections that are lost, or dead without anybody's knowing; the same process, or another one."""
    anyio.run(_drive, steps)


async def _drive(steps: list[str]) -> None:
    client = Client(Resume(30))
    await client.come()
    said: list[str] = []
    async with anyio.create_task_group() as tasks:
        for step in [*steps, "back"]:
            match step:
                case "send":
                    said.append(str(len(said)))
                    waiting = client.held.queue
                    if waiting or client.line.is_detached:
                        waiting.append(text(said[-1]))  # as an outbox does
                    else:
                        tasks.start_soon(client.line.send, text(said[-1]))
                case "swallow":
                    client.swallow()
                case "lose":
                    client.line.lose(client.wire.connection)
                case _:
                    await client.come_back(moves=step == "move")
                    waiting, client.held.queue = client.held.queue if step == "back" else [], []
                    for frame in waiting:
                        await client.line.send(frame)
            await anyio.wait_all_tasks_blocked()
        client.hears()

    assert client.heard == said
