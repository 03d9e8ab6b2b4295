"""redis-py's errors as those of the package."""

from __future__ import annotations

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups.engines.redis_faults import is_passing, telling, told


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionError("Connection refused."), "it is not there: Connection refused. Fix: start it, or check the URL; "),
        (BusyLoadingError("loading", status_code="LOADING"), "it is not there: loading. Fix: start it, or check the URL; "),
        (OSError("broken"), "it is not there: broken. Fix: start it, or check the URL; "),
        (TimeoutError("late"), "it does not answer within 2 s. Fix: see whether it runs, and how busy it is."),
        (
            ReadOnlyError("a replica", status_code="READONLY"),
            "it refuses for now: READONLY a replica. Fix: wait until it is ready.",
        ),
        (ResponseError("BUSY with a script."), "it refuses for now: BUSY with a script. Fix: wait until it is ready."),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_time_mends(error: Exception, text: str) -> None:
    """A server that is not there, or not ready, is down."""
    found = told("redis at host:1", error, 2.0)
    assert isinstance(found, EngineDownError)
    assert str(found).startswith(f"redis at host:1: {text}")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OutOfMemoryError("full.", status_code="OOM"), "it refuses: OOM full. Fix: give it more memory, or keep fewer messages."),
        (AuthenticationError("no", status_code="WRONGPASS"), "it refuses: WRONGPASS no. Fix: check user and password."),
        (NoPermissionError("no", status_code="NOPERM"), "it refuses: NOPERM no. Fix: let the user run EVALSHA, "),
        (
            ResponseError("ERR ACL failure in script: no"),
            "it refuses: ERR ACL failure in script: no. Fix: let the user run EVALSHA, ",
        ),
        (ResponseError("ODD thing"), "it refuses: ODD thing. Fix: see what its documentation says of it."),
        (
            ResponseError("ERR unknown command `HELLO`"),
            "it is too old: ERR unknown command `HELLO`. Fix: use Redis 6.2 or newer, ",
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_somebody_has_to_mend(error: Exception, text: str) -> None:
    """A server that refuses says why; the fix belongs to the reason."""
    found = told("redis at host:1", error, 2.0)
    assert not isinstance(found, EngineDownError)
    assert str(found).startswith(f"redis at host:1: {text}")


def test_errors_of_the_package_stay() -> None:
    """They are told as they are."""
    error = EngineError("x")
    assert told("redis at host:1", error, 2.0) is error


def test_telling() -> None:
    """Around calls of redis-py."""
    with (
        pytest.raises(EngineDownError, match=r"redis at host:1: it does not answer within 0\.5 s\. Fix: "),
        telling("redis at host:1", 0.5),
    ):
        raise TimeoutError


def test_what_passes() -> None:
    """A server that is busy; a slot that moved is looked for instead."""
    assert is_passing(ResponseError("BUSY with a script"))
    assert not is_passing(MovedError("1 host:1", status_code="MOVED"))
    assert not is_passing(ResponseError("ERR"))
    assert not is_passing(ConnectionError("BUSY"))
