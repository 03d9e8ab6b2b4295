"""A peer in the test's own event loop: frames go both ways, every wait ends, and a failure shows what went over the wire."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any, Literal, NoReturn

import anyio
from starlette.types import Message

from ..session.ending import MAX_REASON
from ..websockets import may_be_sent
from .failures import LeftoverFrames, ReceiveTimeout, SessionClosed, Timeout, UnexpectedFrame, patience
from .faults import FaultyPeer
from .frames import described
from .rest import NotAtRest
from .transport import Transport

_GLANCE = 0.05
"""Seconds at most for what is on its way when the test leaves: an endpoint whose frames may be left can send for ever."""

_FAILURE_CODES = frozenset({1006, 1011})
"""Codes with which a session ends when the application failed: RFC 6455, section 7.4."""


class Peer(FaultyPeer):
    """The verbs of text, bytes and JSON, and of how a session ends.

    Args:
        transport: What carries the session.
        where: How failures name it.
        timeout: Seconds that each wait may take; None waits for ever.
    """

    def __init__(self, transport: Transport, *, where: str, timeout: float | None) -> None:
        super().__init__(transport)
        self.timeout = timeout
        self._where = where
        self._is_checked = False
        self._close: Message | None = None
        self._passed_over: list[Message] = []
        self._lay_at_close: list[Message] = []

    # To the application

    async def send_text(self, text: str) -> None:
        """Send a text frame; once the session has ended, nobody reads it."""
        await self._transport.send(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; once the session has ended, nobody reads it."""
        await self._transport.send(data)

    async def send_json(self, data: Any, mode: Literal["text", "binary"] = "text") -> None:
        """Send JSON in a frame of either kind."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        await self._transport.send(text if mode == "text" else text.encode())

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close the session; what the application sends from now on, nobody sees.

        Args:
            code: The close code (RFC 6455, section 7.4); None closes without one, and without a reason.
            reason: At most 123 bytes.

        Raises:
            ValueError: No client may send the code, or the reason is too long.
        """
        if (bool(reason) if code is None else not may_be_sent(code)) or len(reason.encode()) > MAX_REASON:
            raise ValueError(
                f"{self._where}: close({code}, {reason!r}): no close frame may hold that. Fix: use 1000, or one of 3000 to 4999, "
                f"and a reason of at most {MAX_REASON} bytes; or None, and no reason."
            )
        self._lay_at_close = self._transport.arrivals.waiting()
        await self._transport.close(code, reason)

    # From the application

    async def receive(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> str | bytes:
        """The next frame, of whatever kind: `str` is text, `bytes` is binary.

        Args:
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Raises:
            ReceiveTimeout: Nothing arrived in time.
            SessionClosed: The application closed the session.
            Exception: What the application raised, with its own traceback.
        """
        return await self._content("a frame", timeout)

    async def receive_text(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> str:
        """The next frame, which must be text; it raises as `receive` does, and `UnexpectedFrame` for bytes."""
        content = await self._content("a text frame", timeout)
        if not isinstance(content, str):
            raise self._unexpected("a text frame", "a binary one")
        return content

    async def receive_bytes(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> bytes:
        """The next frame, which must be binary; it raises as `receive` does, and `UnexpectedFrame` for text."""
        content = await self._content("a binary frame", timeout)
        if isinstance(content, str):
            raise self._unexpected("a binary frame", "a text one")
        return content

    async def receive_json(
        self, mode: Literal["text", "binary"] = "text", *, timeout: float | Timeout | None = Timeout.CLIENT
    ) -> Any:
        """The JSON of the next frame, which must be of the kind that `mode` says; it raises as `receive` does."""
        content = await (self.receive_text if mode == "text" else self.receive_bytes)(timeout=timeout)
        try:
            return json.loads(content)
        except ValueError as error:
            raise self._unexpected("JSON", f"something else ({error})") from error

    async def expect_nothing(self) -> None:
        """Nothing is there to be received, and nothing comes before the test, a timer or the outside world acts.

        It waits until every other task of the event loop is blocked, and not longer.

        Raises:
            UnexpectedFrame: Something arrived; it can still be received.
            NotAtRest: The application is still at work after the session's time-out.
            Exception: What the application raised.
        """
        await self._settle()
        if self._transport.run.unseen_failure is not None:
            self._transport.run.raise_failure()
        waiting = self._transport.arrivals.waiting()
        if waiting:
            raise self._unexpected("nothing", _listed(waiting))

    async def expect_closed(self, code: int | None = None, *, timeout: float | Timeout | None = Timeout.CLIENT) -> str:
        """The application closes the session, and no frame comes before that.

        A code that tells of the application's failure, 1011 or 1006, takes the exception for expected.

        Args:
            code: The code it must have; None takes any.
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Returns:
            The reason of the close.

        Raises:
            UnexpectedFrame: A frame came first, or the close has another code.
            ReceiveTimeout: No close in time.
            Exception: What the application raised, if another code was expected.
        """
        awaited = "a close" if code is None else f"a close with {code}"
        message = await self._next(awaited, timeout)
        if message["type"] != "websocket.close":
            raise self._unexpected(awaited, described(message))
        came: int = message.get("code", 1000)
        await self._transport.run.settle(patience(self.timeout))
        if code is None or code == came:
            if came in _FAILURE_CODES and code is not None:
                self._transport.run.expect_failure()
            self._transport.run.raise_failure()
            return message.get("reason") or ""
        self._transport.run.raise_failure()
        raise self._unexpected(awaited, described(message))

    # Beneath the verbs

    async def _content(self, awaited: str, timeout: float | Timeout | None) -> str | bytes:
        event = await self._frame(awaited, timeout)
        fault = self._fault_of(event)
        if fault is not None:
            raise fault
        return self._content_of(event)

    def _fault_of(self, message: Message) -> AssertionError | None:
        """What is wrong with a frame, whatever the test expects; nothing is where nothing is declared."""
        return None

    async def _frame(self, awaited: str, timeout: float | Timeout | None) -> Message:
        message = await self._next(awaited, timeout)
        if message["type"] == "websocket.close":
            await self._closed(message, awaited)
        return message

    @staticmethod
    def _content_of(message: Message) -> str | bytes:
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def _next(self, awaited: str, timeout: float | Timeout | None) -> Message:
        arrivals = self._transport.arrivals
        if self._close is not None:
            return self._close
        if arrivals.is_paused:
            raise RuntimeError(
                f"{self._where}: {awaited} is awaited, but the test has stopped reading. Fix: resume_reading() first; "
                "behind vanish() nothing comes any more."
            )
        if self._transport.run.peer_left and not arrivals.waiting():
            self._transport.run.raise_failure()
            raise RuntimeError(
                f"{self._where}: {awaited} is awaited, but the test has left this session, and sees nothing of it any more. "
                "Fix: await it before close() or reset()."
            )
        seconds = self._seconds(timeout)
        with anyio.move_on_after(seconds):
            message = await arrivals.next()
            if message["type"] == "websocket.close":
                self._close = message
            return message
        raise self._late(awaited, seconds)

    def _seconds(self, timeout: float | Timeout | None) -> float:
        seconds = self.timeout if isinstance(timeout, Timeout) else timeout
        return math.inf if seconds is None else seconds

    def _late(self, awaited: str, seconds: float) -> ReceiveTimeout:
        self._transport.run.raise_failure()
        return ReceiveTimeout(f"{self._where}: still waiting for {awaited} after {seconds:g} s. {self._transport.transcript}")

    async def _closed(self, message: Message, awaited: str) -> NoReturn:
        await self._transport.run.settle(patience(self.timeout))
        self._transport.run.raise_failure()
        raise SessionClosed(
            message.get("code", 1000),
            message.get("reason") or "",
            f"{self._where}: {awaited} was awaited, but the application closed the session: {described(message)}."
            f" {self._transport.transcript}",
        )

    def _unexpected(self, awaited: str, came: str) -> UnexpectedFrame:
        return UnexpectedFrame(f"{self._where}: {awaited} was expected, but {came} came. {self._transport.transcript}")

    async def _settle(self) -> None:
        try:
            await self._transport.settle(self.timeout)
        except NotAtRest as late:
            raise NotAtRest(f"{self._where}: {late} {self._transport.transcript}") from None

    def _pass_over(self, message: Message) -> None:
        if all(message is not passed for passed in self._passed_over):
            self._passed_over.append(message)

    async def leftovers(self) -> LeftoverFrames | None:
        """What lies on the session that the test never received; a close with 1000 may lie there.

        Where the test closed the session itself, what lay there at that moment counts.
        """
        waiting = self._transport.arrivals.waiting()
        if self._transport.run.peer_left:
            waiting = [message for message in self._lay_at_close if any(message is other for other in waiting)]
        else:
            await self._settle()
            waiting = self._transport.arrivals.waiting()
        left = [
            message
            for message in waiting
            if not (message["type"] == "websocket.close" and message.get("code", 1000) == 1000)
            and all(message is not passed for passed in self._passed_over)
        ]
        if not left:
            return None
        return LeftoverFrames(
            f"{self._where}: the test left without receiving {_listed(left)}. Fix: expect them, or connect with"
            f" allow_leftovers=True. {self._transport.transcript}"
        )

    async def unseen_fault(self) -> AssertionError | None:
        """What is wrong with a frame that arrived and that the test never received."""
        if not self._is_checked:
            return None
        if not self._transport.is_over and not self._transport.arrivals.is_paused:
            with anyio.move_on_after(_GLANCE), suppress(NotAtRest):
                await self._transport.settle(_GLANCE)
        return next(
            (fault for message in self._transport.arrivals.waiting() if (fault := self._fault_of(message)) is not None), None
        )


def _listed(messages: list[Message]) -> str:
    shown = [described(message) for message in messages[:5]]
    return ", ".join(shown) + (f" and {len(messages) - 5} more" if len(messages) > 5 else "")
