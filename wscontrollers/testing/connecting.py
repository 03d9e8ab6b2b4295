"""A handshake that is still to be sent: entered, it is a session; expected to be refused, an HTTP answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn

import anyio
from anyio.abc import TaskGroup

from ..messages import Codec
from .answers import Accepted, Refusal
from .async_session import AsyncTestSession
from .failures import EndpointStillRunning, HandshakeRefused, ReceiveTimeout, patience
from .transport import Transport

logger = logging.getLogger("wscontrollers.testing")

_MOMENT = 0.2
"""Seconds an endpoint has to notice that the peer left, before it counts as one that does not read."""


class Connecting:
    """What `AsyncTestClient.connect` returns; used once, by `async with`, or by `expect_refused`.

    Leaving the context first lets the application come to rest and fails if frames lie there that the test never received.
    Then it closes the session, lets the endpoint clean up for as long as the time-out, at least a second, and cancels it if it
    does not read, or takes longer. What the application raised and the test did not expect is raised here at the latest.

    Args:
        transport: What carries the session.
        where: How failures name it.
        timeout: Seconds that each wait may take; None waits for ever.
        allow_leftovers: Whether the test may leave frames that it never received.
        codecs: The codecs that the test speaks.
        before: The session that is resumed.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        where: str,
        timeout: float | None,
        allow_leftovers: bool,
        codecs: Sequence[Codec],
        before: AsyncTestSession | None = None,
    ) -> None:
        self._transport = transport
        self._where = where
        self._timeout = timeout
        self._allow_leftovers = allow_leftovers
        self._codecs = codecs
        self._before = before
        self._tasks: TaskGroup | None = None
        self._session: AsyncTestSession | None = None

    async def __aenter__(self) -> AsyncTestSession:
        """Open the session.

        Raises:
            ReceiveTimeout: No answer to the handshake in time.
            HandshakeRefused: It was refused.
            Exception: What the application raised.
        """
        tasks = await self._begin()
        try:
            answer = await self._open(tasks)
            if isinstance(answer, Refusal):
                await self._raise_refusal(answer)
            self._session = AsyncTestSession(
                self._transport,
                answer,
                where=self._where,
                timeout=self._timeout,
                codecs=self._codecs,
                before=self._before,
            )
            if self._before is not None:
                with anyio.move_on_after(self._timeout):
                    await self._session.resumption.told()
        except BaseException as error:
            await self._finish(error)
            raise
        return self._session

    async def __aexit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the session.

        Raises:
            LeftoverFrames: Frames arrived that the test never received.
            UnexpectedFrame: One of them is not what the endpoint declares to send.
            EndpointStillRunning: The endpoint did not end.
            Exception: What the application raised.
        """
        left = await self._left_behind() if error is None else None
        await self._finish(error or left)
        if left is not None:
            raise left

    async def expect_refused(self, status: int | None = None) -> Refusal:
        """Send the handshake; the application must refuse it. A 500 takes its exception for expected.

        Args:
            status: The HTTP status it must have; None takes any. A close before the accept is a 403, as on the wire.

        Returns:
            The HTTP answer: `status`, `headers`, `body`, `text`, `json()`.

        Raises:
            AssertionError: It was accepted, or refused with another status.
            ReceiveTimeout: No answer in time.
            Exception: What the application raised.
        """
        tasks = await self._begin()
        try:
            refusal = await self._judged(await self._open(tasks), status)
        except BaseException as error:
            await self._finish(error)
            raise
        await self._finish(None)
        return refusal

    async def _judged(self, answer: Accepted | Refusal, status: int | None) -> Refusal:
        awaited = "a refusal" if status is None else f"a refusal with HTTP {status}"
        if isinstance(answer, Accepted):
            raise AssertionError(
                f"{self._where}: {awaited} was expected, but the handshake was accepted. {self._transport.transcript}"
            )
        await self._transport.run.settle(patience(self._timeout))
        if status == 500 == answer.status:
            self._transport.run.expect_failure()
        self._transport.run.raise_failure()
        if status in (None, answer.status):
            return answer
        raise AssertionError(
            f"{self._where}: {awaited} was expected, but it was HTTP {answer.status}: {answer.body[:200]!r}."
            f" {self._transport.transcript}"
        )

    async def _raise_refusal(self, answer: Refusal) -> NoReturn:
        await self._transport.run.settle(patience(self._timeout))
        self._transport.run.raise_failure()
        raise HandshakeRefused(
            answer,
            f"{self._where}: the handshake was refused with HTTP {answer.status}: {answer.body[:200]!r}."
            f" Fix: await client.connect(...).expect_refused({answer.status}), if that is right. {self._transport.transcript}",
        )

    # Beneath

    async def _begin(self) -> TaskGroup:
        if self._tasks is not None:
            raise RuntimeError(f"{self._where}: this handshake was sent before. Fix: call client.connect(...) for each session.")
        self._tasks = await anyio.create_task_group().__aenter__()
        return self._tasks

    async def _open(self, tasks: TaskGroup) -> Accepted | Refusal:
        with anyio.move_on_after(self._timeout):
            return await self._transport.open(tasks)
        self._transport.run.raise_failure()
        raise ReceiveTimeout(
            f"{self._where}: still waiting for the answer to the handshake after {self._timeout:g} s."
            f" {self._transport.transcript}"
        )

    async def _left_behind(self) -> BaseException | None:
        assert self._session is not None
        try:
            left = None if self._allow_leftovers else await self._session.leftovers()
        except AssertionError as error:
            return error
        return left or await self._session.unseen_fault()

    async def _finish(self, error: BaseException | None) -> None:
        """End the session and its tasks, and tell what is wrong with the application.

        Args:
            error: How the test has failed already. What the application raised before is the likely cause of it, and is raised in
                its place; what leaving stirred up must not hide it, and is noted on it.
        """
        assert self._tasks is not None
        run = self._transport.run
        cause = run.unseen_failure
        is_over = True
        try:
            is_over = await self._transport.leave(moment=_MOMENT, patience=patience(self._timeout))
            problem = run.unseen_failure if is_over else self._stuck()
        finally:
            await self._transport.release(patience(self._timeout) if is_over else 0)
            self._tasks.cancel_scope.cancel()
            # Never the test's own exception: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        if problem is None or problem is error or isinstance(error, anyio.get_cancelled_exc_class()):
            return
        if error is None:
            raise problem
        if cause is not None:
            raise cause
        error.add_note(f"{self._where}: behind this, {type(problem).__name__}: {problem}")

    def _stuck(self) -> EndpointStillRunning:
        problem = EndpointStillRunning(
            f"{self._where}: the endpoint did not end, although the peer had left and it was cancelled."
            " Fix: let it end when it is cancelled; it shields itself, waits for a thread or swallows the cancellation."
            f" {self._transport.transcript}"
        )
        # Trio cannot leave a task behind: should this one never end, the log says what the test waits for.
        logger.error("%s", problem)
        return problem
