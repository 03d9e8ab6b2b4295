"""A session that goes to another process, and on in it."""

from __future__ import annotations

import anyio

from tests.session.resuming.lines import Held, Wire, asked, number_of, opened, text
from wscontrollers.session.resuming.carrying import carry
from wscontrollers.session.resuming.kept import Kept, Place
from wscontrollers.session.resuming.line import Line


async def test_another_process_is_given_all_that_it_needs() -> None:
    """Frames that were sent and that wait, in their order; what nobody looked at counts as not received."""
    _, line, wire, held = await opened()
    await line.send(text("one"))
    await line.send(text("two"))
    held.queue, held.inbox, held.user = [text("three")], 2, "ann"
    line.received = 5

    kept = line.give_away(asked(line, wire, 1, 0))

    assert kept is not None
    assert Kept.decode(kept.encode()) == kept
    assert [flat.text for flat in kept.frames] == ["one", "two", "three"]
    assert (kept.last, kept.received, kept.user, kept.tickets) == (3, 3, "ann", {1})
    assert kept.groups == [Place("room:tea", "abc", 7, {"name": "Ann"})]
    assert held.told == ["moved"]


async def test_another_process_is_given_nothing_for_a_bad_ticket() -> None:
    """And the session goes on."""
    _, line, wire, held = await opened()

    assert line.give_away(asked(line, wire, 2, 0)) is None
    assert line.give_away(asked(line, Wire(path="/other"), 1, 0)) is None
    assert held.told == []


async def test_a_session_goes_on_in_another_process() -> None:
    """What its client missed is sent behind the ticket, numbers and tickets go on, and the first message is there again."""
    resume, line, wire, held = await opened()
    await line.send(text("one"))
    await line.send(text("two"))
    line._preface = [{"type": "websocket.receive", "text": "credentials"}]
    kept = line.give_away(asked(line, wire, number_of(resume, held.tickets[0]), 1))
    other, again = Wire(), Held()
    moved = Line(resume, other.connection, None, kept=kept, has=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, moved, other.connection)
        assert (await moved.receive())["type"] == "websocket.connect"
        await moved.send({"type": "websocket.accept", "subprotocol": "wsc.v1+json"})
        assert (await moved.receive())["text"] == "credentials"
        moved.hold(again)
        await moved.announce()
        await moved.send(text("three"))
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0 moved", "two", "three"]
    assert (moved.id, moved.resumed, moved.sent.last) == (line.id, 1, 3)
    assert number_of(resume, again.tickets[0]) == 2
