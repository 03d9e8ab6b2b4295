"""The ways out of a session."""

from __future__ import annotations

from typing import Any

import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.outbox import Outbox
from wscontrollers.session.outlet import Outlet, payload_of
from wscontrollers.session.owner import NOBODY

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


def own_of(outlet: Outlet) -> Any:
    return outlet._own  # pyright: ignore[reportPrivateUsage]


async def test_a_known_server_has_both_ways(protocol: Any) -> None:
    """Once the handshake is accepted: its `send` can be stepped, and passed by. What passes it by is looked up once."""
    outlet = Outlet(protocol.send, direct=True)
    assert not outlet.steps
    outlet.open_up()
    assert outlet.steps
    assert own_of(outlet) is not None
    assert outlet.is_direct
    assert outlet.direct is None  # the frames of groups go this way only where their `Groups` let them
    outlet.go_direct()
    assert outlet.direct is own_of(outlet)
    outlet.shut()
    assert not outlet.steps
    assert not outlet.is_direct


async def test_the_application_can_say_no(protocol: Any) -> None:
    """Then there is `send` alone, also for groups."""
    outlet = Outlet(protocol.send, direct=False)
    outlet.open_up()
    outlet.go_direct()
    assert outlet.steps
    assert own_of(outlet) is None
    assert outlet.direct is None


async def test_any_other_send_is_the_only_way(protocol: Any) -> None:
    """A middleware's, or that of an unknown server."""

    async def around(event: Any) -> None:
        await protocol.send(event)

    outlet = Outlet(around, direct=True)
    outlet.open_up()
    outlet.go_direct()
    assert not outlet.steps
    assert own_of(outlet) is None
    assert outlet.direct is None


async def test_own_frames_and_those_of_groups_keep_one_order(protocol: Any) -> None:
    """Whichever way a frame goes, it lies behind those that were sent before it."""
    outbox = Outbox(protocol.send, NOBODY, frames=10, size=1000)
    await outbox.send({"type": "websocket.send", "text": "a"}, 1)  # opens it
    outbox.go_direct()
    assert outbox.direct is not None
    outbox.direct.write(b"\x81\x01b")
    assert outbox.write("c")
    await outbox.send({"type": "websocket.send", "bytes": b"d"}, 1)
    outbox.send_nowait({"type": "websocket.send", "text": "e", "bytes": None}, 1)
    await protocol.send({"type": "websocket.send", "text": "f"})
    assert protocol.transport.written == b"\x81\x01a\x81\x01b\x81\x01c\x82\x01d\x81\x01e\x81\x01f"


async def test_the_payload_of_an_event() -> None:
    """Its text, or else its bytes."""
    assert payload_of({"text": ""}) == ""
    assert payload_of({"text": None, "bytes": b"a"}) == b"a"
    assert payload_of({"bytes": b""}) == b""
