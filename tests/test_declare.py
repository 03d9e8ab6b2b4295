"""Marks, and how they are read along the classes of a controller."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import pytest

from wscontrollers import DeclarationError, Depends, receive, websocket
from wscontrollers.callables import unfound
from wscontrollers.declare import WebSocketMark, accumulated, marked_methods, type_arguments
from wscontrollers.exceptions import RouteError

T = TypeVar("T")
U = TypeVar("U")


def paths(cls: type) -> dict[str, list[str]]:
    return {method.name: [mark.path for mark in method.marks] for method in marked_methods(cls)}


def test_a_mark_is_an_attribute_of_the_function() -> None:
    """`@websocket` returns the same function and wraps nothing."""

    async def endpoint(self: Any) -> None: ...

    guard = Depends(endpoint)
    assert websocket("/x", name="n", dependencies=[guard])(endpoint) is endpoint
    assert vars(endpoint) == {"__websocket_marks__": (WebSocketMark("/x", "n", (guard,)),)}


def test_a_path_starts_with_a_slash() -> None:
    """A path that does not start with a slash is refused where it is written; an empty one is the prefix."""
    with pytest.raises(RouteError, match=r"@websocket\('x'\): the path does not start with a slash\. Fix: write \"/x\""):
        websocket("x")
    websocket("")
    with pytest.raises(RouteError, match=r"@websocket: the path .*endpoint is no text\. Fix: write @websocket\(\"/path\"\)"):

        @websocket  # type: ignore[arg-type]  # what is tested
        async def endpoint(self: Any) -> None: ...


@pytest.mark.parametrize("mark", [lambda given: websocket("/", dependencies=given), lambda given: receive(dependencies=given)])
def test_a_list_of_dependencies_is_one(mark: Any) -> None:
    """`(Depends(login))` without a comma is no tuple."""
    with pytest.raises(DeclarationError, match=r"Depends\(...\) is no list of dependencies\. Fix: write \[Depends\(...\)\]"):
        mark(Depends(print))


@pytest.mark.parametrize("wrong", [staticmethod(len), property(len), type("Class", (), {})])
def test_only_functions_are_marked(wrong: Any) -> None:
    """What is no function cannot be marked."""
    with pytest.raises(DeclarationError, match="an endpoint is a method with self"):
        websocket("/x")(wrong)


def test_base_classes_come_first() -> None:
    """Methods are listed in the order of their classes, base classes first, and each keeps its place when overridden."""

    class Base:
        @websocket("/1")
        async def one(self) -> None: ...

        @websocket("/2")
        async def two(self) -> None: ...

    class Sub(Base):
        @websocket("/3")
        async def three(self) -> None: ...

        @websocket("/changed")
        async def one(self) -> None: ...

    assert paths(Sub) == {"one": ["/changed"], "two": ["/2"], "three": ["/3"]}


def test_the_nearest_definition_is_called() -> None:
    """The mark of a base holds for the override nearest in the MRO."""

    class Base:
        @websocket("/1")
        async def one(self) -> None: ...

    class Mixin:
        async def one(self) -> None: ...

    class Sub(Mixin, Base):
        pass

    (method,) = marked_methods(Sub)
    assert method.function is Mixin.one


def test_an_override_that_is_no_method_is_refused() -> None:
    """An endpoint is overridden by a method or taken away by None; anything else is a mistake."""

    class Base:
        @websocket("/1")
        async def one(self) -> None: ...

    class Sub(Base):
        one = 1  # type: ignore[assignment]

    with pytest.raises(DeclarationError, match="it overrides an endpoint and is a int"):
        marked_methods(Sub)


def test_lists_accumulate() -> None:
    """What classes list under a name adds up along the reversed MRO."""

    class A:
        items = [1]

    class B(A):
        items = [2]

    class C(A):
        items = [3]

    class D(B, C):
        pass

    assert accumulated(D, "items") == [1, 3, 2]


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_an_endpoint_is_a_plain_method(kind: Any) -> None:
    """A decorator that hides the mark is told; otherwise the route would be missing without a word."""

    async def endpoint(websocket: Any) -> None: ...

    rooms = type("Rooms", (), {"enter": kind(websocket("/")(endpoint))})
    with pytest.raises(DeclarationError, match=rf"Rooms\.enter: it is an endpoint, .* is a {kind.__name__}\. Fix: take"):
        marked_methods(rooms)


def test_a_list_without_its_brackets_is_told() -> None:
    """`(Depends(login))` without a comma is no tuple: the class and the attribute are named."""

    class Rooms:
        dependencies = Depends(paths)

    with pytest.raises(DeclarationError, match=r"Rooms\.dependencies: it is no list\. Fix: write dependencies = \["):
        accumulated(Rooms, "dependencies")


def test_type_arguments_through_levels() -> None:
    """A type variable stands for what the subclasses made of it, through any number of levels."""

    class Base(Generic[T]):
        def method(self) -> None: ...

    class Listed(Base[list[U]], Generic[U]):
        def other(self) -> None: ...

    class Ints(Listed[int]): ...

    assert type_arguments(Ints, Base.method) == {T: list[int]}
    assert type_arguments(Ints, Listed.other) == {U: int}


class Items(Generic[T]):
    def items(self, item: T) -> None: ...


class OfLater(Items["Later"]): ...


class OfLaters(Items[list["Later"]]): ...


class OfNowhere(Items["Nowhere"]): ...  # type: ignore[name-defined]  # what is tested


class Later: ...


def test_type_arguments_may_be_written_as_strings() -> None:
    """They are looked up in the module of the class that says them; what is not there stays, for the error that names it."""
    found = [type_arguments(cls, Items.items)[T] for cls in (OfLater, OfLaters, OfNowhere)]
    assert found[:2] == [Later, list[Later]]
    assert unfound(found[2]) == "Nowhere"


def test_one_type_variable_at_two_levels() -> None:
    """A variable that is used again further down stands for what each class was given, not for the last."""

    class Base(Generic[T]):
        def method(self) -> None: ...

    class Middle(Base[int], Generic[T]):
        def other(self) -> None: ...

    class Last(Middle[str]): ...

    assert type_arguments(Last, Base.method) == {T: int}
    assert type_arguments(Last, Middle.other) == {T: str}
