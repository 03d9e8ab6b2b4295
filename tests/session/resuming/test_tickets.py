"""Tickets are texts that only who has the secret can make."""

from __future__ import annotations

from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.session.resuming.tickets import Ticket, Tickets

SESSION = "0123456789abcdef"
LATER = int(time()) + 1000


@given(
    session=st.binary(min_size=8, max_size=8).map(bytes.hex),
    number=st.integers(0, 2**32 - 1),
    until=st.integers(LATER, 2**40 - 1),
)
def test_what_was_signed_is_read(session: str, number: int, until: int) -> None:
    """Any session and number, as a text that needs no escape in a URL."""
    tickets = Tickets()
    text = tickets.sign(Ticket(session, number, until))

    assert tickets.read(text) == (session, number, until)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@given(place=st.integers(0, 43), letter=st.sampled_from("AQgw-_"))
def test_a_ticket_that_was_changed_is_none(place: int, letter: str) -> None:
    """In whatever place; a text that decodes to the same bytes is the same ticket."""
    tickets = Tickets(b"a secret of sixteen")
    text = tickets.sign(Ticket(SESSION, 1, LATER))
    changed = text[:place] + letter + text[place + 1 :]

    assert tickets.read(changed) in ((None,) if changed[:-1] != text[:-1] else (None, (SESSION, 1, LATER)))


def test_a_ticket_of_another_secret_is_none() -> None:
    """Each process has a secret of its own where none is given."""
    text = Tickets().sign(Ticket(SESSION, 1, LATER))

    assert Tickets().read(text) is None
    one, other = Tickets(b"one secret for all"), Tickets(b"one secret for all")
    assert one.read(other.sign(Ticket(SESSION, 1, LATER))) == (SESSION, 1, LATER)


@pytest.mark.parametrize("text", ["", "x", "é" * 44, "=" * 44, "A" * 44, "A" * 10_000, "\x00" * 44])
def test_any_text_can_be_read(text: str) -> None:
    """What is no ticket is None, and raises nothing."""
    assert Tickets().read(text) is None


def test_a_ticket_that_is_too_old_is_none() -> None:
    """Nobody has to be asked for its session; clocks that differ by some minutes do no harm."""
    tickets = Tickets()

    assert tickets.read(tickets.sign(Ticket(SESSION, 1, int(time()) - 200))) is not None
    assert tickets.read(tickets.sign(Ticket(SESSION, 1, int(time()) - 400))) is None
