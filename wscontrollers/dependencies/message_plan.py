"""What remains to be done for each message, once the handshake's plan has run: a handler's own steps and its call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import anyio

from .invoking import Values
from .resolution import Resolution
from .steps import AWAIT, CALL, CONNECTION, SCOPE, Step, sharing_hops

Consume = Callable[[Any], Awaitable[Any]]


class MessagePlan:
    """A handler's dependencies that are new with each message; everything else was resolved at the handshake.

    Attributes:
        steps: One for each call, in order.
        opens_scope: Whether something lives as long as the message.
        cleans_up: Whether a step may register a clean-up.
    """

    __slots__ = ("_endpoint", "_message", "call", "cleans_up", "opens_scope", "steps")

    def __init__(
        self,
        *,
        steps: Sequence[Step],
        endpoint: Callable[[Values], Any],
        call: Callable[[Values, Any], Any],
        message: int,
        opens_scope: bool,
        cleans_up: bool,
    ) -> None:
        self.steps = sharing_hops(steps)
        self.opens_scope = opens_scope
        self.cleans_up = cleans_up
        self._endpoint = endpoint
        self._message = message
        self.call = call

    def quick(self, shield: anyio.CancelScope | None) -> Callable[[Values, Any], Awaitable[Any]]:
        """What `run` does for a handler that is no stream, as a function of the session's values and the message.

        Args:
            shield: See `run`.
        """
        if self.cleans_up:
            return partial(self._cleaned_up, shield)
        return self._stepwise if self.steps else self.call

    async def run(
        self,
        session_values: Values,
        message: Any,
        consume: Consume | None = None,
        shield: anyio.CancelScope | None = None,
    ) -> Any:
        """Run the steps and the handler, and clean up behind it.

        Args:
            session_values: What the handshake's plan made.
            message: The message.
            consume: Takes what the handler's call gives, a stream, while all that it needs is open; None awaits it.
            shield: A scope of this task that is shielded while clean-ups run, with nothing but the handling of messages inside
                of it; where it is left out, one is entered for this message.
        """
        if not self.steps:
            result = self.call(session_values, message)
            return await (result if consume is None else consume(result))
        if not self.cleans_up:
            values = self._values(session_values, message)
            return await self._solved(values, Resolution(values[CONNECTION], values[SCOPE]), consume)
        if shield is None:
            with anyio.CancelScope() as shield:
                return await self._cleaned_up(shield, session_values, message, consume)
            return None  # never: nobody cancels the scope
        return await self._cleaned_up(shield, session_values, message, consume)

    def _values(self, session_values: Values, message: Any) -> Values:
        values = session_values.copy()
        values[self._message] = message
        if self.opens_scope:
            values[SCOPE] = values[SCOPE].message()
        return values

    async def _cleaned_up(
        self, shield: anyio.CancelScope | None, session_values: Values, message: Any, consume: Consume | None = None
    ) -> Any:
        values = self._values(session_values, message)
        async with Resolution(values[CONNECTION], values[SCOPE], shield) as resolution:
            return await self._solved(values, resolution, consume)
        return None  # a clean-up swallowed what was raised

    async def _stepwise(self, session_values: Values, message: Any) -> Any:
        """What `run` does where nothing is cleaned up, in one coroutine."""
        values = self._values(session_values, message)
        resolution: Resolution | None = None
        for step in self.steps:
            mode = step.mode
            if mode == CALL:
                values[step.slot] = step.invoke(values)
            elif mode == AWAIT:
                values[step.slot] = await step.invoke(values)
            else:
                if resolution is None:
                    resolution = Resolution(values[CONNECTION], values[SCOPE])
                await step.run(values, resolution)
        return await self._endpoint(values)

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
