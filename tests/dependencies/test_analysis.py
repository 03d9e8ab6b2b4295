"""Who fills a parameter: the six rules, first match wins, and a teaching error where none does."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Optional

import pytest
from pydantic import BaseModel, Field

from tests.dependencies.sessions import sending, sent
from wscontrollers import (
    App,
    Container,
    Cookie,
    DeclarationError,
    Depends,
    FirstMessage,
    Header,
    HTTPConnection,
    Inject,
    Module,
    NoInject,
    Path,
    Query,
    Security,
    WebSocket,
    get_dependant,
    provider,
)


class Clock:
    """A class of the user's own that needs nothing: the container can make it."""

    hour = 12


class Model(BaseModel):
    name: str = "model"


class Settings(BaseModel):
    name: str


class Production(Module):
    @provider
    def settings(self) -> Settings:
        return Settings(name="bound")

    @provider
    def secret(self) -> str:
        return "secret"


def fault(function: Callable[..., Any], path: str = "/") -> str:
    """The text of the error at registration, behind the place of the function."""
    with pytest.raises(DeclarationError) as raised:
        App().add_api_websocket_route(path, function)
    (found,) = raised.value.faults
    where = f"{__name__}.{function.__qualname__.replace('<locals>.', '')} ({__file__}:{function.__code__.co_firstlineno})"
    assert found.where.startswith(where), found.where
    return str(found).removeprefix(where)


# Rule 1: a marker


def test_a_marker_wins_over_everything() -> None:
    """`Depends` on a framework type, a path's name or a service's class is what the marker says."""

    def made() -> int:
        return 1

    def found(
        room: Annotated[int, Path()], clock: Annotated[Any, Depends(made)], token: Annotated[str, Header()] = "none"
    ) -> Any:
        return [room, clock, token]

    assert sent(sending(found, "/{room}"), "/2") == [2, 1, "none"]


def test_depends_wins_over_a_framework_type() -> None:
    """`websocket: WebSocket = Depends(f)` is what `f` returns."""

    def found(websocket: Annotated[HTTPConnection, Depends(lambda: 5)]) -> Any:
        return websocket

    assert sent(sending(found)) == 5


def test_depends_without_a_callable_constructs_the_annotation() -> None:
    """`Annotated[Page, Depends()]` calls the class, whose parameters are filled by the same rules."""

    class Page:
        def __init__(self, number: int = 1) -> None:
            self.number = number

    def found(page: Annotated[Page, Depends()]) -> Any:
        return page.number

    assert sent(sending(found), "/?number=3") == 3


def test_inject_asks_the_container_for_a_bound_builtin() -> None:
    """A bare `str` is a query parameter; `Inject[str]` is what the container binds."""

    def found(bare: str, injected: Inject[str]) -> Any:
        return [bare, injected]

    assert sent(sending(found, container=Container(Production())), "/?bare=b") == ["b", "secret"]


# Rule 3: a name in the path


def test_a_name_in_the_path_is_a_path_parameter() -> None:
    """Also of a prefix, and also in a dependency."""

    def found(room: int) -> Any:
        return room

    assert sent(sending(found, "/rooms/{room}/raw"), "/rooms/4/raw") == 4


# Rule 4: a class of the container


def test_a_class_that_the_container_can_make_is_a_service() -> None:
    """A constructible class of the user's own needs no marker."""

    def found(clock: Clock, other: Clock | None) -> Any:
        return [clock.hour, other is not None]

    assert sent(sending(found)) == [12, True]


def test_a_bound_model_is_a_service() -> None:
    """What is bound explicitly is a service whatever it is; a model is only never invented."""

    def found(settings: Settings) -> Any:
        return settings.name

    assert sent(sending(found, container=Container(Production()))) == "bound"


def test_a_default_holds_where_the_container_would_only_invent() -> None:
    """A parameter with a default is a service only if its class is bound."""

    def found(clock: Clock | None = None, settings: Settings | None = None) -> Any:
        return [clock, settings and settings.name]

    assert sent(sending(found, container=Container(Production()))) == [None, "bound"]


def test_no_inject_is_no_service() -> None:
    """`NoInject` takes a class out of the container's hands; then its default holds."""

    def found(settings: NoInject[Settings | None] = None) -> Any:
        return settings

    assert sent(sending(found, container=Container(Production()))) is None


# Rules 5 and 6


def test_what_nothing_fills_keeps_its_default() -> None:
    """A parameter of no rule is left out of the call."""

    def found(options: Mapping[str, int] | None = None, clock: Any = 3) -> Any:
        return [options, clock]

    assert sent(sending(found)) == [None, 3]


# The errors that teach


def test_a_model_without_a_marker() -> None:
    """A WebSocket has no body that a model could be read from."""

    async def endpoint(websocket: WebSocket, filters: Model) -> None: ...

    assert fault(endpoint) == (
        ", parameter 'filters': the model Model has no marker, and a WebSocket has no body to read it from. "
        "Fix: use Annotated[..., Query()], Header() or Cookie() for a group of parameters, FirstMessage() for the first "
        "frame, or bind it in the container."
    )


def test_depends_without_anything_to_call() -> None:
    """`Depends()` needs a callable, or a class in the annotation."""

    async def endpoint(websocket: WebSocket, value: Annotated[Any, Depends()]) -> None: ...

    async def unannotated(websocket: WebSocket, value=Depends()) -> None: ...

    assert (
        fault(endpoint)
        == fault(unannotated)
        == (
            ", parameter 'value': Depends() has nothing to call. "
            "Fix: name a callable, Depends(function), or annotate the parameter with the class to construct."
        )
    )


@pytest.mark.parametrize(
    ("annotation", "claimants", "fix"),
    [
        (Annotated[int, Query()], "Query() and the path '/{room}'", "use Path(), or rename it here or in the path"),
        (Annotated[int, Header()], "Header() and the path '/{room}'", "use Path(), or rename it here or in the path"),
        (Inject[str], "Inject and the path '/{room}'", "rename it, or leave Inject out"),
        (Annotated[WebSocket, Query()], "Query() and the type WebSocket", "leave the marker out"),
    ],
    ids=["query", "header", "inject", "websocket"],
)
def test_two_things_that_claim_one_name(annotation: Any, claimants: str, fix: str) -> None:
    """What two rules with a marker among them would fill differently is not guessed."""

    async def endpoint(room: annotation) -> None: ...

    assert fault(endpoint, "/{room}") == f", parameter 'room': {claimants} both claim it. Fix: {fix}."


def test_two_markers_of_one_parameter() -> None:
    """One in `Annotated` and one as default do not agree on anything."""

    async def endpoint(value: Annotated[int, Query()] = Header()) -> None: ...

    async def dependency(value: Annotated[int, Query()] = Depends(lambda: 1)) -> None: ...

    assert (
        fault(endpoint)
        == fault(dependency)
        == (", parameter 'value': it has a marker in Annotated and another one as default. Fix: keep one of them.")
    )


def test_a_default_inside_of_annotated() -> None:
    """A default has one place, behind the annotation."""

    async def endpoint(value: Annotated[int, Query(5)]) -> None: ...

    assert fault(endpoint) == (
        ", parameter 'value': Query() in Annotated has the default 5. "
        "Fix: write the default behind the annotation: value: Annotated[...] = 5."
    )


def test_a_pydantic_field_as_default() -> None:
    """`Field()` says nothing of the place."""

    async def endpoint(value: int = Field(gt=1)) -> None: ...

    assert "its default is a pydantic Field(). Fix: use Query(), Header() or Cookie()" in fault(endpoint)


def test_a_path_parameter_with_a_default() -> None:
    """A path always has a value."""

    async def endpoint(room: Annotated[int, Path()] = 1) -> None: ...

    assert "a path parameter cannot have a default" in fault(endpoint, "/{room}")


def test_a_path_parameter_that_the_path_does_not_have() -> None:
    """`Path()` of another name can never be filled; that is told when the whole path is known."""

    async def endpoint(room: Annotated[int, Path()]) -> None: ...

    assert "the path '/{place}' has no {room}, so it can never be filled" in fault(endpoint, "/{place}")


@pytest.mark.parametrize("annotation", [list[int], dict[str, int], Model, tuple[int, int]], ids=str)
def test_a_path_parameter_is_a_scalar(annotation: Any) -> None:
    """One segment of a path is one value."""

    async def endpoint(room: annotation) -> None: ...

    async def marked(room: Annotated[annotation, Path()]) -> None: ...

    assert "a path parameter cannot be" in fault(endpoint, "/{room}")
    assert "a path parameter cannot be" in fault(marked, "/{room}")


@pytest.mark.parametrize("annotation", [list[Model], dict[str, int], list[dict[str, int]], Mapping[str, str]], ids=str)
def test_a_query_carries_scalars_lists_of_them_and_models(annotation: Any) -> None:
    """Anything else in a query is refused, marked or not."""

    async def endpoint(value: Annotated[annotation, Query()]) -> None: ...

    async def unmarked(value: annotation) -> None: ...

    assert "a query cannot carry" in fault(endpoint)
    assert "nothing can fill" in fault(unmarked)


def test_a_type_that_pydantic_does_not_know() -> None:
    """A marker promises a value that pydantic can make."""

    class Opaque:
        def __init__(self, needed: "Opaque") -> None: ...

    async def endpoint(value: Annotated[Opaque, Cookie()]) -> None: ...

    assert "pydantic cannot read a value of the type" in fault(endpoint)


def test_an_annotation_that_cannot_be_found() -> None:
    """A name that the module does not have is told as such, when the application is put together."""

    async def endpoint(websocket: WebSocket, value: "Nowhere") -> None: ...  # noqa: F821

    async def inside(websocket: WebSocket, value: Annotated[list["Nowhere"], Query()]) -> None: ...  # noqa: F821

    async def optional(websocket: WebSocket, value: Optional["Nowhere"] = None) -> None: ...  # noqa: F821

    for function in (endpoint, inside, optional):
        assert "the annotation 'Nowhere' names nothing that can be found" in fault(function)


def test_strings_inside_of_an_annotation_are_looked_up_too() -> None:
    """`list["Color"]` and `Annotated["Later", Query()]` are what they say, also where the class stands below."""

    def found(
        color: list["Color"],
        later: Annotated["Later", Query()],
        shade: Optional["Color"] = None,
        clock: Inject["Clock"] = ...,  # type: ignore[assignment]  # none is needed
    ) -> Any:
        return [color, later.number, shade, clock.hour]

    assert sent(sending(found), "/?color=red&number=3") == [["red"], 3, None, 12]


class Color(StrEnum):
    RED = "red"


class Later(BaseModel):
    number: int


def test_a_model_that_names_what_is_nowhere() -> None:
    """pydantic would tell it at the first session."""

    class Lost(BaseModel):
        name: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - the fault that is tested

    async def endpoint(websocket: WebSocket, value: Annotated[Lost, Query()]) -> None: ...

    async def first(websocket: WebSocket, value: Annotated[Lost, FirstMessage()]) -> None: ...

    assert "from a query: name 'Nowhere' is not defined" in fault(endpoint)
    assert "from the first message: name 'Nowhere' is not defined" in fault(first)


def test_without_a_container_what_only_it_can_decide_is_left_open() -> None:
    """A route is declared before its application is known: a class may be bound there."""

    async def endpoint(websocket: WebSocket, clock: Clock, settings: Settings) -> None: ...

    dependant = get_dependant(path="/", call=endpoint)
    assert [argument.name for argument in dependant.arguments] == ["websocket"]


def test_a_first_message_can_be_anything_that_pydantic_reads() -> None:
    """Lists of models are fine in a frame."""

    async def endpoint(websocket: WebSocket, items: Annotated[list[Model], FirstMessage()]) -> None: ...

    App().add_api_websocket_route("/", endpoint)


def user() -> int:
    return 1


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (Annotated[int, Query(), Depends(user)], "Query() and Depends(user)"),
        (Annotated[Annotated[int, Depends(user)], Query()], "Depends(user) and Query()"),
        (Annotated[int, Security(user), Depends()], "Security(user) and Depends()"),
    ],
)
def test_a_dependency_is_not_passed_over_for_another_marker(annotation: Any, told: str) -> None:
    """Which could be the login of a type that somebody marks once more."""

    async def endpoint(value: object) -> None: ...

    endpoint.__annotations__["value"] = annotation
    assert f"it has several markers in Annotated, {told}. Fix: keep the one" in fault(endpoint)
