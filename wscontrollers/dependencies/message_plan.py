"""What remains to be done for each message, once the handshake's plan has run: a handler's own steps and its call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import anyio

from ..callables import name_of
from .invoking import Invocation, Values
from .routine import handler
from .steps import Step, sharing_hops

Consume = Callable[[Any], Awaitable[Any]]


class MessagePlan:
    """A handler's dependencies that are new with each message; everything else was resolved at the handshake.

    Attributes:
        steps: One for each call, in order.
        opens_scope: Whether something lives as long as the message.
        cleans_up: Whether a step may register a clean-up.
    """

    __slots__ = ("_handle", "cleans_up", "opens_scope", "steps")

    def __init__(self, *, steps: Sequence[Step], endpoint: Invocation, message: int, opens_scope: bool, cleans_up: bool) -> None:
        self.steps = sharing_hops(steps)
        self.opens_scope = opens_scope or cleans_up  # else the clean-ups would end the session's
        self.cleans_up = cleans_up
        self._handle = handler(
            self.steps,
            endpoint=endpoint,
            message=message,
            opens_scope=self.opens_scope,
            cleans_up=cleans_up,
            title=f"plan of {name_of(endpoint.call)}",
        )

    def quick(self, shield: anyio.CancelScope | None) -> Callable[[Values, Any], Awaitable[Any]]:
        """What `run` does for a handler that is no stream, as a function of the session's values and the message.

        Args:
            shield: See `run`.
        """
        return partial(self._handle, shield) if self.cleans_up else self._handle

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
            result = self._handle(session_values, message)
            return await (result if consume is None else consume(result))
        if not self.cleans_up:
            return await self._handle(session_values, message, consume)
        if shield is None:
            with anyio.CancelScope() as shield:
                return await self._handle(shield, session_values, message, consume)
            return None  # never: nobody cancels the scope
        return await self._handle(shield, session_values, message, consume)
