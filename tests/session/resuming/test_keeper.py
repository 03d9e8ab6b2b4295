"""The sessions of an event loop that can be taken up again."""

from __future__ import annotations

from typing import Any

from wscontrollers import Resume
from wscontrollers.session.resuming.connection import Connection
from wscontrollers.session.resuming.keeper import Keeper, keeper
from wscontrollers.session.resuming.line import Line


async def nothing(*_: Any) -> Any:
    """ASGI's receive and send, of which none is called."""


def line(owner: object) -> Line:
    """The line of a new session."""
    return Line(Resume(), Connection({"headers": [], "path": "/"}, nothing, nothing), owner)


async def test_a_session_is_found_while_it_is_kept() -> None:
    """By its id; and those of one application among those of others."""
    kept, one, other = Keeper(), line("one"), line("other")
    kept.keep(one)
    kept.keep(other)

    assert kept.find(one.id, "one") is one
    assert kept.find(one.id, "other") is None
    assert list(kept.of("other")) == [other]
    kept.forget(one)
    kept.forget(one)
    assert kept.find(one.id, "one") is None


async def test_of_too_many_that_wait_the_eldest_ends() -> None:
    """Those whose clients came back, or who are over, are none of them; neither are those of another declaration."""
    kept, resume, other = Keeper(), Resume(limit=2), Resume(limit=2)
    ended: list[str] = []

    class Waiting:
        def __init__(self, name: str) -> None:
            self.name = name

        def over(self) -> None:
            ended.append(self.name)
            kept.waits_no_more(self, resume)  # type: ignore[arg-type]

    first, second, third, fourth = (Waiting(name) for name in ("first", "second", "third", "fourth"))
    for waiting in (first, second):
        kept.waits(waiting, resume)  # type: ignore[arg-type]
    kept.waits(fourth, other)  # type: ignore[arg-type]
    assert ended == []
    kept.waits_no_more(first, resume)  # type: ignore[arg-type]
    kept.waits(third, resume)  # type: ignore[arg-type]
    assert ended == []
    kept.waits(first, resume)  # type: ignore[arg-type]
    assert ended == ["second"]


async def test_each_event_loop_has_one() -> None:
    """The same one, whoever asks."""
    assert keeper() is keeper()
