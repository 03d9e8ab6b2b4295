"""Tests of the application in `app.py`, each with something else in the place of a service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from examples.overrides.app import Clock, Desk, Mailbox, Visit, make_app
from wscontrollers import DeclarationError
from wscontrollers.testing import TestClient


class StoppedClock(Clock):
    """It is always twelve."""

    def now(self) -> datetime:
        """Noon."""
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


class Bounced(Mailbox):
    """Sends nothing."""

    async def send(self, text: str) -> None:
        """Keep it apart."""
        self.sent.append(f"bounced: {text}")


def say(client: TestClient, note: str) -> str:
    """One visit with one note."""
    with client.websocket_connect("/desk") as session:
        session.send_text(note)
        return session.receive_text()


def test_an_instance() -> None:
    """An instance takes the place of whatever is bound, or of a class that is bound nowhere."""
    app, mailbox = make_app(), Mailbox()

    with TestClient(app) as client, client.container.override(Mailbox, mailbox), client.container.override(Clock, StoppedClock()):
        assert say(client, "tea") == "sent"

    assert mailbox.sent == ["12:00 tea"]


def test_a_class() -> None:
    """A class is constructed, with what its constructor asks for, in the scope of what it replaces."""
    with TestClient(make_app()) as client, client.container.override(Mailbox, Bounced):
        say(client, "tea")
        say(client, "milk")

        sent = client.container.get(Mailbox).sent

    assert [note.partition(":")[0] for note in sent] == ["bounced", "bounced"]


def test_a_function() -> None:
    """A function is called; it may be async, ask for other services, and clean up behind a yield."""
    ends: list[str] = []

    def early(clock: Clock) -> Iterator[Visit]:
        yield Visit(StoppedClock())
        ends.append(type(clock).__name__)

    mailbox = Mailbox()
    with TestClient(make_app()) as client, client.container.override(Mailbox, mailbox), client.container.override(Visit, early):
        say(client, "tea")

    assert mailbox.sent == ["12:00 tea"]
    assert ends == ["Clock"]


def test_it_is_undone() -> None:
    """Behind the `with` block everything is as before, also when the test failed in it."""
    with TestClient(make_app()) as client:
        with pytest.raises(ZeroDivisionError), client.container.override(Clock, StoppedClock()):
            raise ZeroDivisionError

        assert type(client.container.get(Clock)) is Clock


def test_a_key_that_nothing_uses() -> None:
    """A mistake in the key is an error that names the nearest ones: an override that does nothing would go unnoticed."""

    class Clocks: ...

    with pytest.raises(DeclarationError, match="did you mean Clock"):
        make_app().container.override(Clocks, StoppedClock())


@pytest.mark.anyio
async def test_without_any_of_this() -> None:
    """A controller is a plain class: what needs no session needs no client either."""
    desk = Desk(Mailbox(), Visit(StoppedClock()))

    await desk.mailbox.send(f"{desk.visit.began:%H:%M}")

    assert desk.mailbox.sent == ["12:00"]


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the tests that are async themselves."""
    return "asyncio"
