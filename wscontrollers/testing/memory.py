"""A session without a network: the application runs in the test's own event loop and sees what a server would show it."""

from __future__ import annotations

from contextlib import suppress

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Scope

from .answers import Accepted, Refusal
from .apart import TaskApart
from .clock import VirtualClock
from .frames import Handshake
from .rest import at_rest
from .transport import Transport, closed_with


class PeerGone(OSError):  # noqa: N818 - says what happened
    """The application sends to a peer that left.

    Source: ASGI, "Disconnected Client - send exception"; uvicorn raises such an OSError too.
    """


class MemoryTransport(Transport):
    """Frames that pass through queues.

    Args:
        app: The ASGI application.
        scope: The handshake's scope.
        clock: The time that the session lives by.
    """

    def __init__(self, app: ASGIApp, scope: Scope, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._app = app
        self._scope = scope
        self._answer: Accepted | Refusal | None = None
        self._answered = anyio.Event()
        self._steps = Handshake()
        self._denial: tuple[Message, list[bytes]] | None = None
        self._outbound, self._inbound = anyio.create_memory_object_stream[Message](float("inf"))
        self._running = anyio.CancelScope()
        self._task: TaskApart | None = None
        self._is_gone = False
        self.has_peer_closed = False
        self._unread = 0

    async def open(self, tasks: TaskGroup) -> Accepted | Refusal:
        """Call the application and wait for its answer."""
        self._tell({"type": "websocket.connect"})
        self._task = TaskApart(tasks, self._serve)
        await self._answered.wait()
        assert self._answer is not None
        return self._answer

    # The application's side

    async def _serve(self) -> None:
        error: BaseException | None = None
        self.run.begin(self._scope)
        try:
            with self._running, self._inbound, self._outbound:
                await self._app(self._scope, self._receive, self._send)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as raised:  # the test raises it: pytest.fail() in an endpoint is a BaseException
            error = raised
            self.run.raised(raised, broken=PeerGone)
        finally:
            for message in self._steps.ending(error):
                if not (self._is_gone and message["type"] == "websocket.close"):  # to whom would a server say it
                    self._take(message)
            self.run.was_told.set()
            self.run.ended.set()

    async def _receive(self) -> Message:
        message = await self._inbound.receive()
        if message["type"] == "websocket.disconnect":
            self.run.was_told.set()
        elif message["type"] == "websocket.receive":
            self._unread -= 1
        return message

    async def _send(self, message: Message) -> None:
        # Without the checkpoint an endpoint that only sends would never let go of the event loop.
        await anyio.lowlevel.checkpoint()
        while self.arrivals.is_full and not self._is_gone:
            await self.arrivals.room()
        if self._is_gone:
            raise PeerGone("the peer has left")
        self._take(self._steps.passed(message))

    def _take(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                self._answer_with(Accepted(message.get("subprotocol"), Headers(raw=list(message.get("headers") or []))), message)
            case "websocket.http.response.start":
                self._denial = (message, [])
            case "websocket.http.response.body":
                self._refuse(message)
            case "websocket.close" if not self._answered.is_set():
                # uvicorn's answer to a close before the accept.
                self._answer_with(Refusal(403, Headers(), b""), message)
                self._disconnect(1006)
            case "websocket.close":
                self.arrive(message)
                # A server echoes the application's own close: ASGI, "Disconnect - receive event".
                self._disconnect(message.get("code", 1000), message.get("reason") or "")
            case _:
                self.arrive(message)

    def _refuse(self, body: Message) -> None:
        assert self._denial is not None, "an application starts a denial response before its body"
        start, parts = self._denial
        parts.append(body["body"])
        if not body.get("more_body", False):
            self._answer_with(Refusal(start["status"], Headers(raw=list(start["headers"])), b"".join(parts)), start)
            self._disconnect(1006)

    def _answer_with(self, answer: Accepted | Refusal, message: Message) -> None:
        self.transcript.arrived(message)
        if self._answer is None:
            self._answer = answer
            self._answered.set()

    def _tell(self, message: Message) -> None:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # the application has ended and reads no more
            self._outbound.send_nowait(message)

    def _disconnect(self, code: int, reason: str = "") -> None:
        self._tell({"type": "websocket.disconnect", "code": code, "reason": reason})

    # The test's side

    async def send(self, content: str | bytes) -> None:
        """Put a frame into the application's queue."""
        kind = "text" if isinstance(content, str) else "bytes"
        message: Message = {"type": "websocket.receive", kind: content}
        self.transcript.sent(message)
        if not self.run.peer_left:
            self._unread += 1
            self._tell(message)
        await anyio.lowlevel.checkpoint()

    async def close(self, code: int | None, reason: str) -> None:
        """Put a disconnect into the application's queue; from now on it sends to nobody."""
        if not self._is_gone:
            self.has_peer_closed = True
        self._gone(closed_with(code, reason))
        await anyio.lowlevel.checkpoint()

    def _gone(self, told: Message) -> None:
        self.run.peer_left = True
        if self._is_gone:
            return
        self._is_gone = True
        self.arrivals.release()
        if not self.closed_by_application:
            self.transcript.sent(told)
            self._disconnect(told["code"], told["reason"])

    def pause(self) -> None:
        """Hold what the application sends; beyond the high-water mark its `send` waits."""
        self.arrivals.pause()
        self.transcript.happened("the test stopped reading")

    def resume(self) -> None:
        """Let through what was held."""
        self.transcript.happened("the test reads on")
        for message in self.arrivals.resume():
            self.transcript.arrived(message)

    def vanish(self) -> None:
        """Hold what the application sends for good, and tell it nothing."""
        self.arrivals.pause()
        self.run.peer_left = True
        self.transcript.happened("the test vanished")

    def reset(self) -> None:
        """Tell the application of a loss, with the code that uvicorn has for it."""
        self._gone(closed_with(None, ""))

    async def settle(self, timeout: float | None) -> None:
        """Wait until the event loop is at rest."""
        await at_rest(timeout)

    async def cancel(self) -> None:
        """Cancel the application's task."""
        self._running.cancel()
        await anyio.lowlevel.checkpoint()

    async def release(self, patience: float) -> None:
        """Cancel the application's task if it has not ended, and leave it behind if it does not end."""
        if self._task is None or self.run.ended.is_set():
            return
        self._running.cancel()
        with anyio.CancelScope(shield=True), anyio.move_on_after(patience):
            await self.run.ended.wait()
        if not self.run.ended.is_set():
            self._task.leave_behind()

    @property
    def unread(self) -> int | None:
        """How many frames wait in the application's queue."""
        return self._unread
