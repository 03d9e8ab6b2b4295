"""A WebSocket seen from the test's side: every wait has an end, and a failure shows what did arrive."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from types import TracebackType
from typing import Any, Literal, Self

import anyio
import anyio.lowlevel
import starlette.testclient
from anyio.from_thread import BlockingPortal
from starlette.types import Message, Scope

from ..session.loss import NO_STATUS
from .failures import EndpointStillRunning, ReceiveTimeout, Timeout, patience
from .frames import FrameLog, Handshake
from .loops import abandoned, scheduler

PortalFactory = Callable[[], AbstractContextManager[BlockingPortal]]

_MOMENT = 0.2
"""Seconds an endpoint has to notice that the peer left, before it counts as one that does not read."""


class WebSocketTestSession(starlette.testclient.WebSocketTestSession):
    """Starlette's test session whose every wait ends, made by `TestClient.websocket_connect`.

    Entering waits for the accept. Leaving tells the endpoint that the peer is gone and lets it clean up for as long as the
    time-out, at least a second; an endpoint that does not read, and one that takes longer, is cancelled. The application's
    own exceptions are raised where the test waits, with the traceback that they have there.

    Args:
        app: The ASGI application.
        scope: The handshake's scope; with `wscontrollers.raise_exceptions` False in it, the test sees what a peer sees.
        portal_factory: Gives the event loop's thread.
        timeout: Seconds that a wait may take; None waits for ever.

    Attributes:
        accepted_subprotocol: The subprotocol that the accept chose.
        extra_headers: The headers of the accept, as pairs of bytes.
    """

    __test__ = False
    accepted_subprotocol: str | None  # type: ignore[assignment]  # Starlette's own annotation knows its first value only

    def __init__(
        self, app: Any, scope: Scope, portal_factory: PortalFactory, *, timeout: float | Timeout | None = Timeout.CLIENT
    ) -> None:
        super().__init__(app, scope, portal_factory)
        self.timeout = 5.0 if timeout is Timeout.CLIENT else timeout
        self.is_stuck = False
        self._raises: bool = scope.get("wscontrollers.raise_exceptions", True)
        self._log = FrameLog()
        self._handshake = Handshake()
        self._frames: queue.SimpleQueue[Message | None] = queue.SimpleQueue()  # None: the application raised
        self._close_frame: Message | None = None
        self._exception: BaseException | None = None
        self._was_raised = False
        self._has_left = False
        self._was_told = False
        self._noticed = threading.Event()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Open the session.

        Raises:
            ReceiveTimeout: no accept in time.
            WebSocketDenialResponse: the handshake was refused with an HTTP answer.
            WebSocketDisconnect: the handshake was refused with a close.
        """
        with ExitStack() as stack:
            stack.push(self._close_portal)
            self._portal_stack = ExitStack()
            self.portal = portal = self._portal_stack.enter_context(self.portal_factory())
            self._schedule = portal.call(scheduler)
            self._scope = portal.call(anyio.CancelScope)
            self._inbound, self._inbox = anyio.create_memory_object_stream[Message](float("inf"))
            portal.start_task_soon(self._serve)
            stack.push(self._leave)
            self.send({"type": "websocket.connect"})
            message = self._next("the accept")
            self._raise_on_close(message)
            self.accepted_subprotocol = message.get("subprotocol")
            self.extra_headers = message.get("headers")
            self.exit_stack = stack.pop_all()
            return self

    # In the event loop's thread

    async def _serve(self) -> None:
        try:
            with self._inbound, self._inbox, self._scope:
                await self.app(self.scope, self._receive_from_peer, self._send_to_peer)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # the test raises it: pytest.fail() in an endpoint is a BaseException
            self._exception = error
        finally:
            if self._exception is not None and self._raises:
                self._frames.put(None)
            else:
                for message in self._handshake.ending(self._exception):
                    self._frames.put(message)
            self._ended.set()
            self._noticed.set()

    async def _receive_from_peer(self) -> Message:
        message = await self._inbox.receive()
        if message["type"] == "websocket.disconnect":
            self._was_told = True
            self._noticed.set()
        return message

    async def _send_to_peer(self, message: Message) -> None:
        # Without the checkpoint an endpoint that only sends would never let go of the event loop.
        await anyio.lowlevel.checkpoint()
        self._frames.put(self._handshake.passed(message))

    # In the test's thread

    def send(self, message: Message) -> None:
        """Send an ASGI message to the endpoint; once it has ended, nobody reads it."""
        self._schedule(lambda: self._put(message))

    def _put(self, message: Message) -> None:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._inbound.send_nowait(message)

    def close(self, code: int | None = 1000, reason: str | None = None) -> None:
        """Tell the endpoint that the peer closed the session; with None for a code, by a close frame without one."""
        self._has_left = True
        super().close(NO_STATUS if code is None else code, reason)

    def receive(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> Message:
        """The next ASGI message of the endpoint; behind a close it is that close again.

        Args:
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Raises:
            ReceiveTimeout: nothing arrived in time.
            Exception: what the application raised.
        """
        return self._next("any frame", timeout)

    def receive_text(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> str:
        """The next frame, which must be text.

        Args:
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Raises:
            ReceiveTimeout: nothing arrived in time.
            WebSocketDisconnect: the endpoint closed the session.
            AssertionError: a frame of another kind arrived.
            Exception: what the application raised.
        """
        text: str = self._content("text", timeout)
        return text

    def receive_bytes(self, *, timeout: float | Timeout | None = Timeout.CLIENT) -> bytes:
        """The next frame, which must be binary; otherwise as `receive_text`."""
        data: bytes = self._content("bytes", timeout)
        return data

    def receive_json(self, mode: Literal["text", "binary"] = "text", *, timeout: float | Timeout | None = Timeout.CLIENT) -> Any:
        """The JSON of the next frame, which must be of the kind that `mode` says; otherwise as `receive_text`."""
        return json.loads(self._content("text" if mode == "text" else "bytes", timeout))

    def _content(self, kind: Literal["text", "bytes"], timeout: float | Timeout | None) -> Any:
        message = self._next(f"a {kind} frame", timeout)
        self._raise_on_close(message)
        content = message.get(kind)
        if content is None:
            raise AssertionError(f"{self._where}: a {kind} frame was awaited, but another kind arrived. {self._log}")
        return content

    def _next(self, awaited: str, timeout: float | Timeout | None = Timeout.CLIENT) -> Message:
        if self._close_frame is not None and self._frames.empty():
            return self._close_frame
        seconds = self.timeout if timeout is Timeout.CLIENT else timeout
        try:
            message = self._frames.get(timeout=seconds)
        except queue.Empty:
            raise ReceiveTimeout(f"{self._where}: still waiting for {awaited} after {seconds:g} s. {self._log}") from None
        if message is None:
            self._frames.put(None)
            self._was_raised = True
            assert self._exception is not None
            raise self._exception
        self._log.add(message)
        if message["type"] == "websocket.close":
            self._close_frame = message
        return message

    @property
    def _where(self) -> str:
        # The path without its query, which may hold a token.
        return f"WebSocket {self.scope.get('path', '')}"

    def _leave(self, exc_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if not self._has_left:
            self.close(1000 if self._close_frame is None else self._close_frame.get("code", 1000))
        if self._noticed.wait(_MOMENT):
            self._ended.wait(patience(self.timeout))
        if not self._ended.is_set():
            self._schedule(self._scope.cancel)
            self.is_stuck = not self._ended.wait(None if self.timeout is None else patience(self.timeout))
        problem = self._problem()
        if problem is None or problem is error:
            return
        if error is None or not (self._was_told or self.is_stuck):
            raise problem
        # The test has failed already, and what its leaving stirred up must not hide why.
        error.add_note(f"{self._where}: behind this, {type(problem).__name__}: {problem}")

    def _problem(self) -> BaseException | None:
        if self.is_stuck:
            return EndpointStillRunning(
                f"{self._where}: the endpoint did not end, although the peer had left and it was cancelled."
                f" Fix: let it end when it is cancelled; it blocks, shields itself or swallows the cancellation. {self._log}"
            )
        return self._exception if self._raises and not self._was_raised else None

    def _close_portal(self, *_: object) -> None:
        if self.is_stuck:
            abandoned(self._portal_stack.close)
        else:
            self._portal_stack.close()
