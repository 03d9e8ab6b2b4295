"""An endpoint that yields: what comes before the messages, the messages, and what comes behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from ..callables import place_of
from .dispatch import Dispatcher
from .ending import ended_by
from .life import Life


async def conduct(life: Life, endpoint: AsyncGenerator[None, None], dispatcher: Dispatcher) -> None:
    """Run an endpoint up to its yield, then handle messages, then run the rest of it, whatever ended the session.

    Args:
        life: The session that it runs in.
        endpoint: The called endpoint.
        dispatcher: Handles messages until the session has ended.

    Raises:
        Exception: What the endpoint raised, or a task of the session that the endpoint did not deal with.
        RuntimeError: It yields more than once, or before the handshake is accepted.
    """
    entered = False
    with life.interruption():
        async for _ in endpoint:
            entered = True
            break
    if not entered:
        return
    try:
        if life.is_connecting:
            raise _too_early(endpoint)
        while life.ended is None and life.failure is None:
            await dispatcher.run()
        await dispatcher.finish()
        if life.failure is not None:
            raise life.failure
    except BaseException as error:
        life.end(ended_by(error))
        await _dealt_with(life, endpoint, error)
        return
    await _resumed(endpoint)


async def _dealt_with(life: Life, endpoint: AsyncGenerator[None, None], error: BaseException) -> None:
    """Throw what ended the session into its endpoint, which can still speak while it deals with it."""
    ended = life.ended
    if isinstance(error, Exception) and ended is not None and ended.exception is error:
        life.thrown = error
    try:
        await _thrown(endpoint, error)
        life.failure = None
        life.dealt_with()
    finally:
        life.thrown = None


async def _resumed(endpoint: AsyncGenerator[None, None]) -> None:
    async for _ in endpoint:
        await endpoint.aclose()
        raise _too_often(endpoint)


async def _thrown(endpoint: AsyncGenerator[None, None], error: BaseException) -> None:
    try:
        await endpoint.athrow(error)
    except StopAsyncIteration:
        return
    await endpoint.aclose()
    raise _too_often(endpoint) from error


def _too_early(endpoint: Any) -> RuntimeError:
    return RuntimeError(
        f"{place_of(endpoint)}: it yields before the handshake is accepted. Fix: with accept=False call session.accept() "
        "before the yield."
    )


def _too_often(endpoint: Any) -> RuntimeError:
    return RuntimeError(
        f"{place_of(endpoint)}: it yields more than once. Fix: yield once, and handle messages in @receive methods; "
        "an endpoint that iterates its session has no yield."
    )
