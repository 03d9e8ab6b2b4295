"""The compiled list of steps that turns a handshake into the arguments of an endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ..callables import name_of
from .fields import ErrorDetail
from .invoking import Invocation, Values
from .parameters import Parameters
from .received import MISSING
from .resolution import Resolution
from .routine import Called, Solved, caller, solver
from .steps import Step, sharing_hops

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
        call: Runs the steps and calls the endpoint, where no session is held. What the endpoint returns is still to be awaited;
            in its place is None if there are errors of the parameters, which come second (see `solve`).
        solve: Runs the steps. It returns the value of each slot, and the errors of the parameters: what depends on a faulty
            parameter is not called; its siblings are, as in FastAPI, but no handshake is accepted any more to receive a first
            message.
    """

    __slots__ = (
        "_size",
        "_solve",
        "_title",
        "arguments",
        "call",
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
        endpoint: Invocation,
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
        self.endpoint = endpoint.function()
        self.arguments = arguments
        self.cleans_up = cleans_up
        self.opens = opens
        self.wants_session = wants_session
        self.yields = yields
        self.instance = instance
        self.handlers = tuple(handlers)
        self._size = size
        self._title = f"plan of {name_of(endpoint.call)}"
        self._solve: Callable[[Resolution], Awaitable[Solved]] | None = None
        call = None
        if not (wants_session or yields):
            call = caller(
                sharing_hops(self.steps),
                parameters=parameters,
                endpoint=endpoint,
                find_errors=self._find_errors,
                title=self._title,
            )
        self.call: Callable[[Resolution], Awaitable[Called]] = call or self._call

    @property
    def solve(self) -> Callable[[Resolution], Awaitable[Solved]]:
        """Written when it is first asked for: most plans are called."""
        if self._solve is None:
            self._solve = solver(
                sharing_hops(self.steps),
                parameters=self.parameters,
                solve_siblings=self._solve_siblings,
                size=self._size,
                title=self._title,
            )
        return self._solve

    async def _call(self, resolution: Resolution) -> Called:
        values, errors = await self.solve(resolution)
        return None if errors else self.endpoint(values), errors

    async def _find_errors(self, resolution: Resolution) -> list[ErrorDetail]:
        _, errors = await self.solve(resolution)
        return errors

    async def _solve_siblings(self, values: Values, resolution: Resolution) -> None:
        for step in self.steps:
            if step.accepts or any(values[slot] is MISSING for slot in step.reads):
                step.leave_out(values)
            else:
                await step.run(values, resolution)
