"""`Container.override`: nests, works after first use, is always undone, and stays in its own container."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from wscontrollers.container import Container, Injector, ProviderOf, session_scoped, singleton
from wscontrollers.exceptions import ContainerError, OverrideError


class Clock:
    """Bound to itself."""


class Stopped(Clock):
    """Its replacement."""


@singleton
class Log:
    """A singleton that depends on the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock


@singleton
class Apart:
    """A singleton that does not."""


@session_scoped
class Cart:
    """A session's thing that does."""

    def __init__(self, log: Log, apart: Apart) -> None:
        self.log = log
        self.apart = apart


def test_it_works_after_first_use_and_is_undone() -> None:
    """What depends on the key is made anew inside; outside everything is as before; what does not depend stays shared."""
    container = Container(Clock, Log, Apart)
    log, apart, clock = container.get(Log), container.get(Apart), Stopped()
    with container.override(Clock, clock):
        assert container.get(Log).clock is clock
        assert container.get(Log) is container.get(Log) is not log
        assert container.get(Apart) is apart
    assert container.get(Log) is log


def test_it_is_undone_when_the_test_fails() -> None:
    """A context manager's `finally`."""
    container = Container(Clock)
    with pytest.raises(ZeroDivisionError), container.override(Clock, Stopped()):
        raise ZeroDivisionError
    assert type(container.get(Clock)) is Clock


def test_it_nests_and_ends_in_any_order() -> None:
    """The innermost wins; one that ends out of turn leaves the others in force."""
    container = Container(Clock, Log)
    first, second = container.override(Clock, "first"), container.override(Clock, "second")
    first.__enter__()
    second.__enter__()
    assert container.get(Log).clock == "second"
    first.__exit__(None, None, None)
    assert container.get(Log).clock == "second"
    second.__exit__(None, None, None)
    assert type(container.get(Log).clock) is Clock


def test_overrides_of_two_keys_add_up() -> None:
    """What depends on both sees both."""
    container = Container(Clock, Log, Apart, Cart)
    with container.override(Clock, "clock"), container.override(Apart, "apart"):
        graph = container.graph
        cart = graph.service(Cart).factory(graph.session())
        assert (cart.log.clock, cart.apart) == ("clock", "apart")


def test_a_session_that_began_before_keeps_what_it_has() -> None:
    """It holds the graph that it began with."""
    container = Container(Clock, Log, Apart, Cart)
    graph, session = container.graph, container.graph.session()
    with container.override(Clock, Stopped()):
        assert type(graph.service(Cart).factory(session).log.clock) is Clock


def test_it_never_leaks_into_another_container() -> None:
    """Two containers on one injector have their own overrides."""
    shared = Injector(lambda binder: binder.bind(Clock))
    first, second = Container.of(shared), Container.of(shared)
    with first.override(Clock, Stopped()):
        assert type(second.get(Clock)) is Clock
        assert type(shared.get(Clock)) is Clock


def test_the_scope_of_the_binding_stays() -> None:
    """A class replaces a class in the same scope, and a function is called once for a singleton."""
    container = Container(lambda binder: binder.bind(Clock, scope=singleton))
    with container.override(Clock, Stopped):
        assert type(container.get(Clock)) is Stopped
        assert container.get(Clock) is container.get(Clock)
    with container.override(Clock, lambda: Stopped()):
        assert container.get(Clock) is container.get(Clock)


def test_a_function_has_parameters_of_its_own() -> None:
    """They are injected as those of a provider are."""

    def make(apart: Apart) -> Clock:
        clock = Stopped()
        clock.apart = apart  # type: ignore[attr-defined]
        return clock

    container = Container(Clock)
    with container.override(Clock, make):
        assert container.get(Clock).apart is container.get(Apart)  # type: ignore[attr-defined]


def test_a_provider_of_sees_the_override() -> None:
    """Lazy access goes through the graph that the thing was made by."""
    container = Container(Clock)
    with container.override(Clock, "fake"):
        assert container.get(ProviderOf[Clock]).get() == "fake"


def test_a_default_gives_way_to_an_override() -> None:
    """A parameter that keeps its default because nobody binds its type can be overridden."""

    class Limited:
        def __init__(self, clock: Clock, limit: int = 5) -> None:
            self.limit = limit

    Limited.__init__.__annotations__.update(clock=Clock, limit=int)
    from wscontrollers.container import inject

    container = Container(inject(Limited))
    assert container.get(Limited).limit == 5
    with container.override(int, 7):
        assert container.get(Limited).limit == 7


def test_a_key_that_nothing_uses_is_refused_with_the_nearest_names() -> None:
    """A typo in a test is an error, not a test that proves nothing."""

    class Clok:
        pass

    with pytest.raises(OverrideError, match=r"did you mean Clock"):
        Container(Clock).override(Clok, Stopped())


def test_a_key_that_a_planner_asked_for_is_known() -> None:
    """A class that nobody binds but an endpoint needs can be overridden."""
    container = Container()
    container.graph.service(Clock)
    with container.override(Clock, "fake"):
        assert container.get(Clock) == "fake"


def test_a_with_block_closes_what_needs_no_await() -> None:
    """At once, at its end."""
    log: list[str] = []

    def make() -> Iterator[Clock]:
        yield Stopped()
        log.append("closed")

    container = Container(lambda binder: binder.bind(Clock, scope=singleton))
    with container.override(Clock, make):
        assert type(container.get(Clock)) is Stopped
    assert log == ["closed"]


@pytest.mark.anyio
async def test_an_end_that_is_interrupted_loses_nothing() -> None:
    """Ctrl-C in a clean-up goes on behind the others, and what is awaited is still left to the container."""
    log: list[str] = []

    def interrupted() -> Iterator[Clock]:
        yield Stopped()
        raise KeyboardInterrupt

    async def resource(clock: Clock) -> AsyncIterator[Apart]:
        yield Apart()
        log.append("closed")

    container = Container(
        lambda binder: [binder.bind(Clock, scope=singleton), binder.bind(Apart, to=resource, scope=singleton)]  # type: ignore[func-returns-value]
    )
    with pytest.raises(KeyboardInterrupt), container.override(Clock, interrupted):
        await container.aget(Apart)
    assert log == []
    await container.close()
    assert log == ["closed"]


@pytest.mark.anyio
@pytest.mark.parametrize("form", ["with", "async with"])
async def test_an_awaited_replacement_opens_at_first_use(form: str) -> None:
    """`async with` closes it at once, `with` leaves it to the container."""
    log: list[str] = []

    async def make() -> AsyncIterator[Clock]:
        log.append("opened")
        yield Stopped()
        log.append("closed")

    container = Container(lambda binder: binder.bind(Clock, scope=singleton))
    if form == "with":
        with container.override(Clock, make):
            assert await container.aget(Clock) is container.get(Clock)
        assert log == ["opened"]
        await container.close()
    else:
        async with container.override(Clock, make):
            assert await container.aget(Clock) is container.get(Clock)
    assert log == ["opened", "closed"]


@pytest.mark.anyio
async def test_what_is_overridden_is_not_opened() -> None:
    """A test that replaces the pool before the start never touches the true one."""
    log: list[str] = []

    async def real() -> AsyncIterator[Clock]:
        log.append("opened")
        yield Clock()

    container = Container(lambda binder: binder.bind(Clock, to=real, scope=singleton))
    with container.override(Clock, Stopped()):
        async with container.lifespan():
            assert type(container.get(Clock)) is Stopped
    assert log == []


def test_an_override_mends_a_fault() -> None:
    """What nobody binds can be supplied by a test."""

    def needs(text: str) -> Clock:
        return Clock()

    container = Container(lambda binder: binder.bind(Clock, to=needs))
    with container.override(str, "text"):
        container.validate()
        assert isinstance(container.get(Clock), Clock)
    with pytest.raises(ContainerError):
        container.validate()
