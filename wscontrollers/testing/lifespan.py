"""The application's lifespan in a test: its start, its state and its end, and what it raises in them."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskGroup
from starlette.types import ASGIApp, Message

from .failures import LifespanStillRunning


class Lifespan:
    """Runs ASGI's lifespan protocol in a task.

    Args:
        app: The ASGI application.
        timeout: Seconds that the start and the end may each take; None waits for ever.

    Attributes:
        state: What the lifespan left for the sessions.
    """

    def __init__(self, app: ASGIApp, *, timeout: float | None) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._timeout = timeout
        self._running = anyio.CancelScope()
        self._answers: dict[str, Message] = {}
        self._answered = {"startup": anyio.Event(), "shutdown": anyio.Event()}
        self._ended = anyio.Event()
        self._error: BaseException | None = None
        self._outbound, self._inbound = anyio.create_memory_object_stream[Message](2)

    async def start(self, tasks: TaskGroup) -> None:
        """Start the application.

        Args:
            tasks: Where the lifespan's task runs.

        Raises:
            LifespanStillRunning: It did not start in time.
            Exception: What it raised, with its own traceback.
            RuntimeError: It said that it failed, or ended without an answer.
        """
        tasks.start_soon(self._run)
        await self._step("startup")

    async def stop(self) -> None:
        """Shut the application down; it raises as `start` does."""
        if not self._ended.is_set():
            await self._step("shutdown")
            with anyio.move_on_after(self._timeout):
                await self._ended.wait()
            if not self._ended.is_set():
                self._running.cancel()
                raise self._late("end behind its shutdown")
            if self._error is not None:
                raise self._error

    async def _step(self, step: str) -> None:
        self._outbound.send_nowait({"type": f"lifespan.{step}"})
        with anyio.move_on_after(self._timeout):
            await self._answered[step].wait()
        if not self._answered[step].is_set():
            self._running.cancel()
            raise self._late("start" if step == "startup" else "shut down")
        answer = self._answers.get(step)
        if answer is not None and answer["type"] == f"lifespan.{step}.complete":
            return
        await self._ended.wait()  # what failed is raised behind the message that says so
        if self._error is not None:
            raise self._error
        said = "ended without an answer" if answer is None else f"said that it failed: {answer.get('message', '')}"
        raise RuntimeError(f"lifespan, {step}: the application {said}. Fix: answer lifespan.{step}.complete, as Starlette does.")

    def _late(self, what: str) -> LifespanStillRunning:
        return LifespanStillRunning(
            f"lifespan: the application did not {what} within {self._timeout:g} s, and was cancelled."
            " Fix: find out what it waits for, or give the client a longer timeout."
        )

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            with self._running:
                await self._app(scope, self._inbound.receive, self._send)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # it is raised where the test starts or leaves the client
            self._error = error
        finally:
            self._ended.set()
            for answered in self._answered.values():
                answered.set()
            self._inbound.close()
            self._outbound.close()

    async def _send(self, message: Message) -> None:
        step = message["type"].removeprefix("lifespan.").partition(".")[0]
        self._answers[step] = message
        self._answered[step].set()
