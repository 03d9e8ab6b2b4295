"""The example `chat`: what goes over the wire. Its page is tried in `test_chat_browser.py`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from examples.chat.app import make_app
from examples.chat.clock import Clock
from examples.chat.limits import Limits
from tests.serving import serving
from wscontrollers import Container, WebSocketDisconnect
from wscontrollers.testing import TestClient, WebSocketTestSession

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class StoppedClock(Clock):
    """It is always twelve."""

    def now(self) -> datetime:
        """Noon."""
        return NOON


@contextmanager
def chatting(**limits: Any) -> Generator[TestClient]:
    """A chat with these limits, where it is always twelve."""
    app = make_app(Container(Limits(**limits)))
    with TestClient(app) as client, client.container.override(Clock, StoppedClock()):
        yield client


@contextmanager
def joined(client: TestClient, name: str, room: str = "tea") -> Generator[tuple[WebSocketTestSession, Any]]:
    """A member, and the welcome that it got."""
    with client.websocket_connect(f"/rooms/{room}") as session:
        session.send_json({"type": "join", "name": name})
        yield session, session.receive_json()


def drain(receive: Callable[[], object]) -> None:
    """Receive until that raises."""
    while True:
        receive()


def test_everyone_hears_everyone() -> None:
    """A message goes to all members of the room, the speaker too, and to no other room."""
    with (
        chatting() as client,
        joined(client, "ann") as (ann, _),
        joined(client, "bob") as (bob, _),
        joined(client, "cat", "milk") as (cat, _),
    ):
        bob.send_json({"type": "say", "text": " <b>hi</b> "})
        cat.send_json({"type": "say", "text": "meow"})
        said = {"type": "said", "name": "bob", "text": "<b>hi</b>", "at": "2026-01-01T12:00:00Z"}

        assert bob.receive_json() == said
        assert ann.receive_json() == {"type": "joined", "name": "bob"}
        assert ann.receive_json() == said
        assert cat.receive_json()["text"] == "meow"


def test_a_welcome_tells_who_is_there_and_what_was_said() -> None:
    """Who comes later gets the members and the last messages, no more than the room remembers."""
    with chatting(history=2) as client, joined(client, "ann") as (ann, _):
        for text in ("one", "two", "three"):
            ann.send_json({"type": "say", "text": text})
            ann.receive_json()

        with joined(client, "bob") as (_, welcome):
            history = [said["text"] for said in welcome.pop("history")]

    assert history == ["two", "three"]
    assert welcome == {"type": "welcome", "room": "tea", "you": "bob", "members": ["ann", "bob"]}


def test_coming_and_going_is_announced() -> None:
    """The others hear who came and who left."""
    with chatting() as client, joined(client, "ann") as (ann, _):
        with joined(client, "bob"):
            assert ann.receive_json() == {"type": "joined", "name": "bob"}

        assert ann.receive_json() == {"type": "left", "name": "bob"}


def test_names_are_unique_in_a_room() -> None:
    """Who asks for a name that is taken gets the next one like it, at a join and at a rename."""
    with chatting() as client, joined(client, "ann") as (ann, _), joined(client, "ann") as (second, welcome):
        assert welcome["you"] == "ann (2)"

        second.send_json({"type": "rename", "name": "bob"})
        assert second.receive_json() == {"type": "renamed", "name": "bob", "was": "ann (2)"}

        ann.receive_json()
        ann.receive_json()
        ann.send_json({"type": "rename", "name": "bob"})
        assert ann.receive_json() == {"type": "renamed", "name": "bob (2)", "was": "ann"}


@pytest.mark.parametrize(
    ("frame", "code", "message"),
    [
        ("tea", "invalid_json", "the frame is no JSON"),
        ("[]", "invalid_frame", 'the frame is no object with a "type"'),
        ('{"text": "hi"}', "invalid_frame", 'the frame is no object with a "type"'),
        ('{"type": "shout", "text": "hi"}', "unknown_type", 'the "type" is none that this room knows'),
        ('{"type": "say"}', "validation", "text: Field required"),
        ('{"type": "say", "text": "  "}', "validation", "text: String should have at least 1 character"),
        ('{"type": "say", "text": "%s"}' % ("x" * 501), "validation", "text: String should have at most 500 characters"),
        ('{"type": "rename", "name": "a\\u202eb"}', "validation", "name: Value error, it has characters that cannot be seen"),
        (b"\xff", "invalid_json", "the frame is no JSON"),
    ],
)
def test_a_bad_frame_is_answered(frame: str | bytes, code: str, message: str) -> None:
    """A frame that cannot be used gets an error that says why, nobody else hears of it, and the session goes on."""
    with chatting() as client, joined(client, "ann") as (ann, _):
        ann.send_bytes(frame) if isinstance(frame, bytes) else ann.send_text(frame)
        ann.send_json({"type": "say", "text": "still here"})

        assert ann.receive_json() == {"type": "error", "code": code, "message": message}
        assert ann.receive_json()["text"] == "still here"


@pytest.mark.parametrize(
    ("join", "reason"),
    [
        ({"type": "join", "name": "  "}, "first message: name: string_too_short"),
        ({"type": "join", "name": "x" * 25}, "first message: name: string_too_long"),
        ({"type": "say", "text": "hi"}, "first message: type: literal_error"),
    ],
)
def test_a_bad_join_is_closed_with_its_reason(join: dict[str, str], reason: str) -> None:
    """Without a valid join there is no member: 1008, with a reason that the page shows."""
    with chatting() as client, client.websocket_connect("/rooms/tea") as session:
        session.send_json(join)

        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_json()

    assert (closed.value.code, closed.value.reason) == (1008, reason)


@pytest.mark.parametrize("room", ["a%20b", "x" * 33, "%3Cb%3E"])
def test_a_bad_room_is_refused(room: str) -> None:
    """The name of a room is checked before the handshake is accepted."""
    with chatting() as client, pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(f"/rooms/{room}"):
        pass

    assert closed.value.code == 1008


def test_a_full_room_is_closed() -> None:
    """There are no more members than the limit says; the next one is closed with 1013, and may try again later."""
    with chatting(members=1) as client, joined(client, "ann"), client.websocket_connect("/rooms/tea") as session:
        session.send_json({"type": "join", "name": "bob"})

        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_json()

    assert (closed.value.code, closed.value.reason) == (1013, "the room is full")


def test_empty_rooms_make_place() -> None:
    """Rooms cannot pile up: the oldest empty one is forgotten, and if there is none, no new one is opened."""
    with chatting(rooms=1) as client:
        with joined(client, "ann", "tea") as (ann, _):
            ann.send_json({"type": "say", "text": "hi"})
            ann.receive_json()
            with client.websocket_connect("/rooms/milk") as session:
                session.send_json({"type": "join", "name": "bob"})
                with pytest.raises(WebSocketDisconnect) as closed:
                    session.receive_json()

        with joined(client, "bob", "milk"):
            pass
        with joined(client, "ann", "tea") as (_, welcome):
            assert welcome["history"] == []

    assert (closed.value.code, closed.value.reason) == (1013, "there are too many rooms")


def test_who_floods_is_closed() -> None:
    """Beyond the burst a sender is closed with 1008, before it makes the others fall behind."""
    with chatting(burst=2, pace=60) as client, joined(client, "ann") as (ann, _), joined(client, "bob") as (bob, _):
        for number in range(4):
            bob.send_json({"type": "say", "text": f"flood {number}"})
        heard = [ann.receive_json() for _ in range(4)]
        with pytest.raises(WebSocketDisconnect) as closed:
            drain(bob.receive_json)

    assert [frame.get("text", frame["type"]) for frame in heard] == ["joined", "flood 0", "flood 1", "left"]
    assert (closed.value.code, closed.value.reason) == (1008, "too many messages at once")


def test_a_slow_member_harms_nobody() -> None:
    """Who reads nothing is closed with 1013 once its queue is full, while the others chat on without a wait."""
    app = make_app(Container(Limits(outbox=50, pace=0)))
    with serving(app) as address, real_member(address, "ann") as ann, real_member(address, "bob", max_queue=1) as bob:
        left = rounds = 0
        text = "x" * 500
        while not left and rounds < 2_000:  # as much as fits into the buffers of both kernels
            for _ in range(20):
                ann.send(f'{{"type": "say", "text": "{text}"}}')
            left = sum('"left"' in str(ann.recv(timeout=5)) for _ in range(20))
            rounds += 1
        ann.send('{"type": "say", "text": "at last"}')
        while '"at last"' not in str(ann.recv(timeout=5)):
            pass
        with pytest.raises(ConnectionClosed) as closed:
            drain(lambda: bob.recv(timeout=5))

    assert left == 1
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "you fell behind")


@contextmanager
def real_member(address: str, name: str, **options: Any) -> Generator[ClientConnection]:
    """A member on a real connection, behind its welcome."""
    with connect(f"ws://{address}/rooms/tea", compression=None, **options) as member:
        member.send(f'{{"type": "join", "name": "{name}"}}')
        assert '"welcome"' in str(member.recv(timeout=5))
        yield member


def test_the_page_runs_nothing_but_its_own_files() -> None:
    """The page and its files are served, with a policy that keeps everything else out."""
    with chatting() as client:
        page = client.get("/")
        files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)

        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert files == ["/static/chat.css", "/static/chat.js"]
        assert [client.get(file).status_code for file in files] == [200, 200]
        assert "innerHTML" not in client.get("/static/chat.js").text


def test_control_c_ends_it_cleanly() -> None:
    """`python -m examples.chat` prints its address; Ctrl-C tells the open pages (1012) and ends it without a traceback."""
    command = [sys.executable, "-m", "examples.chat"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://([\d.]+:\d+)/", process.stdout.readline())
            assert address is not None
            with real_member(address[1], "ann") as ann:
                os.kill(process.pid, signal.SIGINT)
                with pytest.raises(ConnectionClosed) as closed:
                    ann.recv(timeout=5)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert (process.returncode, output, errors) == (0, "The chat has ended.\n", "")


def test_a_port_that_is_taken() -> None:
    """A port that cannot be used is told in one line."""
    with serving(make_app()) as address:
        port = address.rpartition(":")[2]
        ended = subprocess.run(
            [sys.executable, "-m", "examples.chat", "--port", port], capture_output=True, text=True, timeout=10, check=False
        )

    assert ended.returncode == 1
    assert ended.stderr == f"--port {port}: it cannot be used: Address already in use. Fix: leave it out to get a free one.\n"
