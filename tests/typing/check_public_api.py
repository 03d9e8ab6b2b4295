"""Checked by mypy and pyright in strict mode, never run: signatures survive decorators, and nothing leaks `Any`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Protocol, assert_type

from wscontrollers import (
    APIRouter,
    App,
    AssistedBuilder,
    Container,
    Controller,
    Cookie,
    Denied,
    Depends,
    FirstMessage,
    Header,
    Inject,
    Module,
    NoInject,
    Path,
    ProviderOf,
    Query,
    Security,
    WebSocket,
    message_scoped,
    provider,
    session_scoped,
    singleton,
    websocket,
)
from wscontrollers.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from wscontrollers.testing import TestClient


class Clock(Protocol):
    def now(self) -> float: ...


class SystemClock:
    def now(self) -> float:
        return 0.0


@session_scoped
class Cart:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class Production(Module):
    @singleton
    @provider
    async def clock(self) -> AsyncIterator[SystemClock]:
        yield SystemClock()

    @message_scoped
    @provider
    def cart(self, clock: SystemClock, room: Annotated[str, Path()]) -> Cart:
        return Cart(clock)


async def current_user(token: str = Query(), agent: str | None = Header(None)) -> str:
    return token + (agent or "")


bearer = HTTPBearer()


async def scoped(scopes: SecurityScopes, credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> list[str]:
    return [*scopes.scopes, credentials.credentials]


class Rooms(Controller):
    prefix = "/rooms"
    dependencies = [Depends(current_user)]

    def __init__(self, clock: SystemClock, cart: Cart, carts: ProviderOf[Cart], size: NoInject[int] = 3) -> None:
        self.clock = clock
        self.carts = carts
        self.size = size

    @websocket("/{room}", name="rooms")
    async def open(
        self,
        socket: WebSocket,
        room: str,
        hello: Annotated[dict[str, str], FirstMessage(timeout=5)],
        limit: Annotated[int, Query(le=100)] = 10,
        user: str = Depends(current_user),
        granted: list[str] = Security(scoped, scopes=["rooms"]),
        visit: int = Cookie(0),
    ) -> int:
        if not user:
            raise Denied(401, "Who are you?")
        await socket.accept()
        return limit + visit


async def signatures_survive(rooms: Rooms, socket: WebSocket) -> None:
    """A marked method keeps its exact signature."""
    assert_type(await rooms.open(socket, "tea", {}, 3), int)
    assert_type(rooms.carts.get(), Cart)
    assert_type(Rooms.router, APIRouter)


async def injected(secret: Inject[str], builder: AssistedBuilder[Cart]) -> None:
    """injector's annotations mean their types."""
    assert_type(secret, str)
    assert_type(builder.build(clock=SystemClock()), Cart)


router = APIRouter(prefix="/api", dependencies=[Depends(current_user)])


@router.websocket("/files/{name:path}")
async def files(socket: WebSocket, name: str) -> bool:
    await socket.accept()
    return True


async def the_function_is_returned(socket: WebSocket) -> None:
    """Decorators return the function as it is."""
    assert_type(await files(socket, "a"), bool)


def composition() -> None:
    """What an application is put together of is typed throughout."""
    container = Container(Production())
    app = App(controllers=[Rooms], container=container, origins=["https://chat.example"], sync_dependencies="inline")
    app.include_router(router, prefix="/v1")
    assert_type(container.get(SystemClock), SystemClock)
    assert_type(app.container, Container)
    with container.override(SystemClock, SystemClock()), TestClient(app) as client:
        assert_type(client.container, Container)


async def asynchronous(container: Container) -> None:
    """`aget` is as typed as `get`."""
    assert_type(await container.aget(SystemClock), SystemClock)
    async with container.override(Cart, Cart):
        await container.close()
