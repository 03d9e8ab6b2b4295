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


async def test_each_event_loop_has_one() -> None:
    """The same one, whoever asks."""
    assert keeper() is keeper()
