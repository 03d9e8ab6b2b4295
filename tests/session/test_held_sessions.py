"""Sessions end to end: whose messages an endpoint reads, and how failures come out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from wscontrollers import (
    App,
    Controller,
    DeclarationError,
    FirstMessage,
    Message,
    Session,
    WebSocketException,
    receive,
    websocket,
)
from wscontrollers.testing import TestClient


class A(Message):
    n: int = 0


class B(Message):
    n: int = 0


def test_an_endpoint_that_yields_without_handlers_knows_no_message() -> None:
    """Where no handler takes messages, each is answered as unknown, and the session goes on."""

    class Quiet(Controller):
        @websocket("/")
        async def open(self, session: Session[A, Any]) -> AsyncIterator[None]:
            yield

    with TestClient(App(controllers=[Quiet])) as client, client.websocket_connect("/") as session:
        for _ in range(2):
            session.send_json({"type": "a"})
            assert session.receive_json()["code"] == "unknown_type"


def test_a_binary_frame_is_a_bad_frame_for_handlers() -> None:
    """They take messages; an endpoint that yields and wants raw frames is an error at registration."""

    class Wrong(Controller):
        @websocket("/")
        async def open(self, session: Session[bytes, Any]) -> AsyncIterator[None]:
            yield

    with pytest.raises(DeclarationError, match="none takes frames of bytes as they are"):
        App(controllers=[Wrong])

    class Rooms(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            yield

        @receive
        async def a(self, message: A) -> B:
            return B(n=message.n)

    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/") as session:
        session.send_bytes(b"raw")
        assert session.receive_json()["code"] == "invalid_frame"
        session.send_json({"type": "a", "n": 3})
        assert session.receive_json() == {"type": "b", "n": 3}


def test_an_endpoint_that_iterates_beside_handlers_reads_its_own_messages() -> None:
    """Handlers are for endpoints that yield; one that iterates its session reads what its own signature names."""

    class Rooms(Controller):
        @websocket("/handled")
        async def handled(self) -> AsyncIterator[None]:
            yield

        @websocket("/own")
        async def own(self, session: Session[B]) -> None:
            async for message in session:
                await session.send(A(n=message.n))

        @receive
        async def a(self, message: A) -> None: ...

    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/own") as session:
        session.send_json({"type": "b", "n": 4})
        assert session.receive_json() == {"type": "a", "n": 4}


def test_a_session_of_the_constructor() -> None:
    """The constructor may hold the session and say what comes in; the endpoint iterates it there."""

    class Rooms(Controller):
        def __init__(self, session: Session[B, A]) -> None:
            self.session = session

        @websocket("/")
        async def open(self) -> None:
            async for message in self.session:
                await self.session.send(A(n=message.n))

    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/") as session:
        session.send_json({"type": "b", "n": 5})
        assert session.receive_json() == {"type": "a", "n": 5}


def test_the_failure_of_a_task_comes_out() -> None:
    """What a task of the session raised is the session's failure, not the end that it brought."""

    class Rooms(Controller):
        @websocket("/")
        async def open(self, session: Session[A]) -> None:
            async def fail() -> None:
                raise KeyError("the task's")

            session.start_soon(fail)
            await session.receive()

    with TestClient(App(controllers=[Rooms])) as client, pytest.raises(KeyError, match="the task's"):  # noqa: SIM117
        with client.websocket_connect("/") as session:
            session.receive_text()


def test_ended_tells_of_a_handlers_exception() -> None:
    """Behind the yield `session.ended` has the code with which a handler ended the session."""
    seen: list[Any] = []

    class Rooms(Controller):
        @websocket("/")
        async def open(self, session: Session) -> AsyncIterator[None]:
            try:
                yield
            finally:
                seen.append(session.ended)

        @receive
        async def a(self, message: A) -> None:
            raise WebSocketException(4009, "enough")

    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/") as session:
        session.send_json({"type": "a"})
        assert session.receive()["code"] == 4009
    assert [(ended.by, ended.code, ended.reason) for ended in seen] == [("server", 4009, "enough")]


def test_a_first_message_is_received_on_the_subprotocol_of_the_session() -> None:
    """A handshake that is accepted for its first message names the subprotocol that the session speaks."""

    class Rooms(Controller):
        @websocket("/")
        async def open(self, session: Session[A], hello: Annotated[dict[str, int], FirstMessage()]) -> None:
            await session.send(A(n=hello["n"]))

    with TestClient(App(controllers=[Rooms])) as client, client.websocket_connect("/", ["wsc.v1+json"]) as session:
        assert session.accepted_subprotocol == "wsc.v1+json"
        session.send_json({"n": 6})
        assert session.receive_json() == {"type": "a", "n": 6}
