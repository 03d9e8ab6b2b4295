"""`Container`: what goes in, what comes out, and the app's tier from open to close."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import anyio
import injector
import pytest
from starlette.websockets import WebSocket

from wscontrollers.container import (
    Container,
    Inject,
    Injector,
    Module,
    NoInject,
    ProviderOf,
    inject,
    inject_key,
    is_no_inject,
    multiprovider,
    provider,
    session_scoped,
    singleton,
)
from wscontrollers.exceptions import AsyncBindingError, ContainerClosedError, ContainerError, DeclarationError, ScopeLeakError
from wscontrollers.params import Depends


class Settings:
    """An instance."""


class Pool:
    """A resource of the app."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings


@singleton
class Repo:
    """A singleton that needs the resource."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Pooled(Module):
    """A pool that is opened and closed."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    @singleton
    @provider
    async def pool(self) -> AsyncIterator[Pool]:
        """Opens, and closes behind the yield."""
        self.log.append("open")
        yield Pool()
        self.log.append("close")


def test_everything_goes_in() -> None:
    """Modules, functions, classes, instances and one injector."""
    settings = Settings()
    parent = Injector(lambda binder: binder.bind(str, to="parent"))

    class Bound(Module):
        @provider
        def number(self) -> int:
            return 5

    container = Container(Bound, lambda binder: binder.bind(float, to=2.5), settings, Repo, parent)
    assert container.get(int) == 5
    assert container.get(float) == 2.5
    assert container.get(str) == "parent"
    assert container.get(Settings) is settings
    assert container.get(Container) is container
    assert container.get(Injector) is container.injector
    with pytest.raises(DeclarationError, match="2 injectors"):
        Container(parent, parent)


def test_singletons_are_shared_with_the_injector_in_both_directions() -> None:
    """`Container.of` is a view of the injector, not a copy."""
    inner = Injector()
    container = Container.of(inner)
    assert container.get(Repo) is inner.get(Repo)
    other = Injector(lambda binder: binder.bind(Settings, scope=singleton))
    assert other.get(Settings) is Container.of(other).get(Settings)


def test_what_injector_made_of_a_yielding_provider_is_not_taken_for_the_thing() -> None:
    """injector keeps the bare generator; the container makes the thing."""

    def pool() -> Iterator[Pool]:
        yield Pool()

    inner = Injector(lambda binder: binder.bind(Pool, to=pool, scope=singleton))
    assert not isinstance(inner.get(Pool), Pool)
    assert isinstance(Container.of(inner).get(Pool), Pool)
    assert isinstance(inner.get(Pool), Pool)


def test_what_cannot_be_compiled_is_asked_of_injector_and_counted() -> None:
    """A provider class of the user's own may do anything."""

    class Odd(injector.Provider[Pool]):
        def get(self, injector: Injector) -> Pool:
            return Pool(injector.get(Settings))

    container = Container(Settings(), lambda binder: binder.bind(Pool, to=Odd()))
    assert container.get(Repo).pool.settings is container.get(Settings)
    assert container.asked == 1
    threaded = Container(lambda binder: binder.bind(Pool, scope=injector.threadlocal))
    assert threaded.get(Pool) is threaded.get(Pool)
    assert threaded.asked == 2


def test_a_container_is_made_of_parts_or_of_an_injector() -> None:
    """Not of another container."""
    with pytest.raises(DeclarationError, match=r"a container is no part of another one\. Fix: give its modules"):
        Container(Container())
    with pytest.raises(DeclarationError, match=r"Container object is no Injector\. Fix: give an Injector"):
        Container.of(Container())  # type: ignore[arg-type]  # what is tested


def test_defaults_are_kept_where_injector_would_invent() -> None:
    """Builtins that nobody bound keep their defaults, `X | None = None` is injected only if X is bound."""

    @inject
    class Limits:
        def __init__(self, text: str = "text", pool: Pool | None = None, repo: Repo | None = None) -> None:
            self.all = (text, pool, repo)

    assert Container().get(Limits).all == ("text", None, None)
    pool = Pool()
    assert Container(pool).get(Limits).all == ("text", pool, None)


def test_supplies_is_rule_four() -> None:
    """Explicit bindings, except bare builtins, and constructible classes of the user's own."""
    container = Container(lambda binder: (binder.bind(str, to="s"), binder.bind(Annotated[str, "dsn"], to="d")))
    supplies = container.graph.supplies
    assert supplies(Repo)
    assert supplies(Container)
    assert supplies(Annotated[str, "dsn"])
    assert not any(supplies(key) for key in (str, int, list[str], logging.Logger, WebSocket, None, "Repo"))


def test_inject_and_no_inject_are_told() -> None:
    """`inject_key` gives the key, with the marker and None taken off."""
    assert inject_key(Inject[Repo]) is Repo
    assert inject_key(Inject[Annotated[str, "dsn"]]) == Annotated[str, "dsn"]
    assert inject_key(Inject[Repo] | None) is Repo
    assert inject_key(Repo) is None
    assert is_no_inject(NoInject[Repo])
    assert not is_no_inject(Repo)


def test_inputs_are_listed_in_order_of_need() -> None:
    """Parameters with our markers, and those of the session, from everything that is reachable."""

    def current_user() -> str:
        return "ann"

    @session_scoped
    class Who:
        def __init__(self, websocket: WebSocket, user: Annotated[str, Depends(current_user)]) -> None:
            self.user = user

    class Page:
        def __init__(self, who: ProviderOf[Who]) -> None:
            self.who = who

    Who.__init__.__annotations__.update(websocket=WebSocket, user=Annotated[str, Depends(current_user)])
    Page.__init__.__annotations__["who"] = ProviderOf[Who]
    graph = Container().graph
    service = graph.service(Page)
    assert [given.name for given in service.inputs] == ["websocket", "user"]
    assert service.inputs == graph.service(Who).inputs
    scope = graph.session()
    scope.inputs = dict.fromkeys(service.inputs, "given")
    assert service.factory(scope).who.get().user == "given"


def test_a_sessions_thing_is_not_had_outside_of_one() -> None:
    """`get` is for the app's tier."""
    with pytest.raises(ScopeLeakError, match="lives as long as a session"):
        Container().get(session_scoped(type("Basket", (), {"__module__": "user"})))


@pytest.mark.anyio
async def test_resources_of_the_app_open_and_close_with_the_lifespan_and_can_be_started_twice() -> None:
    """Consumers read them synchronously; after the end nothing stale is left, in injector neither."""
    log: list[str] = []
    container = Container(Pooled(log))
    repos: list[Repo] = []
    for _ in range(2):
        async with container.lifespan():
            repos.append(container.get(Repo))
            assert repos[-1].pool is container.injector.get(Pool)
    assert log == ["open", "close", "open", "close"]
    assert repos[0] is not repos[1]
    with pytest.raises(ContainerClosedError, match="Pool was asked for after"):
        container.get(Repo)
    with pytest.raises(ContainerClosedError, match="Pool was asked for after"):
        await container.aget(Repo)


@pytest.mark.anyio
async def test_apps_that_share_a_container_share_its_resources() -> None:
    """The one that opened them closes them: the end of another takes nothing away from it."""
    log: list[str] = []
    container = Container(Pooled(log))
    for _ in range(2):
        async with container.lifespan():
            pool = container.get(Pool)
            async with container.lifespan():
                assert container.get(Pool) is pool
            assert container.get(Pool) is pool
    assert log == ["open", "close", "open", "close"]


@pytest.mark.anyio
async def test_without_a_lifespan_resources_open_at_first_use() -> None:
    """`aget` opens them, `get` cannot."""
    log: list[str] = []
    container = Container(Pooled(log))
    with pytest.raises(AsyncBindingError, match="not open yet"):
        container.get(Pool)
    assert await container.aget(Pool) is container.get(Pool)
    await container.close()
    assert log == ["open", "close"]


@pytest.mark.anyio
async def test_a_failed_start_closes_what_was_open_and_names_the_binding() -> None:
    """In reverse, with the exception thrown in."""
    log: list[str] = []

    async def fails(pool: Pool) -> Settings:
        raise OSError("no route")

    container = Container(Pooled(log), lambda binder: binder.bind(Settings, to=fails, scope=singleton))
    with pytest.raises(OSError, match="no route") as caught:
        async with container.lifespan():
            pytest.fail("it must not start")
    assert log == ["open"]
    assert "while Settings was opened" in caught.value.__notes__[0]
    with pytest.raises(ContainerClosedError):
        container.get(Pool)


@pytest.mark.anyio
async def test_a_faulty_binding_that_nobody_uses_stops_the_start() -> None:
    """`open` validates first."""
    with pytest.raises(ContainerError, match="builtin asked for"):
        async with Container(lambda binder: binder.bind(Pool, to=_needs_text)).lifespan():
            pytest.fail("it must not start")


def _needs_text(text: str) -> Pool:
    return Pool()


@pytest.mark.anyio
async def test_an_error_in_a_clean_up_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    """With the name of the binding."""
    log: list[str] = []

    async def breaks(pool: Pool) -> AsyncIterator[Settings]:
        yield Settings()
        raise OSError("broken pipe")

    container = Container(Pooled(log), lambda binder: binder.bind(Settings, to=breaks, scope=singleton))
    async with container.lifespan():
        pass
    assert log == ["open", "close"]
    assert [record.getMessage() for record in caplog.records] == ["clean-up of Settings failed: OSError"]


@pytest.mark.anyio
async def test_clean_up_is_shielded_from_cancellation() -> None:
    """A clean-up that awaits runs to its end when the lifespan is cancelled."""
    log: list[str] = []

    async def slow() -> AsyncIterator[Pool]:
        try:
            yield Pool()
        finally:
            await anyio.lowlevel.checkpoint()
            log.append("closed")

    container = Container(lambda binder: binder.bind(Pool, to=slow, scope=singleton))
    with anyio.CancelScope() as scope:
        async with container.lifespan():
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert log == ["closed"]


@pytest.mark.anyio
async def test_a_provider_may_hold_a_task_group_over_its_yield() -> None:
    """It is left in the task that entered it, last in first out; its failure is not lost."""

    async def fails() -> None:
        raise OSError("worker died")

    async def workers() -> AsyncIterator[Pool]:
        async with anyio.create_task_group() as tasks:
            yield Pool()
            tasks.start_soon(fails)

    async def failing() -> AsyncIterator[Pool]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fails)
            yield Pool()

    with pytest.raises(BaseExceptionGroup) as caught:
        async with Container(lambda binder: binder.bind(Pool, to=failing, scope=singleton)).lifespan():
            await anyio.sleep_forever()
    assert caught.group_contains(OSError)


class Opened:
    """What a context manager gives."""


class Managed(Module):
    """Context managers bound as such."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    @singleton
    @provider
    @contextlib.contextmanager
    def opened(self) -> Iterator[Opened]:
        """A decorated generator."""
        yield Opened()
        self.log.append("closed opened")

    @provider
    @singleton
    def pool(self, opened: Opened) -> contextlib.AbstractAsyncContextManager[Pool]:
        """A method that gives a context manager."""

        @contextlib.asynccontextmanager
        async def manage() -> AsyncIterator[Pool]:
            yield Pool()
            self.log.append("closed pool")

        return manage()

    @multiprovider
    async def names(self) -> list[str]:
        """An awaited contribution to a list."""
        return ["a"]


@pytest.mark.anyio
async def test_context_managers_bound_as_such_are_entered_and_closed() -> None:
    """What they give is what is injected."""
    log: list[str] = []
    container = Container(Managed(log))
    async with container.lifespan():
        assert isinstance(container.get(Opened), Opened)
        assert isinstance(container.get(Repo).pool, Pool)
        assert await container.aget(list[str]) == ["a"]
    assert log == ["closed pool", "closed opened"]
