"""What a client is told when the handling of its message fails."""

from typing import Any

import pytest

from wscontrollers import Denied, Message, receive
from wscontrollers.messages import ErrorFrame
from wscontrollers.session.failures import HandlerTimeoutError, cancelled, error_of
from wscontrollers.session.handlers import Handler


class Full(Exception):
    pass


class Fuller(Full):
    code = "fuller"


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
        (Denied(403, "you"), ErrorFrame("forbidden", "you", re=1)),
        (HandlerTimeoutError(), ErrorFrame("timeout", "it took too long", re=1)),
    ],
)
def test_what_belongs_to_the_protocol_is_told(error: Any, frame: ErrorFrame) -> None:
    """Declared exceptions and what is derived of them, refusals, time-outs."""
    assert error_of(error, HANDLER, 1, "s") == frame


def test_everything_else_is_internal(caplog: pytest.LogCaptureFixture) -> None:
    """No word of it, but the id under which the log has it."""
    frame = error_of(ValueError("secret"), HANDLER, None, "session-id")
    assert (frame.code, frame.message, frame.re) == ("internal", "internal error", None)
    assert frame.id is not None
    assert frame.id in caplog.text
    assert "session-id" in caplog.text
    assert cancelled(3) == ErrorFrame("cancelled", "it was cancelled", re=3)
