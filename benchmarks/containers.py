"""One session of one graph of services in six ways: a class with five objects, two of the app and three of the session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import injector
from starlette.websockets import WebSocket

from wscontrollers import App, Container, Controller, Module, get_websocket_app, inject, session_scoped, singleton, websocket
from wscontrollers.routing import APIWebSocketRoute

Session = Callable[[], Awaitable[None]]


class Settings:
    """Lives as long as the app."""


class Pool:
    """Lives as long as the app."""

    @inject
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Identity:
    """Lives as long as the session."""

    @inject
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Cart:
    """Lives as long as the session."""

    @inject
    def __init__(self, pool: Pool, identity: Identity) -> None:
        self.pool = pool
        self.identity = identity


class Audit:
    """Lives as long as the session."""

    @inject
    def __init__(self, identity: Identity) -> None:
        self.identity = identity


class Shop:
    """What each session has one of."""

    @inject
    def __init__(self, settings: Settings, pool: Pool, identity: Identity, cart: Cart, audit: Audit) -> None:
        self.settings = settings
        self.pool = pool
        self.identity = identity
        self.cart = cart
        self.audit = audit

    async def serve(self, websocket: WebSocket) -> None:
        """Nothing: what is before it is measured."""


class ShopController(Controller):
    """The same as `Shop`."""

    def __init__(self, settings: Settings, pool: Pool, identity: Identity, cart: Cart, audit: Audit) -> None:
        self.settings = settings
        self.pool = pool
        self.identity = identity
        self.cart = cart
        self.audit = audit

    @websocket("/shop")
    async def serve(self, websocket: WebSocket) -> None:
        """Nothing: what is before it is measured."""


OF_APP: tuple[type, ...] = (Settings, Pool)
OF_SESSION: tuple[type, ...] = (Identity, Cart, Audit)


class _Services(Module):
    def configure(self, binder: injector.Binder) -> None:
        for cls in OF_APP:
            binder.bind(cls, scope=singleton)
        for cls in OF_SESSION:
            binder.bind(cls, scope=session_scoped)


class _ServicesOfApp(injector.Module):
    def configure(self, binder: injector.Binder) -> None:
        for cls in OF_APP:
            binder.bind(cls, scope=injector.singleton)


class _ServicesOfSession(injector.Module):
    def configure(self, binder: injector.Binder) -> None:
        for cls in (*OF_SESSION, Shop):
            binder.bind(cls, scope=injector.singleton)


def handshake(path: str) -> WebSocket:
    """A handshake in process, for those who look at nothing of it."""

    async def unused(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    return WebSocket({"type": "websocket", "path": path, "headers": [], "query_string": b"", "path_params": {}}, unused, unused)


@asynccontextmanager
async def by_hand() -> AsyncGenerator[Session]:
    """What one would write without a framework: the floor."""
    settings = Settings()
    pool = Pool(settings)
    connection = handshake("/shop")

    async def session() -> None:
        identity = Identity(settings)
        shop = Shop(settings, pool, identity, Cart(pool, identity), Audit(identity))
        await shop.serve(connection)

    yield session


@asynccontextmanager
async def ours() -> AsyncGenerator[Session]:
    """A controller: the whole way from a WebSocket to its endpoint, and out again."""
    app = App(controllers=[ShopController], container=Container(_Services()))
    (route,) = app.router.table.routes
    assert isinstance(route, APIWebSocketRoute)
    serve, connection = get_websocket_app(route.planned), handshake("/shop")
    async with app.router.lifespan_context(app):
        yield lambda: serve(connection)


@asynccontextmanager
async def with_dishka() -> AsyncGenerator[Session]:
    """dishka's synchronous container, its faster one; a request scope for each session."""
    import dishka

    provider = dishka.Provider()
    for cls in OF_APP:
        provider.provide(cls, scope=dishka.Scope.APP)
    for cls in (*OF_SESSION, Shop):
        provider.provide(cls, scope=dishka.Scope.REQUEST)
    container, connection = dishka.make_container(provider), handshake("/shop")

    async def session() -> None:
        with container() as request:
            await request.get(Shop).serve(connection)

    yield session
    container.close()


@asynccontextmanager
async def with_wireup() -> AsyncGenerator[Session]:
    """wireup's synchronous container, its faster one; a scope for each session."""
    import wireup

    for cls in OF_APP:
        wireup.injectable(cls, lifetime="singleton")
    for cls in (*OF_SESSION, Shop):
        wireup.injectable(cls, lifetime="scoped")
    container = wireup.create_sync_container(injectables=[*OF_APP, *OF_SESSION, Shop])
    connection = handshake("/shop")

    async def session() -> None:
        with container.enter_scope() as scope:
            await scope.get(Shop).serve(connection)

    yield session
    container.close()


@asynccontextmanager
async def with_injector() -> AsyncGenerator[Session]:
    """Stock injector: a child injector for each session."""
    parent, connection = injector.Injector(_ServicesOfApp()), handshake("/shop")

    async def session() -> None:
        await parent.create_child_injector(_ServicesOfSession()).get(Shop).serve(connection)

    yield session


@asynccontextmanager
async def with_fastapi() -> AsyncGenerator[Session]:
    """FastAPI: the same graph of `async def` functions, so that no threads are involved."""
    from fastapi import Depends
    from fastapi.dependencies.utils import get_dependant, solve_dependencies

    the_settings = Settings()
    the_pool = Pool(the_settings)

    async def settings() -> Settings:
        return the_settings

    async def pool() -> Pool:
        return the_pool

    async def identity(settings: Settings = Depends(settings)) -> Identity:
        return Identity(settings)

    async def cart(pool: Pool = Depends(pool), identity: Identity = Depends(identity)) -> Cart:
        return Cart(pool, identity)

    async def audit(identity: Identity = Depends(identity)) -> Audit:
        return Audit(identity)

    async def endpoint(
        websocket: WebSocket,
        settings: Settings = Depends(settings),
        pool: Pool = Depends(pool),
        identity: Identity = Depends(identity),
        cart: Cart = Depends(cart),
        audit: Audit = Depends(audit),
    ) -> None:
        await Shop(settings, pool, identity, cart, audit).serve(websocket)

    dependant = get_dependant(path="/shop", call=endpoint)
    connection = handshake("/shop")

    async def session() -> None:
        async with AsyncExitStack() as stack:
            connection.scope["fastapi_inner_astack"] = connection.scope["fastapi_function_astack"] = stack
            solved = await solve_dependencies(
                request=connection, dependant=dependant, async_exit_stack=stack, embed_body_fields=False
            )
            await endpoint(**solved.values)

    yield session
