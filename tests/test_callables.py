"""What a callable is, and what its signature says."""

# ruff: noqa: UP007, UP045  # both spellings of a union are meant

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Optional, TypeVar, Union

import pytest
from typing_extensions import TypeAliasType

from wscontrollers.callables import (
    Kind,
    kind_of,
    name_of,
    place_of,
    resolved,
    signature_of,
    substituted,
    unaliased,
    unfound,
    unwrapped,
    without_partial,
)

if TYPE_CHECKING:
    from nowhere import Missing

T = TypeVar("T")


def plain(value: int = 1) -> int:
    return value


async def coroutine(value: int = 1) -> int:
    return value


def generator(value: int = 1) -> Iterator[int]:
    yield value


async def async_generator(value: int = 1) -> AsyncIterator[int]:
    yield value


FUNCTIONS = {plain: Kind.CALL, coroutine: Kind.AWAIT, generator: Kind.GENERATOR, async_generator: Kind.ASYNC_GENERATOR}


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def instance(function: Callable[..., Any]) -> Any:
    return type("Callable", (), {"__call__": staticmethod(function)})()


class Constructed:
    def __init__(self, value: int = 1) -> None: ...

    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    "wrap",
    [lambda function: function, decorated, partial, instance, lambda f: decorated(partial(f)), lambda f: partial(decorated(f))],
)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_the_kind_is_seen_through_wrappers(function: Callable[..., Any], wrap: Callable[..., Any]) -> None:
    """Decorators with `functools.wraps`, partials, callable objects, and these around each other."""
    assert kind_of(wrap(function)) is FUNCTIONS[function]


def test_a_class_is_called_whatever_its_instances_are() -> None:
    """Constructing one with an async `__call__` is a plain call; calling the instance is not."""
    assert kind_of(Constructed) is Kind.CALL
    assert kind_of(Constructed()) is Kind.AWAIT
    assert kind_of(Constructed().__call__) is Kind.AWAIT


def test_an_async_wrapper_makes_the_wrapped_async() -> None:
    """The outermost that awaits decides; of a generator function it makes an async generator."""

    @wraps(plain)
    async def awaiting() -> None: ...

    @wraps(generator)
    async def generating() -> AsyncIterator[int]:
        yield 1

    assert kind_of(awaiting) is Kind.AWAIT
    assert kind_of(generating) is Kind.ASYNC_GENERATOR


def test_a_function_that_is_marked_as_a_coroutine_function_is_one() -> None:
    """By `inspect.markcoroutinefunction` (Python 3.12) or asyncio's own mark before it."""

    def marked() -> Any:
        return coroutine()

    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(marked)
    else:
        marked._is_coroutine = asyncio.coroutines._is_coroutine
    assert kind_of(marked) is Kind.AWAIT


def test_only_generators_clean_up() -> None:
    """Of either colour."""
    assert [kind for kind in Kind if kind.is_generator] == [Kind.GENERATOR, Kind.ASYNC_GENERATOR]


def test_wrappers_come_off() -> None:
    """Partials at any depth, then decorators."""
    assert without_partial(partial(partial(plain))) is plain
    assert unwrapped(partial(decorated(plain))) is plain


# Signatures


@pytest.mark.parametrize("wrap", [lambda function: function, decorated, partial], ids=["bare", "decorated", "partial"])
def test_string_annotations_are_evaluated_where_the_function_stands(wrap: Callable[..., Any]) -> None:
    """Through wrappers too: the names of the wrapped function's module count."""

    def function(a: "int", b: "Annotated[Constructed, 'note']", c: "list[int]") -> "None": ...

    annotations = [parameter.annotation for parameter in signature_of(wrap(function)).parameters.values()]
    assert annotations == [int, Annotated[Constructed, "note"], list[int]]


def test_an_unknown_name_does_not_keep_the_others_from_being_evaluated() -> None:
    """Return annotations of type checkers are of no matter; an unknown parameter stays a string."""

    def function(a: "int", b: "Missing") -> "Missing": ...

    class Made:
        def __init__(self, a: "int") -> None: ...

        def __call__(self, a: "int") -> "Missing": ...

    assert [parameter.annotation for parameter in signature_of(function).parameters.values()] == [int, "Missing"]
    assert signature_of(Made(1)).parameters["a"].annotation is int
    assert signature_of(decorated(Made(1).__call__)).parameters["a"].annotation is int
    assert signature_of(Made).parameters["a"].annotation is int


def test_what_is_set_by_a_partial_is_gone_or_a_default() -> None:
    """Positional arguments leave the signature, keywords become defaults."""

    def function(a: int, b: int, c: int) -> None: ...

    parameters = signature_of(partial(function, 1, c=3)).parameters
    assert list(parameters) == ["b", "c"]
    assert parameters["c"].default == 3


def test_a_method_of_an_instance_has_no_self() -> None:
    """And a class has the parameters of its constructor."""
    assert list(signature_of(Constructed().__call__).parameters) == []
    assert list(signature_of(Constructed).parameters) == ["value"]


class Repo(Generic[T]):
    pass


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (T, int),
        (list[T], list[int]),
        (dict[str, list[T]], dict[str, list[int]]),
        (T | None, int | None),
        (Optional[T], Optional[int]),
        (Union[T, str], Union[int, str]),
        (Annotated[T, "note"], Annotated[int, "note"]),
        (Annotated[list[T], "note"], Annotated[list[int], "note"]),
        (Repo[T], Repo[int]),
        (list[Repo[T]], list[Repo[int]]),
        (tuple[T, ...], tuple[int, ...]),
        (str, str),
        (list, list),
    ],
    ids=str,
)
def test_type_variables_are_replaced_at_any_depth(annotation: Any, expected: Any) -> None:
    """In `class Crud(Controller, Generic[T])`, `Repo[T]` becomes `Repo[User]` for `Crud[User]`."""
    assert substituted(annotation, {T: int}) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", int),
        (Optional["int"], Optional[int]),
        (list["int"], list[int]),
        (dict[str, list["Repo[int]"]], dict[str, list[Repo[int]]]),
        (Annotated["int", "str"], Annotated[int, "str"]),
        (Literal["int"], Literal["int"]),
        (Callable[["int"], int], Callable[["int"], int]),
        (list["Missing"], list["Missing"]),
        ("itself", "itself"),
    ],
    ids=str,
)
def test_what_is_written_as_a_string_is_looked_up_at_any_depth(annotation: Any, expected: Any) -> None:
    """Neither the values of a `Literal` nor metadata; a name that cannot be found stays."""
    assert resolved(annotation, {"Repo": Repo, "itself": "itself"}) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, None),
        ("Missing", "Missing"),
        (list["Missing"], "Missing"),
        (Optional["Missing"], "Missing"),
        (Annotated[dict[str, "Missing"], "note"], "Missing"),
        (Annotated[int, "note"], None),
        (Literal["Missing"], None),
    ],
    ids=str,
)
def test_what_could_not_be_found_is_named(annotation: Any, expected: str | None) -> None:
    """For the error that says so."""
    assert unfound(annotation) == expected


def test_a_signature_looks_up_strings_inside_of_annotations() -> None:
    """Where the function stands; what it returns, too."""

    def function(color: Annotated["Constructed", "note"], *, repo: Repo["Constructed"]) -> "list[Missing] | Iterator[T]": ...

    def stream() -> Iterator["Constructed"]: ...

    signature = signature_of(function)
    assert [parameter.annotation for parameter in signature.parameters.values()] == [
        Annotated[Constructed, "note"],
        Repo[Constructed],
    ]
    assert signature.return_annotation == "list[Missing] | Iterator[T]"
    assert signature_of(stream).return_annotation == Iterator[Constructed]


def test_unknown_type_variables_stay() -> None:
    """A generic that nobody parametrised keeps its variables."""
    assert substituted(list[T], {}) == list[T]


def test_a_signature_takes_type_arguments() -> None:
    """Parameters and the return type are replaced, defaults stay."""

    def function(repo: Repo[T], limit: int = 3) -> list[T]: ...

    signature = signature_of(function, type_arguments={T: str})
    assert signature.parameters["repo"].annotation == Repo[str]
    assert signature.parameters["limit"].default == 3
    assert signature.return_annotation == list[str]


def test_aliases_of_types_are_looked_through() -> None:
    """PEP 695, an alias of an alias too."""
    inner = TypeAliasType("inner", list[int])
    assert unaliased(TypeAliasType("outer", inner)) == list[int]
    assert unaliased(int) is int


# Names


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (int, "int"),
        (plain, "plain"),
        (partial(plain), "partial(plain)"),
        (Constructed(), "Constructed object"),
        (Constructed.__call__, "Constructed.__call__"),
        (list[int], "list[int]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (int | None, "int | None"),
        (Optional[int], "int | None"),
        (Annotated[int, "note"], "int"),
        (dict[str, list[Constructed]], "dict[str, list[Constructed]]"),
        ("text", "'text'"),
        (5, "5"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_names_are_those_that_a_reader_would_write(thing: Any, name: str) -> None:
    """Without modules, without `<locals>`."""
    assert name_of(thing) == name


def test_a_local_function_is_named_without_locals() -> None:
    """`outer.inner` is what one looks for."""

    def inner() -> None: ...

    assert name_of(inner) == "test_a_local_function_is_named_without_locals.inner"


@pytest.mark.parametrize("call", [plain, decorated(plain), partial(plain)], ids=["bare", "decorated", "partial"])
def test_a_place_is_module_name_file_and_line(call: Any) -> None:
    """Of the function below the wrappers."""
    assert place_of(call).endswith(f" ({__file__}:{plain.__code__.co_firstlineno})")
    assert place_of(call).startswith(f"{__name__}.")


def test_a_class_stands_where_its_constructor_does() -> None:
    """As far as that is known: a class without one has its name only."""
    assert place_of(Constructed).startswith(f"{__name__}.Constructed ({__file__}:")
    assert place_of(Repo) == f"{__name__}.Repo"


@pytest.mark.parametrize("annotation", ["inspect.Nope", "list[", "int | 3", "1 / 0"])
def test_an_annotation_that_fails_in_any_way_stays_as_it_was_written(annotation: str) -> None:
    """Who reads the signature can then say where it stands, in place of a bare SyntaxError."""

    def function(value: int) -> None: ...

    function.__annotations__ = {"value": annotation, "return": None}
    assert signature_of(function).parameters["value"].annotation == annotation
