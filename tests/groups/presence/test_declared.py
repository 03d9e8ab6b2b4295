"""`PresenceOf`: what is declared of a group's presence."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from wscontrollers import DeclarationError
from wscontrollers.groups import Group, PresenceOf, Present
from wscontrollers.groups.presence.declared import MAX_SIZE
from wscontrollers.groups.presence.entry import Entry


class Who(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    born: date | None = None


@dataclass
class Cursor:
    line: int


class Player(TypedDict):
    score: int


class Once(BaseModel):
    name: Annotated[str, Field(serialization_alias="called")]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    at: datetime


def entry(info: Any) -> Entry:
    return Entry("1", "n", info, 0.0, 0.0, "ann")


@pytest.mark.parametrize(
    ("declared", "given", "written"),
    [
        (Who, Who(first_name="Ann", born=date(1815, 12, 10)), {"firstName": "Ann", "born": "1815-12-10"}),
        (Cursor, Cursor(3), {"line": 3}),
        (Player, {"score": 3}, {"score": 3}),
        (str, "Ann", "Ann"),
        (str | None, None, None),
        (Strict, Strict(at=datetime(2026, 1, 1, tzinfo=UTC)), {"at": "2026-01-01T00:00:00Z"}),
    ],
)
def test_what_is_given_is_written_as_json_and_read_again(declared: Any, given: Any, written: Any) -> None:
    """By its aliases, as on the wire; what is read is of the declared type."""
    presence: PresenceOf[Any] = PresenceOf(declared)

    assert presence.written(given, "tea") == written
    assert presence.present([entry(written)]) == [Present("1", "ann", given, datetime.fromtimestamp(0, UTC))]


@pytest.mark.parametrize(
    ("declared", "given", "fault"),
    [
        (Who, None, "Session.join('tea'): its presence is missing. Fix: give what the group declares: presence=Who(...)."),
        (Who, "Ann", "its presence is no Who: Input should be a valid dictionary or instance of Who"),
        (Player, {"score": "3"}, "its presence is no Player: score: Input should be a valid integer"),
        (Cursor, Who(first_name="Ann"), "its presence is no Cursor"),
    ],
)
def test_what_is_given_is_of_the_declared_type(declared: Any, given: Any, fault: str) -> None:
    """Exactly: nothing is made fit, for it comes from the application, and not from a client."""
    with pytest.raises(TypeError) as raised:
        PresenceOf(declared).written(given, "tea")
    assert fault in str(raised.value)
    assert "Fix:" in str(raised.value)


@pytest.mark.parametrize(
    ("declared", "given", "fault"),
    [
        (Once, Once(name="Ann"), "what Once writes cannot be read again: name: Field required"),
        (float, float("nan"), "what float writes cannot be read again"),
        (bytes, b"\xff", "what bytes writes cannot be read again"),
        (dict[str, Any], {"a": [{"b": 2**64}]}, "its presence has an integer of more than 64 bits"),
        (str, "x" * MAX_SIZE, f"its presence is {MAX_SIZE + 2} bytes long"),
    ],
)
def test_what_others_could_not_read_is_refused(declared: Any, given: Any, fault: str) -> None:
    """When it is given, and not in the process that reads it; so is what is too long to send to everybody."""
    with pytest.raises(ValueError, match="Fix:") as raised:
        PresenceOf(declared).written(given, "tea")
    assert fault in str(raised.value)


def test_what_another_version_of_the_application_gave(caplog: pytest.LogCaptureFixture) -> None:
    """It is left out, and a line in the log says so: the others are there all the same."""
    found = PresenceOf(Cursor).present([entry({"column": 1}), entry({"line": 2})])

    assert [each.info for each in found] == [Cursor(2)]
    assert caplog.record_tuples == [
        ("wscontrollers.groups", logging.WARNING, "presence: what session 1 gave is no Cursor: line: Field required")
    ]


@pytest.mark.parametrize("info", [True, object(), Who(first_name="Ann")])
def test_what_is_no_type_is_found_when_it_is_declared(info: Any) -> None:
    """The error says what to give."""
    with pytest.raises(DeclarationError, match="it is no type that can be written and read") as raised:
        Group("tea", presence=info)
    assert "Fix: give a pydantic model" in str(raised.value)


def test_the_options() -> None:
    """A type alone is announced, at once in a small group, and lingers for two seconds; an object of it says otherwise."""
    alone = Group("tea", presence=Who).presence
    other = Group("tea", presence=PresenceOf(Who, announce=False, linger=0.5, interval=3.0, burst=1)).presence
    assert alone is not None
    assert other is not None
    assert (alone.info, alone.announce, alone.linger, alone.interval, alone.burst) == (Who, True, 2.0, 0.5, 8)
    assert (other.info, other.announce, other.linger, other.interval, other.burst) == (Who, False, 0.5, 3.0, 1)
    assert repr(other) == "PresenceOf(Who)"
    for seconds in (-1, float("nan"), float("inf")):
        for name in ("linger", "interval"):
            with pytest.raises(ValueError, match=rf"PresenceOf\({name}={seconds}\).*Fix: give seconds of at least 0"):
                PresenceOf(Who, **{name: seconds})
    with pytest.raises(ValueError, match="Fix: give at least 1"):
        PresenceOf(Who, burst=0)
