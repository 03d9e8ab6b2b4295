"""What a client is told when the handling of its message fails."""

from typing import Any

import pytest

from wscontrollers import Denied, Message, receive
from wscontrollers.exceptions import EngineDownError, HTTPException
from wscontrollers.messages import ErrorFrame
from wscontrollers.reports import REPORT_KEY
from wscontrollers.session.failures import HandlerTimeoutError, cancelled, error_of
from wscontrollers.session.handlers import Handler


class Full(Exception):
    pass


class Fuller(Full):
    code = "fuller"


class Fullest(Full):
    """Has no code of its own."""


class Internal(Full):
    """Has a name that would be one of the framework's codes."""


class Reserved(Full):
    code = "rate_limited"


class Unwritten(Full):
    def __str__(self) -> str:
        raise LookupError("secret")


class Say(Message):
    pass


@receive(raises=[Full])
async def say(self: object, message: Say) -> None: ...


HANDLER = Handler("say", say, vars(say)["__receive_mark__"], "message", (), False, None)


@pytest.mark.parametrize(
    ("error", "frame"),
    [
        (Full("8"), ErrorFrame("full", "8", re=1)),
        (Fuller("9"), ErrorFrame("fuller", "9", re=1)),
        (Fullest("10"), ErrorFrame("full", "10", re=1)),
        (Internal("11"), ErrorFrame("full", "11", re=1)),
        (Reserved("12"), ErrorFrame("full", "12", re=1)),
        (Full("caf\udce9"), ErrorFrame("full", "caf\\udce9", re=1)),
        (Unwritten(), ErrorFrame("full", "", re=1)),
        (Denied(403, "caf\udce9"), ErrorFrame("forbidden", "caf\\udce9", re=1)),
        (Denied(403, "you"), ErrorFrame("forbidden", "you", re=1)),
        (HandlerTimeoutError(), ErrorFrame("timeout", "it took too long", re=1)),
    ],
)
def test_what_belongs_to_the_protocol_is_told(error: Any, frame: ErrorFrame) -> None:
    """Declared exceptions, refusals, time-outs. What is derived of a declared one has its code, or one of its own that nobody
    else has; a text that cannot be written is escaped, and one that cannot be made is none."""
    assert error_of(error, HANDLER, 1, "s", {}) == frame


def test_what_an_engine_says_is_not_for_clients() -> None:
    """It names servers and what operators are to do; a declared one keeps its code."""

    @receive(raises=[EngineDownError])
    async def say(self: object, message: Say) -> None: ...

    handler = Handler("say", say, vars(say)["__receive_mark__"], "message", (), False, None)
    frame = error_of(EngineDownError("redis at 10.0.0.7:6379"), handler, 1, "s", {})
    assert frame == ErrorFrame("engine_down", "try again later", re=1)


def test_a_fault_of_the_server_is_internal_whatever_raised_it() -> None:
    """A status of 500 and above says that something is broken here; its detail is for the log, as before the accept."""
    for status, code in ((499, "forbidden"), (500, "internal"), (503, "internal")):
        frame = error_of(HTTPException(status, "db at 10.0.0.1"), HANDLER, 1, "s", {})
        assert frame.code == code
        assert ("10.0.0.1" in frame.message) is (code == "forbidden")


def test_everything_else_is_internal(caplog: pytest.LogCaptureFixture) -> None:
    """No word of it, but the id under which the log has it; a test that asks for it has the exception."""
    reported: list[BaseException] = []
    error = ValueError("secret")
    frame = error_of(error, HANDLER, None, "session-id", {REPORT_KEY: reported.append})
    assert reported == [error]
    assert (frame.code, frame.message, frame.re) == ("internal", "internal error", None)
    assert frame.id is not None
    assert frame.id in caplog.text
    assert "session-id" in caplog.text
    assert cancelled(3) == ErrorFrame("cancelled", "it was cancelled", re=3)
