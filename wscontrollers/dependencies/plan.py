"""The compiled list of steps that turns a handshake into the arguments of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from .fields import MISSING, ErrorDetail
from .invoking import Values
from .parameters import Parameters
from .resolution import Resolution
from .steps import AWAIT, CALL, SharedThreadStep, Step, ThreadStep

CONNECTION, SCOPE, FIRST_FREE = range(3)
"""The slots that are filled before the first step, and the first one after them."""


class Plan:
    """A route's dependencies in the order in which they run; plain data that any number of sessions share.

    Attributes:
        parameters: What is read from the handshake; None when nothing is.
        steps: One for each call, in order.
        endpoint: The call of the endpoint, with its arguments taken from the values.
        arguments: The slot of each of the endpoint's parameters.
        cleans_up: Whether a step may register a clean-up.
        opens: Whether app-tier things must be open before the first step.
    """

    __slots__ = ("_blank", "_neighbours", "arguments", "cleans_up", "endpoint", "opens", "parameters", "steps")

    def __init__(
        self,
        *,
        parameters: Parameters | None,
        steps: Sequence[Step],
        endpoint: Callable[[Values], Any],
        arguments: dict[str, int],
        size: int,
        cleans_up: bool,
        opens: bool,
    ) -> None:
        self.parameters = parameters
        self.steps = tuple(steps)
        self.endpoint = endpoint
        self.arguments = arguments
        self.cleans_up = cleans_up
        self.opens = opens
        self._neighbours = _sharing_hops(self.steps)
        self._blank: Values = [None] * (size - FIRST_FREE)

    async def solve(self, resolution: Resolution) -> tuple[Values, list[ErrorDetail]]:
        """Run the steps.

        Returns:
            The value of each slot, and the errors of the parameters. What depends on a faulty parameter is not called; its
            siblings are, as in FastAPI.
        """
        connection = resolution.connection
        values: Values = [connection, resolution.scope, *self._blank]
        if self.parameters is not None:
            errors = self.parameters.fill(values, connection)
            if errors:
                await self._solve_siblings(values, resolution)
                return values, errors
        for step in self._neighbours:
            mode = step.mode
            if mode == CALL:
                values[step.slot] = step.invoke(values)
            elif mode == AWAIT:
                values[step.slot] = await step.invoke(values)
            else:
                await step.run(values, resolution)
        return values, []

    async def _solve_siblings(self, values: Values, resolution: Resolution) -> None:
        for step in self.steps:
            if any(values[slot] is MISSING for slot in step.reads):
                values[step.slot] = MISSING
            else:
                await step.run(values, resolution)


def _sharing_hops(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, with plain functions that follow each other joined so that they share one hop to a thread."""
    joined: list[Step] = []
    for threaded, neighbours in groupby(steps, key=lambda step: isinstance(step, ThreadStep)):
        parts = list(neighbours)
        joined += [SharedThreadStep(parts)] if threaded and len(parts) > 1 else parts
    return tuple(joined)
