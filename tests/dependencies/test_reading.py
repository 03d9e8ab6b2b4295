"""Signatures become dependants; every mistake below an endpoint is told at once."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

import pytest

from tests.dependencies.sessions import sending, sent
from wscontrollers import (
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Query,
    Security,
    WebSocket,
    get_dependant,
    websocket,
)
from wscontrollers.dependencies import Owner
from wscontrollers.exceptions import DependencyScopeError
from wscontrollers.security import APIKeyQuery
from wscontrollers.testing import TestClient

T = TypeVar("T")
BoundT = TypeVar("BoundT", bound=int)


def test_all_mistakes_are_told_at_once() -> None:
    """One error lists every faulty parameter of the endpoint, of its guards and of all that is below them."""

    def below(a: dict[str, int]) -> None: ...

    def guard(b: dict[str, int]) -> None: ...

    async def endpoint(websocket: WebSocket, c: dict[str, int], d: Annotated[None, Depends(below)]) -> None: ...

    with pytest.raises(DeclarationError) as raised:
        App().add_api_websocket_route("/", endpoint, dependencies=[Depends(guard)])
    assert [fault.where.rpartition(" ")[2] for fault in raised.value.faults] == ["'b'", "'c'", "'a'"]


def test_a_mistake_below_two_dependents_is_told_once() -> None:
    """However many ways lead to it."""

    def below(a: dict[str, int]) -> None: ...

    async def endpoint(c: Annotated[None, Depends(below)], d: Annotated[None, Depends(below)]) -> None: ...

    with pytest.raises(DeclarationError) as raised:
        get_dependant(path="/", call=endpoint)
    assert len(raised.value.faults) == 1


def test_a_method_that_was_taken_from_its_class() -> None:
    """Its `self` would be a query parameter that nobody sends."""

    class Users:
        def current(self) -> str:
            return "ann"

    def endpoint(user: Annotated[str, Depends(Users.current)]) -> None: ...

    with pytest.raises(DeclarationError, match=r"Users\.current .*parameter 'self': it is a method of a class, and nobody gives"):
        get_dependant(path="/", call=endpoint)

    def bound(user: Annotated[str, Depends(Users().current)]) -> None: ...

    assert len(get_dependant(path="/", call=bound).dependencies) == 1


def constructed(cls: type) -> Any:
    """What is read of the constructor of a class whose `call` is an endpoint."""
    dependant = get_dependant(path="/", call=vars(cls)["call"], owner=Owner(cls), supplier=Container().graph)
    assert dependant.constructor is not None
    return [argument.name for argument in dependant.constructor.arguments]


def test_a_class_is_made_by_its_init_or_else_by_its_new() -> None:
    """As Python makes it."""

    class Initialised:
        def __init__(self, page: int) -> None: ...

        async def call(self) -> None: ...

    class New:
        def __new__(cls, number: int) -> Any:
            return super().__new__(cls)

        async def call(self) -> None: ...

    class Bare:
        async def call(self) -> None: ...

    assert [constructed(cls) for cls in (Initialised, New, Bare)] == [["page"], ["number"], []]


def test_a_constructor_cannot_wait() -> None:
    """Python would not wait for it."""

    class Waiting:
        async def __init__(self) -> None: ...  # type: ignore[misc]  # what is tested

        async def call(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"Waiting\.__init__ .*: a constructor cannot be async or yield\. Fix: let a"):
        constructed(Waiting)


def test_a_method_begins_with_self() -> None:
    """Otherwise its first parameter would get the controller in place of what it asks for."""

    class Wrong:
        async def call(websocket: WebSocket) -> None: ...  # type: ignore[misc]  # noqa: N805 - what is tested

    class Empty:
        async def call() -> None: ...  # type: ignore[misc]  # what is tested

    class Named:
        async def call(this: "Named", websocket: WebSocket) -> None: ...  # type: ignore[name-defined]  # noqa: N805

    for cls in (Wrong, Empty):
        with pytest.raises(DeclarationError, match=rf"{cls.__name__}\.call .*: it is a method without self\. Fix: write self"):
            constructed(cls)
    assert constructed(Named) == []


class TypedBy(Generic[T]):
    async def call(self, item: T) -> None: ...


class Lost(TypedBy["Nowhere"]):  # type: ignore[name-defined]  # what is tested
    pass


def test_a_type_argument_that_names_nothing() -> None:
    """It is told with the class that says it; until the application is known it is left open."""
    method = vars(TypedBy)["call"]
    assert get_dependant(path="/", call=method, owner=Owner(Lost)).arguments == []
    told = r"parameter 'item': the type argument 'Nowhere' names nothing that can be found from the module of Lost\. Fix: import"
    with pytest.raises(DeclarationError, match=told):
        get_dependant(path="/", call=method, owner=Owner(Lost), supplier=Container().graph)


def test_a_cycle_is_told_with_its_way() -> None:
    """A dependency that needs itself can never be called."""

    def left(value: Any = None) -> None: ...

    def right(value: Annotated[None, Depends(left)]) -> None: ...

    left.__annotations__["value"] = Annotated[None, Depends(right)]
    left.__defaults__ = None

    with pytest.raises(DeclarationError, match=r"it depends on itself: .*left -> .*right -> .*left\. Fix: break the cycle"):
        get_dependant(path="/", call=left)


def test_a_request_scope_generator_cannot_need_a_function_scope_one() -> None:
    """It would clean up behind what it needs; the error says who and how."""

    def inner() -> Iterator[int]:
        yield 1

    def outer(value: Annotated[int, Depends(inner, scope="function")]) -> Iterator[int]:
        yield value

    async def endpoint(value: Annotated[int, Depends(outer)]) -> None: ...

    with pytest.raises(DependencyScopeError) as raised:
        App().add_api_websocket_route("/", endpoint)
    assert 'outer has the scope "request" and cleans up after' in str(raised.value)
    assert 'Fix: give both the same scope: Depends(..., scope="function") above, or scope="request" below.' in str(raised.value)


def test_a_function_scope_generator_can_need_both() -> None:
    """What lives shorter may need what lives longer."""

    def inner() -> Iterator[int]:
        yield 1

    def outer(a: Annotated[int, Depends(inner, scope="function")], b: Annotated[int, Depends(inner)]) -> Iterator[int]:
        yield a + b

    def found(value: Annotated[int, Depends(outer, scope="function")]) -> Any:
        return value

    assert sent(sending(found)) == 2


@pytest.mark.parametrize("marker", [Query(), lambda: None, Depends()], ids=["query", "function", "empty"])
def test_a_list_of_dependencies_holds_dependencies(marker: Any) -> None:
    """Anything else in `dependencies=` is a mistake, found at registration."""

    async def endpoint(websocket: WebSocket) -> None: ...

    with pytest.raises(
        DeclarationError, match=r"which is nothing to call\. Fix: write Depends\(function\) or Security\(function\)"
    ):
        App().add_api_websocket_route("/", endpoint, dependencies=[marker])


def test_variable_parameters_are_nobodys() -> None:
    """`*args` and `**kwargs` are left empty."""

    def found(a: int, *args: int, **kwargs: int) -> Any:
        return [a, args, kwargs]

    assert sent(sending(found), "/?a=1&args=2&kwargs=3") == [1, [], {}]


def test_what_a_partial_sets_is_set() -> None:
    """A keyword that a partial gives is its default; a positional one is gone from the signature."""

    def found(a: int, b: int, c: int) -> Any:
        return [a, b, c]

    assert sent(sending(partial(found, 1, c=3)), "/?b=2") == [1, 2, 3]


def test_guards_start_from_no_scopes() -> None:
    """Lists of dependencies do not inherit what a parameter's Security asks for."""
    key = APIKeyQuery(name="key", auto_error=False)

    async def endpoint(value: Annotated[Any, Security(key, scopes=["a"])]) -> None: ...

    dependant = get_dependant(path="/", call=endpoint, dependencies=[Depends(key)])
    guard, parameter = dependant.dependencies
    assert (guard.security_scopes, parameter.security_scopes) == ([], ["a"])


def rows_of_diamonds(rows: int) -> Callable[..., Any]:
    """Two functions a row, each of which needs both of the row below."""

    def bottom() -> int:
        return 1

    left: Callable[..., Any] = bottom
    right: Callable[..., Any] = bottom
    for _ in range(rows):

        def one(a: int = Depends(left), b: int = Depends(right)) -> int:
            return a + b

        def two(a: int = Depends(left), b: int = Depends(right)) -> int:
            return a + b

        left, right = one, two

    def top(a: int = Depends(left), b: int = Depends(right)) -> int:
        return a + b

    return top


def test_each_callable_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of diamonds have two to the power of their rows many ways; each function's signature is read once all the same."""
    from wscontrollers.dependencies import reading

    read: list[Any] = []
    signature_of = reading.signature_of
    monkeypatch.setattr(reading, "signature_of", lambda call, **options: read.append(call) or signature_of(call, **options))
    get_dependant(path="/", call=rows_of_diamonds(40))
    assert len(read) == len(set(read)) == 2 * 40 + 2


def test_a_type_variable_that_nothing_resolves_is_told() -> None:
    """Registering the generic controller itself would take whatever is sent; one with a bound says enough."""

    class Crud(Controller, Generic[T, BoundT]):
        @websocket("/{item}/{number}")
        async def watch(self, websocket: WebSocket, item: T, number: BoundT, more: list[T] | None = None) -> None: ...

    with pytest.raises(DeclarationError) as raised:
        App(controllers=[Crud])
    assert [fault.where.rpartition(" ")[2] for fault in raised.value.faults] == ["'item'", "'more'"]

    class Ints(Crud[int, bool]): ...

    App(controllers=[Ints])


def functions(count: int) -> Any:
    """The last of some functions, each of which depends on the one before."""

    def lowest() -> int:
        return 0

    last: Any = lowest
    for _ in range(count - 1):

        def above(value: int = Depends(last)) -> int:
            return value + 1

        last = above
    return last


def classes(count: int) -> Any:
    """The last of some classes, each of which needs the one before."""
    last: Any = type("Lowest", (), {})
    for _ in range(count - 1):

        def init(self: object, below: object) -> None: ...

        init.__annotations__["below"] = last
        last = type("Above", (), {"__init__": init})
    return last


def chained(function: Any, cls: Any) -> App:
    async def endpoint(websocket: WebSocket, thing: object, value: int = Depends(function)) -> None:
        await websocket.accept()
        await websocket.send_json(value)

    endpoint.__annotations__["thing"] = cls
    app = App()
    app.websocket("/")(endpoint)
    return app


def test_many_levels_are_not_too_deep() -> None:
    """Of functions and of classes, when they are read and when they are called; of classes as many as a test's stack lets."""
    with TestClient(chained(functions(100), classes(80))).websocket_connect("/") as session:
        assert session.receive_json() == 99


@pytest.mark.parametrize("count", [101, 400, 5000])
def test_more_levels_are_a_fault_like_any_other(count: int) -> None:
    """Which says where they begin; never a RecursionError."""
    with pytest.raises(DeclarationError, match=r"endpoint .*: dependencies stand too deep below each other: over 100 levels"):
        chained(functions(count), classes(1))
    with pytest.raises(DeclarationError, match=r"endpoint -> Above.*: things are needed too deep below each other: over 100 le"):
        chained(functions(1), classes(count))


def test_where_the_stack_is_deep_already_fewer_are_too_deep() -> None:
    """Whoever registers may stand deep himself, and so may a dependency that needs a service."""

    def below(frames: int) -> App:
        return below(frames - 1) if frames else chained(functions(99), classes(99))

    with pytest.raises(DeclarationError, match="too deep below each other"):
        below(600)

    def serving(thing: object, value: int = Depends(functions(90))) -> int:
        return value

    serving.__annotations__["thing"] = classes(99)
    last: Any = serving
    for _ in range(95):

        def above(value: int = Depends(last)) -> int:
            return value

        last = above
    with pytest.raises(DeclarationError, match="too deep below each other"):
        chained(last, classes(1))
