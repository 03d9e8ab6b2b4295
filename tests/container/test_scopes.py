"""Tiers: one instance an app, a session or a message, and what happens at their ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import injector
import pytest

from wscontrollers.container import Container, Injector, Module, Tier, message_scoped, provider, session_scoped, singleton
from wscontrollers.container.scopes import Scope
from wscontrollers.exceptions import DeclarationError, ScopeLeakError


@singleton
class Clock:
    """One for the app."""


@session_scoped
class Cart:
    """One a session."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock


@message_scoped
class Work:
    """One a message."""

    def __init__(self, cart: Cart) -> None:
        self.cart = cart


class Plain:
    """A new one each time."""

    def __init__(self, cart: Cart) -> None:
        self.cart = cart


def test_a_session_scoped_thing_is_one_a_session() -> None:
    """All messages of a session share it; two sessions do not; the app's things are shared by all."""
    graph = Container().graph
    cart = graph.service(Cart).factory
    first, second = graph.session(), graph.session()
    assert cart(first) is cart(first) is cart(first.message())
    assert cart(first) is not cart(second)
    assert cart(first).clock is cart(second).clock


def test_a_session_scoped_thing_first_used_in_a_message_belongs_to_the_session() -> None:
    """Whoever asks first, it is kept in the session's values."""
    graph = Container().graph
    session = graph.session()
    work = graph.service(Work).factory(session.message())
    assert graph.service(Cart).factory(session) is work.cart


def test_a_message_scoped_thing_is_one_a_message() -> None:
    """Two messages have two, one message has one."""
    graph = Container().graph
    session = graph.session()
    message = session.message()
    work = graph.service(Work).factory
    assert work(message) is work(message)
    assert work(message) is not work(session.message())


def test_the_tier_of_a_transient_thing_is_that_of_what_it_needs() -> None:
    """`Service.tier` says where a thing can be had."""
    graph = Container().graph
    assert [graph.service(key).tier for key in (Clock, Cart, Work, Plain)] == [
        Tier.APP,
        Tier.SESSION,
        Tier.MESSAGE,
        Tier.SESSION,
    ]


def test_a_stock_injector_explains_that_it_has_no_sessions() -> None:
    """A session-scoped class asked of a plain `Injector` is a scope leak that teaches."""
    with pytest.raises(ScopeLeakError, match="session-scoped, and injector was asked"):
        Injector().get(Cart)


def test_a_session_without_clean_ups_makes_no_stack() -> None:
    """The stack is made at first use."""
    scope = Scope()
    assert not scope.has_stack
    assert scope.end() is None
    assert scope.stack is scope.stack
    assert scope.end() == []


class Resource:
    """Something with an end."""


class Other:
    """Something else with an end."""


def module(log: list[str]) -> Module:
    """Providers that write down what happens to them."""

    class Resources(Module):
        @session_scoped
        @provider
        async def resource(self) -> AsyncIterator[Resource]:
            log.append("open resource")
            try:
                yield Resource()
            except ValueError as error:
                log.append(f"resource saw {error}")
            finally:
                log.append("close resource")

        @provider
        @message_scoped
        def other(self, resource: Resource) -> Iterator[Other]:
            log.append("open other")
            yield Other()
            log.append("close other")

    return Resources()


@pytest.mark.anyio
async def test_clean_ups_run_in_reverse() -> None:
    """A message's before its session's, each in reverse of the order of opening."""
    log: list[str] = []
    graph = Container(module(log)).graph
    session = graph.session()
    message = session.message()
    other = graph.service(Other)
    assert other.awaits
    assert other.cleans_up
    await other.factory(message)
    await message.close()
    await session.close()
    assert log == ["open resource", "open other", "close other", "close resource"]


@pytest.mark.anyio
async def test_a_generator_sees_what_ended_its_tier_and_cannot_swallow_it() -> None:
    """The exception is thrown in at the `yield`; `close` says that it is not dealt with."""
    log: list[str] = []
    graph = Container(module(log)).graph
    session = graph.session()
    await graph.service(Resource).factory(session)
    assert not await session.close(ValueError("lost"))
    assert log == ["open resource", "resource saw lost", "close resource"]


@pytest.mark.anyio
async def test_first_use_of_an_awaited_thing_is_single_flight() -> None:
    """Two tasks of one session that ask at the same time get one instance."""
    made: list[Resource] = []
    gate = anyio.Event()

    async def slow() -> Resource:
        await gate.wait()
        made.append(Resource())
        return made[-1]

    container = Container(lambda binder: binder.bind(Resource, to=slow, scope=session_scoped))
    service, session = container.graph.service(Resource), container.graph.session()
    got: list[Resource] = []

    async def ask() -> None:
        got.append(await service.factory(session))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert len(made) == 1
    assert got == [made[0], made[0]]


@pytest.mark.anyio
async def test_after_a_failed_first_use_the_next_one_tries() -> None:
    """A failure is not kept, and whoever waited meanwhile makes its own attempt."""
    attempts: list[int] = []

    async def flaky() -> Resource:
        attempts.append(1)
        await anyio.lowlevel.checkpoint()
        if len(attempts) == 1:
            raise OSError("not yet")
        return Resource()

    container = Container(lambda binder: binder.bind(Resource, to=flaky, scope=session_scoped))
    service, session = container.graph.service(Resource), container.graph.session()
    with pytest.raises(OSError, match="not yet"):
        await service.factory(session)
    assert await service.factory(session) is await service.factory(session)


@pytest.mark.parametrize(
    ("upper", "lower"), [(singleton, session_scoped), (session_scoped, singleton), (message_scoped, injector.singleton)]
)
def test_nothing_has_two_scopes(upper: Any, lower: Any) -> None:
    """The one above would win in silence, for classes and providers; a subclass has a scope of its own."""

    class Thing: ...

    def thing(self: Any) -> Thing:
        return Thing()

    upper(upper(type("Below", (lower(type("Above", (), {})),), {})))
    with pytest.raises(DeclarationError, match=r"Thing.*: it has two scopes, @\w+ and @\w+\. Fix: keep one of them"):
        upper(lower(Thing))
    for marked in (lambda: upper(provider(lower(thing))), lambda: upper(lower(provider(thing)))):
        vars(thing).clear()
        with pytest.raises(DeclarationError, match=r"thing.*: it has two scopes"):
            marked()


def test_a_scope_of_somebody_elses_has_its_own_name() -> None:
    """In the text of the error."""

    class Thread(injector.Scope): ...

    with pytest.raises(DeclarationError, match="@session_scoped and Thread"):
        session_scoped(injector.ScopeDecorator(Thread)(type("Thing", (), {})))
