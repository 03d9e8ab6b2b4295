"""Rows of diamonds: functions of which each pair shares the one above it, so that the ways to the top double with each row."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.websockets import WebSocket

import wscontrollers
from benchmarks.containers import Session, handshake


def endpoint_of(depends: Any, diamonds: int) -> Any:
    """An endpoint on `3 * diamonds + 1` functions, declared with the `Depends` of one framework or the other."""

    async def top() -> int:
        return 1

    for _ in range(diamonds):

        async def left(value: int = depends(top)) -> int:
            return value

        async def right(value: int = depends(top)) -> int:
            return value

        async def bottom(one: int = depends(left), other: int = depends(right)) -> int:
            return one + other

        top = bottom

    async def endpoint(websocket: WebSocket, value: int = depends(top)) -> None:
        """Nothing: what is before it is measured."""

    return endpoint


@asynccontextmanager
async def ours(diamonds: int) -> AsyncGenerator[Session]:
    """The whole way from a WebSocket to its endpoint, and out again."""
    route = wscontrollers.APIWebSocketRoute("/row", endpoint_of(wscontrollers.Depends, diamonds))
    serve, connection = wscontrollers.get_websocket_app(route.planned), handshake("/row")
    yield lambda: serve(connection)


@asynccontextmanager
async def with_fastapi(diamonds: int) -> AsyncGenerator[Session]:
    """FastAPI's `solve_dependencies`, and the endpoint."""
    from fastapi import Depends
    from fastapi.dependencies.utils import get_dependant, solve_dependencies

    endpoint = endpoint_of(Depends, diamonds)
    dependant, connection = get_dependant(path="/row", call=endpoint), handshake("/row")

    async def session() -> None:
        async with AsyncExitStack() as stack:
            connection.scope["fastapi_inner_astack"] = connection.scope["fastapi_function_astack"] = stack
            solved = await solve_dependencies(
                request=connection, dependant=dependant, async_exit_stack=stack, embed_body_fields=False
            )
            await endpoint(**solved.values)

    yield session
