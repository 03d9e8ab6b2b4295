"""`provider`, `multiprovider` and `Module`: which key a provider has, and what is done with what it gives."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, NewType, cast

import pytest

from wscontrollers.container import Container, Module, multiprovider, provider
from wscontrollers.container.nodes import Mode
from wscontrollers.container.providers import key_of, mode_of
from wscontrollers.exceptions import DeclarationError


class Pool:
    """What is provided."""


def plain() -> Pool:
    return Pool()


async def awaited() -> Pool:
    return Pool()


def iterator() -> Iterator[Pool]:
    yield Pool()


def generator() -> Generator[Pool, None, None]:
    yield Pool()


async def async_iterator() -> AsyncIterator[Pool]:
    yield Pool()


async def async_generator() -> AsyncGenerator[Pool, None]:
    yield Pool()


def manager() -> AbstractContextManager[Pool]:
    return contextmanager(iterator)()


def async_manager() -> AbstractAsyncContextManager[Pool]:
    return asynccontextmanager(async_iterator)()


async def awaited_manager() -> AbstractContextManager[Pool]:
    return manager()


async def awaited_async_manager() -> AbstractAsyncContextManager[Pool]:
    return async_manager()


@contextmanager
def helped() -> Iterator[Pool]:
    yield Pool()


@asynccontextmanager
async def async_helped() -> AsyncIterator[Pool]:
    yield Pool()


def returned(function: Callable[..., Any]) -> Any:
    return cast(Any, eval(function.__annotations__["return"], globals()))  # noqa: S307 - what is written above


@pytest.mark.parametrize(
    ("function", "mode"),
    [
        (plain, Mode.VALUE),
        (awaited, Mode.AWAIT),
        (iterator, Mode.GENERATOR),
        (generator, Mode.GENERATOR),
        (async_iterator, Mode.ASYNC_GENERATOR),
        (async_generator, Mode.ASYNC_GENERATOR),
        (manager, Mode.ENTER),
        (async_manager, Mode.ASYNC_ENTER),
        (awaited_manager, Mode.AWAIT_ENTER),
        (awaited_async_manager, Mode.AWAIT_ASYNC_ENTER),
        (helped, Mode.ENTER),
        (async_helped, Mode.ASYNC_ENTER),
    ],
)
def test_the_key_is_the_thing_and_the_mode_how_it_is_had(function: Callable[..., Any], mode: Mode) -> None:
    """Whatever form a provider has, it is bound to `Pool`."""
    assert key_of(function, returned(function)) is Pool
    assert mode_of(function, Pool) is mode


@pytest.mark.parametrize(
    ("function", "key"),
    [
        (iterator, Iterator[Pool]),
        (async_iterator, AsyncIterator[Pool]),
        (awaited, Awaitable[Pool]),
        (awaited, Coroutine[Any, Any, Pool]),
        (manager, AbstractContextManager[Pool]),
        (async_manager, AbstractAsyncContextManager[Pool]),
    ],
)
def test_what_is_bound_to_what_it_literally_returns_gives_just_that(function: Callable[..., Any], key: Any) -> None:
    """Who asks for an iterator gets one."""
    assert mode_of(function, key) is Mode.VALUE


def test_an_iterable_that_is_merely_returned_is_the_thing_itself() -> None:
    """Only what yields, or is a context manager, is unwrapped."""

    def names() -> Iterable[str]:
        return ["a"]

    assert key_of(names, Iterable[str]) == Iterable[str]


def test_a_provider_says_what_it_returns() -> None:
    """The return annotation is the key."""
    with pytest.raises(DeclarationError, match="does not say what it returns"):

        @provider
        def nothing(self):  # type: ignore[no-untyped-def]  # the fault that is tested
            return 1


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
@pytest.mark.parametrize("above", [True, False])
def test_a_provider_is_a_method_with_self(kind: Any, above: bool) -> None:
    """injector would pass over one of another kind without a word."""

    def pool(*_: Any) -> Pool:
        return Pool()

    pool.__annotations__["return"] = Pool
    with pytest.raises(DeclarationError, match=rf"a provider that is a {kind.__name__}, which is never called\. Fix: make it"):
        Container(type("Wrong", (Module,), {"pool": kind(provider(pool)) if above else provider(kind(pool))}))


def gives_list(self: Any) -> list[int]:
    return [1]


async def awaits_dict(self: Any) -> dict[str, int]:
    return {}


def yields_list(self: Any) -> Iterator[list[int]]:
    yield [1]


Numbers = NewType("Numbers", list[int])


def gives_numbers(self: Any) -> Numbers:
    return Numbers([1])


@pytest.mark.parametrize("function", [gives_list, awaits_dict, yields_list, gives_numbers])
def test_a_list_or_dict_is_for_multiprovider(function: Callable[..., Any]) -> None:
    """injector keeps those for multibindings; `multiprovider` takes the same function."""
    with pytest.raises(
        DeclarationError,
        match=rf"{function.__name__} \(.*\): a provider of .*, which is the key of a multibinding\. "
        r"Fix: mark it with @multiprovider, or return a class of your own\.",
    ):
        provider(function)
    assert multiprovider(function) is function


def test_the_function_and_its_annotations_stay_as_they_were() -> None:
    """The provider is an ordinary method in an ordinary test."""

    def pool(self: Any) -> Iterator[Pool]:
        yield Pool()

    before = dict(pool.__annotations__)
    assert provider(pool) is pool
    assert pool.__annotations__ == before


def test_forward_references_of_yielding_providers_are_unwrapped() -> None:
    """The key of a deferred `Iterator["Later"]` is `Later`."""
    container = Container(Forward())
    assert isinstance(container.get(Later), Later)


def test_a_name_that_is_never_found_is_a_fault_with_its_place() -> None:
    """When the module is installed."""

    class Lost(Module):
        @provider
        def lost(self) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821 - the fault that is tested
            """Nothing."""

    with pytest.raises(DeclarationError, match=r"Lost\.lost \(.*\): an annotation cannot be evaluated \(name 'Nowhere'"):
        Container(Lost())


class Forward(Module):
    """Names a class that is defined below."""

    @provider
    def later(self) -> Iterator[Later]:
        """A forward reference."""
        yield Later()


class Later:
    """Defined after the module that provides it."""
