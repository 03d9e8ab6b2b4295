"""What comes in is counted and bounded before anything else sees it."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import pytest
from pydantic import field_validator

from wscontrollers import Limits, Message
from wscontrollers.messages import Cancel, ErrorFrame, FrameError, Incoming, JsonCodec, MessageUnion
from wscontrollers.session import DEFAULT_LIMITS, Clock
from wscontrollers.session.framing import Several
from wscontrollers.session.intake import Intake


class Say(Message):
    text: str

    @field_validator("text")
    @classmethod
    def check(cls, text: str) -> str:
        if text == "bug":
            raise KeyError("secret")
        return text


class Noted:
    """Notes what an intake asks of its session."""

    def __init__(self, **limits: Any) -> None:
        self.calls: list[Any] = []
        self.owed = 0
        read = JsonCodec().reader(MessageUnion(Say))
        self.limits = Limits(**limits).over(DEFAULT_LIMITS)
        self.intake = Intake(self, self.limits, Clock(), read)

    def tell(self, frame: ErrorFrame) -> None:
        self.calls.append(frame)

    def refused(self, error: FrameError) -> None: ...

    def exceed(self, code: int, reason: str) -> None:
        self.calls.append((code, reason))

    def departed(self, code: int, reason: str) -> None:
        self.calls.append(("departed", code, reason))

    def owes(self, incoming: Incoming) -> bool:
        self.owed -= 1
        return self.owed >= 0

    def controlled(self, incoming: Incoming) -> None:
        self.calls.append(incoming.message)

    def keep(self, messages: deque[Incoming]) -> None:
        self.calls.append([incoming.message for incoming in messages])

    def holding(self, *items: Incoming | FrameError) -> list[Any]:
        """What it asks for when a frame with all of these comes."""
        self.intake = Intake(self, self.limits, Clock(), lambda frame: Incoming(Several(items), "", None, None))
        assert self.arrived("") is None
        return self.calls

    def arrived(self, text: str) -> Any:
        return self.intake.arrived({"type": "websocket.receive", "text": text})


def test_a_message_is_handed_over() -> None:
    """With its tag and reference."""
    assert Noted().arrived('{"type":"say","text":"a","ref":3}') == Incoming(Say(text="a"), "say", 3, None)


def test_control_frames_and_departures_are_dealt_with() -> None:
    """They are no messages."""
    noted = Noted()
    assert noted.arrived('{"type":"cancel","re":3}') is None
    assert noted.intake.arrived({"type": "websocket.disconnect", "code": 1001}) is None
    assert noted.calls == [Cancel(3), ("departed", 1001, "")]


def test_good_frames_end_a_row_of_bad_ones() -> None:
    """Only bad frames that follow each other count as a row; all of them count in all."""
    noted = Noted(bad_frames_in_a_row=2, bad_frames=4)
    for text in ("{", '{"type":"say","text":"a"}', "{", '{"type":"cancel","re":3}', "{"):
        noted.arrived(text)
    assert (1008, "too many bad frames") not in noted.calls
    noted.arrived("{")
    assert noted.calls[-1] == (1008, "too many bad frames")


def test_a_bug_of_a_validator_is_logged_and_told_by_its_id(caplog: pytest.LogCaptureFixture) -> None:
    """The peer gets the code `internal` and an id; the log has the exception."""
    noted = Noted()
    noted.arrived('{"type":"say","text":"bug"}')
    (error,) = noted.calls
    assert (error.code, "secret" in str(error)) == ("internal", False)
    (record,) = caplog.records
    assert error.id in record.getMessage()
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


def test_without_limits_everything_passes() -> None:
    """`None` takes a limit away."""
    noted = Noted(message=None, rate=None, bad_frames=None, bad_frames_in_a_row=None)
    assert noted.arrived('{"type":"say","text":"%s"}' % ("a" * 100_000)) is not None
    for _ in range(300):
        noted.arrived("{")
    assert not [call for call in noted.calls if isinstance(call, tuple)]


GOOD, CANCEL = Incoming(Say(text="a"), "say", 1, None), Incoming(Cancel(1), "cancel", None, None)


def bad() -> FrameError:
    return FrameError("invalid_frame", "bad")


TOO_FAST = [ErrorFrame("rate_limited", "too many messages"), (1008, "too many messages")]


def test_bad_frames_take_tokens_too() -> None:
    """One beyond the rate is too many, whatever is wrong with it."""
    noted = Noted(rate=1, burst=1)
    noted.arrived("{")
    noted.arrived("{")
    assert noted.calls[1:] == TOO_FAST


def test_control_frames_take_no_tokens_of_messages() -> None:
    """They have a bucket of their own, four times as wide; those to which the server gave occasion take none at all."""
    noted = Noted(rate=1, burst=2)
    noted.owed = 5
    for _ in range(5 + 4 * 2):
        noted.arrived('{"type":"cancel","re":3}')
    assert noted.calls == [Cancel(3)] * 13
    assert noted.arrived('{"type":"say","text":"a"}') is not None
    noted.arrived('{"type":"cancel","re":3}')
    assert noted.calls[13:] == TOO_FAST
    unlimited = Noted(rate=None)
    for _ in range(1_000):
        unlimited.arrived('{"type":"cancel","re":3}')
    assert unlimited.calls == [Cancel(3)] * 1_000


def test_one_frame_may_hold_several_messages() -> None:
    """Each is dealt with as if it had come alone; what is for handlers waits together."""
    assert Noted().holding(GOOD, CANCEL, bad(), GOOD) == [Cancel(1), bad().frame(), [GOOD.message, GOOD.message]]
    assert Noted().holding(bad()) == [bad().frame()]


def test_each_of_several_takes_a_token() -> None:
    """But control frames. Where there are not enough, none of them is dealt with."""
    assert Noted(rate=1, burst=3).holding(GOOD, GOOD, GOOD) == [[GOOD.message] * 3]
    assert Noted(rate=1, burst=2).holding(GOOD, CANCEL, GOOD) == [Cancel(1), [GOOD.message] * 2]
    assert Noted(rate=1, burst=2).holding(GOOD, CANCEL, GOOD, bad()) == TOO_FAST


def test_bad_ones_of_several_count() -> None:
    """Each counts in all; in a row they are one together, and good ones end it."""
    closed = (1008, "too many bad frames")
    assert closed in Noted(bad_frames=3).holding(bad(), bad(), bad())
    assert closed not in Noted(bad_frames_in_a_row=2).holding(bad(), bad(), bad(), GOOD, bad())
    noted = Noted(bad_frames_in_a_row=2)
    noted.holding(GOOD, bad(), bad())
    assert noted.arrived("") is None
    assert closed not in noted.calls, "the second begins with a good one"
    noted = Noted(bad_frames_in_a_row=2)
    noted.holding(bad(), bad())
    noted.arrived("")
    assert closed in noted.calls
