"""Whether the client of a session is there."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import Resume
from wscontrollers.session.clock import SCOPE_KEY
from wscontrollers.session.resuming.connection import Connection
from wscontrollers.session.resuming.reach import Reach
from wscontrollers.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio


async def nothing(*_: Any) -> Any:
    """ASGI's receive and send, of which none is called."""


def reach() -> tuple[Reach, Connection, VirtualClock]:
    """That of a session that is held."""
    clock = VirtualClock()
    connection = Connection({"headers": [], "path": "/", SCOPE_KEY: clock}, nothing, nothing)
    made = Reach(Resume(30), connection)
    made.hold(Any)  # type: ignore[arg-type]
    return made, connection, clock


async def test_a_loss_detaches() -> None:
    """What goes on with the connection stops, and the grace begins."""
    made, connection, clock = reach()
    made.lose(connection)

    assert made.is_detached
    assert (connection.is_lost, connection.running.cancel_called) == (True, True)
    made.expire(clock.now() + 29)
    assert made.is_detached
    made.expire(clock.now() + 30)
    assert not made.is_detached


async def test_the_loss_of_a_connection_of_before_is_none() -> None:
    """Another one has taken its place."""
    made, connection, _ = reach()
    other = Connection({"headers": [], "path": "/"}, nothing, nothing)
    made._replace(other)
    made.lose(connection)

    assert connection.is_replaced
    assert not made.is_detached
    made.lose(other)
    assert made.is_detached


async def test_the_grace_is_not_begun_anew_by_a_handshake_that_fails() -> None:
    """It counts from the loss."""
    made, connection, clock = reach()
    made.lose(connection)
    await clock.advance(20)
    other = Connection({"headers": [], "path": "/"}, nothing, nothing)
    made._replace(other)
    made.lose(other)
    made.expire(clock.now() + 9)
    assert made.is_detached
    made.expire(clock.now() + 10)
    assert not made.is_detached


async def test_a_session_that_ends_waits_for_nobody() -> None:
    """Nor does one whose client has left."""
    made, connection, _ = reach()
    made.let_go()
    made.lose(connection)
    assert not made.is_detached

    other, connection, _ = reach()
    other.lose(connection)
    other.let_go()
    assert not other.is_detached
