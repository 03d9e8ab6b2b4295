"""The compiled list of steps that turns a handshake into the arguments of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .fields import ErrorDetail
from .invoking import Values
from .parameters import Parameters
from .received import MISSING
from .resolution import Resolution
from .steps import AWAIT, CALL, ENTER, FIRST_FREE, GeneratorStep, Step, sharing_hops

if TYPE_CHECKING:
    from .message_plan import MessagePlan


class Plan:
    """A route's dependencies in the order in which they run; plain data that any number of sessions share.

    Attributes:
        parameters: What is read from the handshake; None when nothing is.
        steps: One for each call, in order.
        endpoint: The call of the endpoint, with its arguments taken from the values.
        arguments: The slot of each of the endpoint's parameters.
        cleans_up: Whether a step may register a clean-up.
        opens: Whether app-tier things must be open before the first step.
        wants_session: Whether something below asks for a `Session`.
        yields: Whether the endpoint is a generator: what is before its messages, and behind them.
        instance: The slot of the object that the endpoint is a method of.
        handlers: What is left to do for each message, by handler.
    """

    __slots__ = (
        "_blank",
        "_run",
        "arguments",
        "cleans_up",
        "endpoint",
        "handlers",
        "instance",
        "opens",
        "parameters",
        "steps",
        "wants_session",
        "yields",
    )

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
        wants_session: bool = False,
        yields: bool = False,
        instance: int | None = None,
        handlers: Sequence[MessagePlan] = (),
    ) -> None:
        self.parameters = parameters
        self.steps = tuple(steps)
        self.endpoint = endpoint
        self.arguments = arguments
        self.cleans_up = cleans_up
        self.opens = opens
        self.wants_session = wants_session
        self.yields = yields
        self.instance = instance
        self.handlers = tuple(handlers)
        # Side by side, what the loop needs of each step: a look at an object's attribute costs as much as what is done with it.
        self._run = tuple([(step.mode, step.slot, step.invoke, step) for step in sharing_hops(self.steps)])
        self._blank: Values = [None] * (size - FIRST_FREE)

    async def solve(self, resolution: Resolution) -> tuple[Values, list[ErrorDetail]]:
        """Run the steps.

        Returns:
            The value of each slot, and the errors of the parameters. What depends on a faulty parameter is not called; its
            siblings are, as in FastAPI, but no handshake is accepted any more to receive a first message.
        """
        connection = resolution.connection
        values: Values = [connection, resolution.scope, *self._blank]
        if self.parameters is not None:
            errors = self.parameters.fill(values, connection)
            if errors:
                await self._solve_siblings(values, resolution)
                return values, errors
        for mode, slot, invoke, step in self._run:
            if mode == CALL:
                values[slot] = invoke(values)
            elif mode == AWAIT:
                values[slot] = await invoke(values)
            elif mode == ENTER:
                assert isinstance(step, GeneratorStep)
                generator = invoke(values)
                try:
                    values[slot] = await anext(generator)
                except StopAsyncIteration:
                    raise RuntimeError("generator didn't yield") from None
                step.exits(resolution).push_generator(generator)
            else:
                await step.run(values, resolution)
        return values, []

    async def _solve_siblings(self, values: Values, resolution: Resolution) -> None:
        for step in self.steps:
            if step.accepts or any(values[slot] is MISSING for slot in step.reads):
                step.leave_out(values)
            else:
                await step.run(values, resolution)
