"""Whether a peer closed its connection, or was lost."""

from __future__ import annotations

from functools import partial
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from anyio import to_thread
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.frames import CloseCode

from tests.serving import serving
from wscontrollers import APIWebSocketRoute, App, Ended, Session
from wscontrollers.session.ending import LOSS
from wscontrollers.session.loss import NO_STATUS, close_of, code_of, has_closed

pytestmark = pytest.mark.anyio


async def unknown(frame: Any) -> None:
    """ASGI's send, of a server that nobody knows."""


class Told:
    """What stands in for a server, and says it."""

    has_peer_closed: Any = True

    async def send(self, frame: Any) -> None:
        """ASGI's."""


def test_what_nobody_knows() -> None:
    """A server that is not known says nothing; what stands in for one may."""
    assert has_closed(unknown) is None
    told = Told()
    assert has_closed(told.send) is True
    told.has_peer_closed = "perhaps"
    assert has_closed(told.send) is None


def test_one_of_both_ways_is_enough() -> None:
    """A middleware wraps `send`, or `receive`; what is behind the other one knows."""
    told = Told()
    assert has_closed(unknown, told.send) is has_closed(told.send, unknown) is True
    assert has_closed(unknown, unknown) is None
    for has, code in ((True, NO_STATUS), (False, LOSS), (None, NO_STATUS)):
        told.has_peer_closed = has
        assert code_of(NO_STATUS, unknown, told.send) == code
        assert code_of(4000, told.send) == 4000


@pytest.mark.parametrize(
    ("conn", "close"),
    [
        (SimpleNamespace(close_rcvd=SimpleNamespace(code=CloseCode.NORMAL_CLOSURE, reason="bye")), (1000, "bye")),
        (SimpleNamespace(close_rcvd=None), None),
        (SimpleNamespace(state=SimpleNamespace(name="REMOTE_CLOSING")), (NO_STATUS, "")),
        (SimpleNamespace(state=SimpleNamespace(name="OPEN")), None),
    ],
)
def test_what_the_peers_close_said(conn: Any, close: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the server keeps it."""
    monkeypatch.setattr("wscontrollers.session.loss.server_behind", lambda *ways: SimpleNamespace(conn=conn))
    assert close_of(unknown) == close


@pytest.mark.parametrize("connection", [SimpleNamespace(), SimpleNamespace(state=1), None])
def test_a_server_that_has_changed_says_nothing(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it used to have is not relied on."""
    monkeypatch.setattr("wscontrollers.session.loss.server_behind", lambda *ways: SimpleNamespace(conn=connection))
    assert has_closed(unknown) is None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # a real uvicorn
@pytest.mark.parametrize("ws", ["websockets-sansio", "wsproto"])
@pytest.mark.parametrize(
    ("leaves", "end"),
    [
        ("by a close", Ended("client", 1005)),
        ("by a reset", Ended("network", 1006)),
        ("in silence", Ended("network", 1006)),
    ],
)
@pytest.mark.parametrize("host", [App, Starlette])
async def test_a_loss_is_told_from_a_close_without_a_code(host: Any, ws: str, leaves: str, end: Ended) -> None:
    """Uvicorn tells all three by 1005, in both of its classes; a ping that is not answered is a loss, too.

    Starlette's middleware wraps `send`, and leaves `receive` as it is.
    """
    ends: Queue[Ended | None] = Queue()

    async def endpoint(session: Session[bytes, bytes]) -> None:
        async for _ in session:
            pass
        ends.put(session.ended)

    app = host(routes=[APIWebSocketRoute("/", endpoint)])

    with serving(app, ws=ws, ws_ping_interval=0.1, ws_ping_timeout=0.1 if leaves == "in silence" else 20) as address:
        client = await connect(f"ws://{address}/", compression=None)
        if leaves == "by a close":
            client.protocol.send_close()
            client.transport.write(b"".join(client.protocol.data_to_send()))
        elif leaves == "by a reset":
            client.transport.abort()
        else:
            client.transport.pause_reading()
        assert await to_thread.run_sync(partial(ends.get, timeout=5)) == end
        client.transport.abort()
