"""Limits: defaults, levels, and what is refused."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest

from wscontrollers import DeclarationError, Limits
from wscontrollers.messages.limits import FirstMessageLimits, FrameLimits
from wscontrollers.session import DEFAULT_LIMITS
from wscontrollers.session.limits import given_limits


def test_the_defaults_are_those_that_are_documented() -> None:
    """64 KiB, 50 a second in bursts of 200, 16 in the inbox, 10 bad frames in a row or 100, 1,000 frames or 1 MiB out, 10 s.

    64 levels and 4,300 digits in a frame, 10 s for a first message.
    """
    limits = DEFAULT_LIMITS
    assert (limits.message, limits.rate, limits.burst, limits.inbox) == (65536, 50.0, 200, 16)
    assert (limits.bad_frames_in_a_row, limits.bad_frames) == (10, 100)
    assert (limits.outbox, limits.outbox_bytes, limits.stall) == (1000, 1048576, 10.0)
    assert limits.inbox_bytes == 16 * limits.message
    assert (limits.depth, limits.digits, limits.first_message) == (64, 4300, 10.0)
    assert (limits.handler_time, limits.idle, limits.lifetime) == (None, None, None)


def test_what_is_left_out_comes_from_the_level_around() -> None:
    """`over` keeps what was set, None too, and takes the rest from the base."""
    limits = Limits(rate=None, burst=5).over(Limits(rate=3, inbox=7).over(DEFAULT_LIMITS))
    assert (limits.rate, limits.burst, limits.inbox, limits.message) == (None, 5, 7, 65536)


def test_limits_are_values() -> None:
    """Given by name, compared by value, never changed; a copy is equal."""
    limits = Limits(rate=10, idle=None)
    assert limits == copy(limits) == Limits(idle=None, rate=10) != Limits(rate=10)
    assert repr(limits).startswith("Limits(message=UNSET, rate=10, ")
    with pytest.raises(AttributeError):
        limits.rate = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        Limits(1024)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"burst": -1},
        {"message": "64k"},
        {"idle": float("-inf")},
        {"idle": float("nan")},
        {"rate": True},
        {"outbox": 0.5},
    ],
)
def test_a_limit_is_a_number_above_zero(wrong: dict[str, Any]) -> None:
    """Anything else is told, with the name of the limit."""
    with pytest.raises(DeclarationError, match=rf"^Limits\({next(iter(wrong))}=.*: a limit is a number above 0. Fix: "):
        Limits(**wrong)


NEEDED = ["burst", "inbox", "inbox_bytes", "outbox", "outbox_bytes", "grace", "depth", "digits"]


@pytest.mark.parametrize("name", NEEDED)
def test_what_cannot_be_taken_away_has_an_end(name: str) -> None:
    """Infinity takes a limit away, too; where `None` may stand, it may."""
    with pytest.raises(DeclarationError, match=rf"^Limits\({name}=inf\): this limit cannot be taken away"):
        Limits(**{name: float("inf")})
    assert Limits(rate=float("inf")).rate == float("inf")


@pytest.mark.parametrize("name", NEEDED)
def test_some_limits_cannot_be_taken_away(name: str) -> None:
    """What is counted against them is counted anyway; the others may be `None`."""
    with pytest.raises(DeclarationError, match=rf"^Limits\({name}=None\): this limit cannot be taken away. Fix: give a number"):
        Limits(**{name: None})
    others = set(Limits._fields) - {*NEEDED}
    limits = Limits(**dict.fromkeys(others))
    assert all(getattr(limits, other) is None for other in others)


@pytest.mark.parametrize(("name", "most"), [("depth", 200), ("digits", 4300)])
def test_no_more_is_allowed_than_the_parser_reads(name: str, most: int) -> None:
    """pydantic's JSON parser has ends of its own, and both are counts."""
    assert getattr(Limits(**{name: most}), name) == most
    with pytest.raises(
        DeclarationError, match=rf"^Limits\({name}={most + 1}\): no frame can be allowed so much\. Fix: give {most} "
    ):
        Limits(**{name: most + 1})
    with pytest.raises(DeclarationError, match=rf"^Limits\({name}=1\.5\): it is no whole number\. Fix: give one"):
        Limits(**{name: 1.5})


def test_what_holds_for_frames_and_first_messages() -> None:
    """It is handed down in the words of those who look at them."""
    limits = Limits(message=None, depth=3, digits=5, first_message=1.5).over(DEFAULT_LIMITS)
    assert limits.of_frames == FrameLimits(depth=3, digits=5)
    assert limits.of_first_messages == FirstMessageLimits(size=None, seconds=1.5, frame=limits.of_frames)
    assert DEFAULT_LIMITS.of_first_messages == FirstMessageLimits()


def test_given_limits_are_limits_or_nothing() -> None:
    """What says nothing takes all from the level around it; what is no `Limits` is refused."""
    assert given_limits(None, "Chat") == Limits()
    assert given_limits(Limits(rate=1), "Chat") == Limits(rate=1)
    with pytest.raises(DeclarationError, match=r"Chat: limits=5 are none\. Fix: "):
        given_limits(5, "Chat")
