"""What remains to be done for each message, once the handshake's plan has run: a handler's own steps and its call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from .invoking import Values
from .resolution import Resolution
from .steps import AWAIT, CALL, CONNECTION, SCOPE, Step, sharing_hops
from .unwinding import unwinding

Consume = Callable[[Any], Awaitable[Any]]


class MessagePlan:
    """A handler's dependencies that are new with each message; everything else was resolved at the handshake.

    Attributes:
        steps: One for each call, in order.
        opens_scope: Whether something lives as long as the message.
        cleans_up: Whether a step may register a clean-up.
    """

    __slots__ = ("_endpoint", "_message", "cleans_up", "opens_scope", "steps")

    def __init__(
        self, *, steps: Sequence[Step], endpoint: Callable[[Values], Any], message: int, opens_scope: bool, cleans_up: bool
    ) -> None:
        self.steps = sharing_hops(steps)
        self.opens_scope = opens_scope
        self.cleans_up = cleans_up
        self._endpoint = endpoint
        self._message = message

    def call(self, session_values: Values, message: Any) -> Any:
        """Call the handler of a plan without steps; what comes back is to be awaited or iterated."""
        # No copy: the arguments are taken out of the list before anything else can run.
        session_values[self._message] = message
        return self._endpoint(session_values)

    async def run(self, session_values: Values, message: Any, consume: Consume | None = None) -> Any:
        """Run the steps and the handler, and clean up behind it.

        Args:
            session_values: What the handshake's plan made.
            message: The message.
            consume: Takes what the handler's call gives, a stream, while all that it needs is open; None awaits it.
        """
        if not self.steps:
            result = self.call(session_values, message)
            return await (result if consume is None else consume(result))
        values = session_values.copy()
        values[self._message] = message
        if not self.opens_scope:
            return await self._solved(values, Resolution(values[CONNECTION], values[SCOPE]), consume)
        values[SCOPE] = scope = values[SCOPE].message()
        resolution = Resolution(values[CONNECTION], scope)
        if not self.cleans_up:
            return await self._solved(values, resolution, consume)
        with anyio.CancelScope() as shield:
            return await unwinding(self._solved(values, resolution, consume), resolution, shield)

    async def _solved(self, values: Values, resolution: Resolution, consume: Consume | None) -> Any:
        for step in self.steps:
            mode = step.mode
            if mode == CALL:
                values[step.slot] = step.invoke(values)
            elif mode == AWAIT:
                values[step.slot] = await step.invoke(values)
            else:
                await step.run(values, resolution)
        result = self._endpoint(values)
        return await (result if consume is None else consume(result))
