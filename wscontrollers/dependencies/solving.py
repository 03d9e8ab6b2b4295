"""`solve_dependencies`: the values for a callable's parameters, for those who run a dependant by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

from starlette.websockets import WebSocket

from ..callables import AnyCallable
from ..container import Container
from .dependant import Dependant
from .fields import ErrorDetail
from .planning import make_plan
from .received import MISSING
from .resolution import Resolution


class SolvedDependency(NamedTuple):
    """What `solve_dependencies` found.

    Attributes:
        values: The arguments of the dependant's call, by name; incomplete if there are errors.
        errors: The errors of all parameters, as pydantic writes them.
    """

    values: dict[str, Any]
    errors: list[ErrorDetail]


async def solve_dependencies(
    *,
    websocket: WebSocket,
    dependant: Dependant,
    async_exit_stack: AsyncExitStack,
    dependency_overrides_provider: Any = None,
    container: Container | None = None,
    threads: bool = True,
) -> SolvedDependency:
    """Solve a dependant for one handshake; the counterpart of FastAPI's function of this name.

    Routes compile their plan at registration. This compiles it at each call, which is right for tests and tools.

    Args:
        websocket: The handshake.
        dependant: What `get_dependant` returned.
        async_exit_stack: Where clean-ups are registered.
        dependency_overrides_provider: Who has `dependency_overrides`.
        container: What supplies services; an empty one when left out.
        threads: Whether plain functions run in worker threads.

    Raises:
        DeclarationError: An override's parameter can never be filled.
    """
    overrides: Mapping[AnyCallable, AnyCallable] = getattr(dependency_overrides_provider, "dependency_overrides", {})
    graph = (container or Container()).graph
    plan = make_plan(dependant, supplier=graph, overrides=overrides, threads=threads)
    if plan.opens:
        await graph.ensure_open()
    resolution = Resolution(websocket, graph.session())

    await async_exit_stack.enter_async_context(resolution)
    values, errors = await plan.solve(resolution)
    made = {name: values[slot] for name, slot in plan.arguments.items() if values[slot] is not MISSING}
    return SolvedDependency(made, errors)
