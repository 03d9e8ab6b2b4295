"""Controllers: marks become routes, Python's inheritance holds, one instance lives as long as one session."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pytest
from starlette.applications import Starlette

from wscontrollers import (
    APIRouter,
    APIWebSocketRoute,
    App,
    Container,
    Controller,
    ControllerMeta,
    DeclarationError,
    Depends,
    Inject,
    Module,
    NoInject,
    Query,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
    provider,
    register_controllers,
    session_scoped,
    websocket,
)
from wscontrollers.exceptions import RouteError
from wscontrollers.testing import TestClient

T = TypeVar("T")
U = TypeVar("U")


class Store:
    """A service without a constructor."""


@session_scoped
class Cart:
    """A service of one session."""


class Clock:
    def __init__(self, store: Store) -> None:
        self.store = store


def answer(app: Any, path: str, **options: Any) -> Any:
    """The JSON that the endpoint sends first."""
    with TestClient(app) as client, client.websocket_connect(path, **options) as session:
        return session.receive_json()


async def say(socket: WebSocket, value: Any) -> None:
    await socket.accept()
    await socket.send_json(value)


class Greeter(Controller):
    prefix = "/greet"

    @websocket("/{name}", name="greeting")
    async def greet(self, socket: WebSocket, name: str) -> None:
        await say(socket, f"hello {name}")


def test_marks_become_routes_on_a_router() -> None:
    """The metaclass gives a class an `APIRouter` with an `APIWebSocketRoute` for each marked method."""
    assert isinstance(Greeter, ControllerMeta)
    assert isinstance(Greeter.router, APIRouter)
    (route,) = Greeter.router.routes
    assert isinstance(route, APIWebSocketRoute)
    assert (route.path, route.name, route.endpoint) == ("/greet/{name}", "greeting", Greeter.greet)
    assert Greeter.router is Greeter.router


def test_served_by_an_app() -> None:
    """`App(controllers=[...])` serves the endpoints below the controller's prefix."""
    app = App(controllers=[Greeter])
    assert answer(app, "/greet/ann") == "hello ann"
    assert app.url_path_for("greeting", name="bob") == "/greet/bob"


def test_a_name_is_the_class_and_the_method() -> None:
    """Without a name, a route is called as the class and its method, so that two controllers do not share one."""

    class Rooms(Controller):
        @websocket("/rooms")
        async def open(self, socket: WebSocket) -> None: ...

    assert App(controllers=[Rooms]).url_path_for("Rooms.open") == "/rooms"


async def test_a_marked_method_is_an_ordinary_method() -> None:
    """`@websocket` returns the same function: a test can construct the class and await the method."""

    class Counter(Controller):
        def __init__(self, start: int) -> None:
            self.start = start

        @websocket("/count")
        async def count(self, step: int) -> int:
            return self.start + step

    assert await Counter(2).count(3) == 5


def test_one_instance_for_each_session() -> None:
    """A controller is constructed once for each session, and its constructor's services come from the container."""
    made: list[Any] = []

    class Rooms(Controller):
        def __init__(self, clock: Clock) -> None:
            assert isinstance(clock.store, Store)
            made.append(self)

        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            assert self is made[-1]
            await say(socket, len(made))

    app = App(controllers=[Rooms])
    assert [answer(app, "/"), answer(app, "/")] == [1, 2]


def test_constructor_parameters_by_all_rules() -> None:
    """A constructor takes path and query parameters, dependencies and services like an endpoint; the prefix has parameters."""

    def doubled(size: int = 2) -> int:
        return size * 2

    class Rooms(Controller):
        prefix = "/rooms/{room}"

        def __init__(
            self, room: str, token: Annotated[str, Query()], store: Store, socket: WebSocket, size: int = Depends(doubled)
        ) -> None:
            self.seen = [room, token, type(store).__name__, str(socket.url.path), size]

        @websocket("/open")
        async def open(self, socket: WebSocket, room: str) -> None:
            await say(socket, [*self.seen, room])

    assert answer(App(controllers=[Rooms]), "/rooms/tea/open?token=t&size=3") == [
        "tea",
        "t",
        "Store",
        "/rooms/tea/open",
        6,
        "tea",
    ]


def test_order_before_a_session() -> None:
    """App, router, class and route dependencies run in this order, then the constructor, the parameters and the endpoint."""
    order: list[str] = []

    def step(name: str) -> Any:
        async def run() -> AsyncIterator[None]:
            order.append(name)
            yield
            order.append(f"-{name}")

        return Depends(run)

    class Rooms(Controller):
        dependencies = [step("class")]

        def __init__(self) -> None:
            order.append("constructor")

        @websocket("/", dependencies=[step("route")])
        async def open(self, socket: WebSocket, own: None = step("parameter")) -> None:
            order.append("endpoint")

    router = APIRouter(dependencies=[step("router")])
    router.include_controller(Rooms, dependencies=[step("include")])
    app = App(dependencies=[step("app")])
    app.include_router(router)
    with TestClient(app) as client, pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass
    there = ["app", "router", "include", "class", "route", "constructor", "parameter", "endpoint"]
    back = [f"-{name}" for name in reversed(there) if name not in ("constructor", "endpoint")]
    assert order == there + back


def test_an_override_without_a_mark_keeps_its_path() -> None:
    """A subclass that overrides an endpoint without a mark keeps the base's path."""

    class Loud(Greeter):
        async def greet(self, socket: WebSocket, name: str) -> None:
            await say(socket, f"HELLO {name}")

    assert answer(App(controllers=[Loud]), "/greet/ann") == "HELLO ann"


def test_the_nearest_mark_wins() -> None:
    """A mark on an override replaces the base's mark, path and name."""

    class Moved(Greeter):
        @websocket("/moved/{name}")
        async def greet(self, socket: WebSocket, name: str) -> None:
            await say(socket, name)

    assert [route.path for route in Moved.router.table.routes] == ["/greet/moved/{name}"]  # type: ignore[attr-defined]


def test_none_takes_a_route_away() -> None:
    """`name = None` removes the route, also from a subclass that overrides it without a mark; a new mark brings one back."""

    class Other(Greeter):
        @websocket("/other")
        async def other(self, socket: WebSocket) -> None: ...

    class Silent(Other):
        greet = None  # type: ignore[assignment]

    class Again(Silent):
        async def greet(self, socket: WebSocket, name: str) -> None: ...  # type: ignore[override]

    class Back(Again):
        @websocket("/back")
        async def greet(self, socket: WebSocket) -> None: ...  # type: ignore[override]

    paths = {cls: [route.path for route in cls.router.table.routes] for cls in (Silent, Again, Back)}  # type: ignore[attr-defined]
    assert paths == {Silent: ["/greet/other"], Again: ["/greet/other"], Back: ["/greet/back", "/greet/other"]}


def test_mixins_are_plain_classes() -> None:
    """A plain class can bring endpoints and dependencies to a controller."""

    class Ping:
        @websocket("/ping")
        async def ping(self, socket: WebSocket) -> None:
            await say(socket, "pong")

    class Service(Ping, Controller):
        prefix = "/service"

    assert answer(App(controllers=[Service]), "/service/ping") == "pong"


def test_an_abstract_controller_can_be_declared_but_not_registered() -> None:
    """An abstract controller is declared like any abstract class; registering it names what is missing."""

    class Base(Controller):
        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, self.title())

        @abstractmethod
        def title(self) -> str: ...

    class Concrete(Base):
        def title(self) -> str:
            return "concrete"

    with pytest.raises(DeclarationError, match=r"Base: it is abstract: title has no body yet\. Fix: define title"):
        App(controllers=[Base])
    assert answer(App(controllers=[Concrete]), "/") == "concrete"


def test_a_controller_without_endpoints_is_refused() -> None:
    """A controller that nothing can reach is an error when it is registered."""

    class Empty(Controller):
        pass

    with pytest.raises(DeclarationError, match=r"it has no endpoint\. Fix: mark an async method with @websocket"):
        App(controllers=[Empty])


def test_dependencies_accumulate_base_first() -> None:
    """A subclass adds dependencies and cannot lose those of its bases; in a diamond each class counts once."""
    ran: list[str] = []

    def note(name: str) -> Any:
        async def run() -> None:
            ran.append(name)

        return Depends(run)

    class Base(Controller):
        dependencies = [note("base")]

        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, ran)

    class Left(Base):
        dependencies = [note("left")]

    class Right(Base):
        dependencies = [note("right")]

    class Both(Left, Right):
        dependencies = []

    assert answer(App(controllers=[Both]), "/") == ["base", "right", "left"]


@pytest.mark.parametrize("name", ["dependencies", "prefix", "limits", "sends", "open"])
def test_what_routes_were_made_of_cannot_be_set_behind_them(name: str) -> None:
    """It would change nothing, and a guard that guards nothing must not look like one; also when it is set on a base class."""

    class Base(Controller):
        @websocket("/")
        async def open(self, socket: WebSocket) -> None: ...

        def helper(self) -> None: ...

    class Rooms(Base):
        pass

    setattr(Rooms, name, getattr(Rooms, name))
    App(controllers=[Rooms])
    for cls in (Rooms, Base):
        with pytest.raises(DeclarationError, match=rf"{name}: it is set behind the registration of .*Rooms, whose routes"):
            setattr(cls, name, getattr(Rooms, name))
        cls.helper = lambda self: None  # type: ignore[method-assign]  # no route is made of it


def test_a_list_of_dependencies_is_frozen_with_the_routes() -> None:
    """Until then it is a list; what would be appended to it later would guard nothing."""

    async def members_only() -> None:
        raise WebSocketException(4003)

    class Base(Controller):
        dependencies: ClassVar[Any] = []

    class Rooms(Base):
        @websocket("/")
        async def open(self, socket: WebSocket) -> None: ...

    Base.dependencies.append(Depends(members_only))
    with TestClient(App(controllers=[Rooms])) as client, pytest.raises(WebSocketDisconnect) as caught:
        client.websocket_connect("/").__enter__()
    assert caught.value.code == 4003
    with pytest.raises(AttributeError):
        Base.dependencies.append(Depends(members_only))


def test_a_failing_class_dependency_stops_before_the_constructor() -> None:
    """A login check of a base class holds for every subclass, before anything of it is constructed."""
    made: list[str] = []

    async def members_only() -> None:
        raise WebSocketException(4003)

    class Guarded(Controller):
        dependencies = [Depends(members_only)]

    class Rooms(Guarded):
        dependencies = []

        def __init__(self) -> None:
            made.append("constructor")

        @websocket("/")
        async def open(self, socket: WebSocket) -> None: ...

    with TestClient(App(controllers=[Rooms])) as client, pytest.raises(WebSocketDisconnect) as caught:
        client.websocket_connect("/").__enter__()
    assert caught.value.code == 4003
    assert made == []


def test_generic_controllers() -> None:
    """Type variables in signatures stand for what the subclass gives them, through several levels."""

    class Crud(Controller, Generic[T]):
        def __init__(self, item: T) -> None:
            self.item = item

        @websocket("/item/{key}")
        async def get(self, socket: WebSocket, key: T, store: Annotated[T, Depends()]) -> None: ...

    class Pair(Controller, Generic[T, U]):
        def __init__(self, service: T) -> None:
            self.service = service

        @websocket("/pair/{key}")
        async def get(self, socket: WebSocket, key: U) -> None:
            await say(socket, [type(self.service).__name__, key])

    class WithStore(Pair[Store, U], Generic[U]):
        pass

    class Stores(WithStore[int]):
        pass

    assert answer(App(controllers=[Stores]), "/pair/4") == ["Store", 4]


def test_a_dataclass_with_slots() -> None:
    """`@dataclass(slots=True)` makes the class a second time, which harms nothing."""

    @dataclasses.dataclass(slots=True)
    class Rooms(Controller):
        store: Store

        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, type(self.store).__name__)

    assert answer(App(controllers=[Rooms]), "/") == "Store"


def test_two_classes_of_one_name() -> None:
    """Nothing remembers a class by its name: two of the same name have routes of their own."""

    def make(path: str) -> type[Controller]:
        class Same(Controller):
            @websocket(path)
            async def open(self, socket: WebSocket) -> None:
                await say(socket, path)

        return Same

    app = App(controllers=[make("/one"), make("/two")])
    assert [answer(app, "/one"), answer(app, "/two")] == ["/one", "/two"]


def test_a_route_that_can_never_be_reached_is_refused() -> None:
    """Within a controller a pattern that takes all paths of a later one is an error that names both."""

    class Rooms(Controller):
        prefix = "/rooms"

        @websocket("/{room}")
        async def any(self, socket: WebSocket, room: str) -> None: ...

        @websocket("/special")
        async def special(self, socket: WebSocket) -> None: ...

    with pytest.raises(
        RouteError, match=r"Rooms\.special can never be reached: Rooms\.any at '/rooms/{room}' takes all paths of"
    ):
        App(controllers=[Rooms])


def test_several_paths_for_one_method() -> None:
    """Several marks on one method are several paths, asked in the order in which they are read."""

    class Rooms(Controller):
        @websocket("/first")
        @websocket("/second")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, socket.url.path)

    app = App(controllers=[Rooms])
    assert [route.path for route in Rooms.router.table.routes] == ["/first", "/second"]  # type: ignore[attr-defined]
    assert answer(app, "/second") == "/second"


def test_inject_and_no_inject() -> None:
    """`Inject[T]` takes a bound builtin from the container; `NoInject` keeps a class out of it."""

    class Settings(Module):
        @provider
        def dsn(self) -> str:
            return "memory:"

    class Rooms(Controller):
        def __init__(self, dsn: Inject[str], store: NoInject[Store | None] = None) -> None:
            self.seen = [dsn, store]

        @websocket("/")
        async def open(self, socket: WebSocket, dsn: str) -> None:
            await say(socket, [*self.seen, dsn])

    app = App(controllers=[Rooms], container=Container(Settings()))
    assert answer(app, "/?dsn=sent") == ["memory:", None, "sent"]


def test_inject_and_the_path_cannot_claim_one_name() -> None:
    """A parameter that both the path and `Inject` claim is an error at registration."""

    class Rooms(Controller):
        @websocket("/{store}")
        async def open(self, socket: WebSocket, store: Inject[Store]) -> None: ...

    with pytest.raises(DeclarationError, match=r"parameter 'store': Inject and the path '/\{store\}' both claim it"):
        App(controllers=[Rooms])


def test_session_scoped_services_are_shared_with_the_endpoint() -> None:
    """The constructor and the endpoint of one session receive the same session-scoped service; another session another one."""

    class Shop(Controller):
        def __init__(self, cart: Cart) -> None:
            self.cart = cart

        @websocket("/")
        async def open(self, socket: WebSocket, cart: Cart) -> None:
            carts.append(cart)
            await say(socket, cart is self.cart)

    carts: list[Cart] = []
    app = App(controllers=[Shop])
    assert answer(app, "/")
    assert answer(app, "/")
    assert carts[0] is not carts[1]


def test_overrides_of_the_container_in_a_test() -> None:
    """`container.override` replaces a service for the sessions that start below it, and is undone behind it."""

    class FrozenClock(Clock):
        pass

    class Rooms(Controller):
        def __init__(self, clock: Clock) -> None:
            self.clock = clock

        @websocket("/")
        async def open(self, socket: WebSocket) -> None:
            await say(socket, type(self.clock).__name__)

    app = App(controllers=[Rooms])
    assert answer(app, "/") == "Clock"
    with app.container.override(Clock, FrozenClock(Store())):
        assert answer(app, "/") == "FrozenClock"
    assert answer(app, "/") == "Clock"


def test_a_name_of_the_controller_itself_is_refused() -> None:
    """A method cannot be called as what every controller has."""
    with pytest.raises(DeclarationError, match=r"router: every controller has a router of its own"):

        class Rooms(Controller):
            @websocket("/")
            async def router(self, socket: WebSocket) -> None: ...  # type: ignore[override]


def test_an_endpoint_that_is_not_async_is_refused() -> None:
    """A plain method cannot serve a session."""

    class Rooms(Controller):
        @websocket("/")
        def open(self, socket: WebSocket) -> None: ...

    with pytest.raises(DeclarationError, match=r'it is not async.*Fix: write "async def"'):
        App(controllers=[Rooms])


def test_all_faults_at_once() -> None:
    """Registering tells every parameter that cannot be filled, of the constructor and of the endpoint, in one error."""

    class Missing(Controller):
        def __init__(self, size: dict[str, int]) -> None: ...

        @websocket("/")
        async def open(self, socket: WebSocket, body: list[dict[str, int]]) -> None: ...

    with pytest.raises(DeclarationError) as caught:
        App(controllers=[Missing])
    assert len(caught.value.faults) == 2
    assert all("Missing" in fault.where for fault in caught.value.faults)


def test_a_generic_controller_with_brackets() -> None:
    """It is no class that could keep its type arguments; where they are not in a signature they would be lost in silence."""

    class Silent(Controller, Generic[T]):
        @websocket("/silent")
        async def open(self, socket: WebSocket) -> None: ...

    alias: Any = Silent[int]
    for register in (lambda: App(controllers=[alias]), lambda: register_controllers(Starlette(), alias)):
        with pytest.raises(DeclarationError, match=r"Silent\[int\] is a way to write .* register that: class Of"):
            register()


def test_a_controller_that_is_bound_in_the_container() -> None:
    """The container makes none, so what is bound would be passed over in silence."""

    class Rooms(Controller):
        @websocket("/rooms")
        async def open(self, socket: WebSocket) -> None: ...

    with pytest.raises(DeclarationError, match=r"Rooms.*: it is bound in the container, which makes no controllers"):
        App(controllers=[Rooms], container=Container(lambda binder: binder.bind(Rooms, to=Rooms())))
    assert App(controllers=[Rooms]).url_path_for("Rooms.open") == "/rooms"


def test_around_message_is_a_method_that_can_be_awaited() -> None:
    """With the message, and with what calls the handler; what is not is refused with the class. None says that there is none."""

    def plain(self: Any, message: Any, call_next: Any) -> None: ...

    async def short(self: Any, message: Any) -> None: ...

    async def right(message: Any, call_next: Any) -> Any: ...

    for wrong, what in ((5, "it is 5"), (plain, "it is not async"), (short, "it cannot be called with a message and what comes")):
        with pytest.raises(DeclarationError, match=rf"Rooms\.around_message: {what}.*Fix: write async def around_message"):
            type(Controller)("Rooms", (Controller,), {"around_message": wrong})
    for fine in (None, staticmethod(right)):
        type(Controller)("Rooms", (Controller,), {"around_message": fine})
