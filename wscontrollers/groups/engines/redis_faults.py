"""What redis-py raises, as errors of this package: what is over soon, and what has to be mended."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ...exceptions import EngineDownError, EngineError

_PASSING: Final = frozenset(
    {"LOADING", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "READONLY", "MOVED", "ASK", "NOREPLICAS", "UNBLOCKED"}
)
"""What a server refuses with while it starts, works at something else, or is not the one to ask any more."""

_FIXES: Final = {
    "NOPERM": "let the user run EVALSHA, EVAL, SCRIPT LOAD, INFO, and all commands of strings, hashes, sorted sets, streams and "
    "pub/sub, on keys and channels that begin with the engine's prefix",
    "OOM": "give it more memory, or keep fewer messages",
    "MISCONF": "see in its log why it cannot write to its disk",
    "NOAUTH": "put user and password into the URL",
    "WRONGPASS": "check user and password",
}


@contextmanager
def telling(name: str, timeout: float) -> Generator[None]:
    """Raise errors of this package instead of redis-py's; see `told`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise told(name, error, timeout) from None


def is_passing(error: Exception) -> bool:
    """Whether a server refuses for now, with a connection that goes on; a slot that moved is no matter of waiting."""
    return isinstance(error, ResponseError) and _code(error) in _PASSING - {"MOVED"}


def told(name: str, error: Exception, timeout: float) -> EngineError:
    """The error of this package for one of redis-py's.

    Args:
        name: The server, without anything secret.
        error: What was raised.
        timeout: Seconds that were waited for an answer.
    """
    if isinstance(error, EngineError):
        return error
    if isinstance(error, (TimeoutError, RedisTimeoutError)):
        return EngineDownError(f"{name}: it does not answer within {timeout:g} s. Fix: see whether it runs, and how busy it is.")
    if isinstance(error, (ResponseError, AuthenticationError)):
        return _refused(name, error)
    # What is raised where no Sentinel answers has the clients of all of them in it.
    text = "no Sentinel knows a master" if isinstance(error, MasterNotFoundError) else str(error).rstrip(".")
    if isinstance(error, (RedisError, OSError)):
        return EngineDownError(
            f"{name}: it is not there: {text}. Fix: start it, or check the URL; required=False begins without it. A call that "
            "was on its way may have been done."
        )
    return EngineDownError(f"{name}: it cannot be used: {text}. Fix: see the traceback in the log.")


def _refused(name: str, error: RedisError) -> EngineError:
    code = _code(error)
    text = str(error).rstrip(".")
    if not text.startswith(code):
        text = f"{code} {text}"
    if "HELLO" in text and "unknown command" in text:
        return EngineError(f"{name}: it is too old: {text}. Fix: use Redis 6.2 or newer, or Valkey.")
    if code in _PASSING:
        return EngineDownError(f"{name}: it refuses for now: {text}. Fix: wait until it is ready.")
    if "ACL failure in script" in text:
        code = "NOPERM"
    return EngineError(f"{name}: it refuses: {text}. Fix: {_FIXES.get(code, 'see what its documentation says of it')}.")


def _code(error: RedisError) -> str:
    """Why, as one word: `NOSCRIPT`, `MOVED`; redis-py takes it off the text of those that it knows."""
    return str(error.status_code or str(error).partition(" ")[0])
