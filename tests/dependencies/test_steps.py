"""How the value of each kind of callable is had, and where it runs."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
import anyio.from_thread
import pytest

from tests.dependencies.sessions import handshake, sending, sent
from wscontrollers import App, Container, Depends, WebSocketDisconnect, get_dependant
from wscontrollers.dependencies import Resolution, make_plan
from wscontrollers.dependencies.steps import semaphore_of
from wscontrollers.markers import ConcurrencyLimit
from wscontrollers.testing import TestClient

variable: ContextVar[str] = ContextVar("variable", default="unset")


def inside_a_thread() -> bool:
    """Whether the caller is outside of an event loop, in a worker thread."""
    try:
        anyio.from_thread.check_cancelled()
    except (RuntimeError, anyio.NoEventLoopError):
        return False
    return True


def plain() -> bool:
    return inside_a_thread()


def generator() -> Iterator[bool]:
    yield inside_a_thread()


class Instance:
    def __call__(self) -> bool:
        return inside_a_thread()


class Constructed:
    def __init__(self) -> None:
        self.inside = inside_a_thread()


async def coroutine() -> bool:
    return inside_a_thread()


async def async_generator() -> AsyncIterator[bool]:
    yield inside_a_thread()


@pytest.mark.parametrize("call", [plain, generator, Instance(), Instance().__call__])
def test_plain_callables_run_in_a_thread(call: Callable[[], bool]) -> None:
    """They may block, and must not hold up the other sessions."""
    assert sent(sending(call)) is True
    assert sent(sending(call, sync_dependencies="inline")) is False


def test_classes_are_constructed_in_a_thread() -> None:
    """A constructor is a plain function."""

    def found(made: Annotated[Constructed, Depends()]) -> bool:
        return made.inside

    assert sent(sending(found)) is True


@pytest.mark.parametrize("call", [coroutine, async_generator])
def test_async_callables_run_in_the_session(call: Callable[[], Any]) -> None:
    """In its own task, whatever the app says of plain functions."""
    assert sent(sending(call)) is False


@pytest.mark.parametrize(
    ("app_says", "thread", "expected"), [("thread", False, False), ("inline", True, True), ("inline", None, False)]
)
@pytest.mark.parametrize("call", [plain, generator])
def test_a_declaration_says_where_its_function_runs(call: Any, app_says: Any, thread: bool | None, expected: bool) -> None:
    """`Depends(f, thread=...)` goes before the app's `sync_dependencies`."""

    def found(value: Annotated[bool, Depends(call, thread=thread)]) -> bool:
        return value

    assert sent(sending(found, sync_dependencies=app_says)) is expected


def test_context_variables_of_the_session_are_seen_in_threads() -> None:
    """A thread works on a copy: what it sets is lost, what an async dependency sets is there for all behind it."""

    async def sets() -> None:
        variable.set("async")

    def looks() -> Iterator[str]:
        before = variable.get()
        variable.set("thread")
        yield before

    async def found(a: Annotated[None, Depends(sets)], b: Annotated[str, Depends(looks)]) -> Any:
        return [b, variable.get()]

    assert sent(sending(found)) == ["async", "async"]


def test_an_async_generator_can_reset_what_it_set() -> None:
    """It is entered and left in one task and one context."""
    events: list[str] = []

    async def sets() -> AsyncIterator[None]:
        token = variable.set("inside")
        yield
        variable.reset(token)
        events.append(variable.get())

    async def found(a: Annotated[None, Depends(sets)]) -> str:
        return variable.get()

    assert sent(sending(found)) == "inside"
    assert events == ["unset"]


@pytest.mark.parametrize("sync", ["thread", "inline"])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_generator_sees_what_failed_and_may_replace_or_swallow_it(sync: Any, kind: str) -> None:
    """The exception of the endpoint is raised at the yield; what the generator does then counts."""
    events: list[str] = []

    def note(error: Exception, name: str) -> None:
        events.append(f"{name}: {type(error).__name__}")

    def swallows() -> Iterator[None]:
        try:
            yield
        except LookupError as error:
            note(error, "swallows")

    def replaces() -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            note(error, "replaces")
            raise LookupError from error

    async def async_swallows() -> AsyncIterator[None]:
        try:
            yield
        except LookupError as error:
            note(error, "swallows")

    async def async_replaces() -> AsyncIterator[None]:
        try:
            yield
        except ValueError as error:
            note(error, "replaces")
            raise LookupError from error

    outer, inner = (swallows, replaces) if kind == "plain" else (async_swallows, async_replaces)

    def fails() -> None:
        raise ValueError

    app = sending(fails, dependencies=[Depends(outer), Depends(inner)], sync_dependencies=sync)
    with pytest.raises(WebSocketDisconnect), TestClient(app).websocket_connect("/"):
        pass
    assert events == ["replaces: ValueError", "swallows: LookupError"]


@pytest.mark.parametrize("sync", ["thread", "inline"])
def test_a_generator_that_yields_nothing_is_told(sync: Any) -> None:
    """It has no value to give."""

    def nothing() -> Iterator[None]:
        return
        yield

    with pytest.raises(RuntimeError, match="generator didn't yield"):
        sent(sending(nothing, sync_dependencies=sync))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["plain", "async", "generator", "async generator"])
async def test_a_limit_holds_for_all_uses_of_a_declaration(kind: str) -> None:
    """`max_concurrency` counts running calls, and for generators what is held until they are left."""
    release, started = anyio.Event(), anyio.Event()
    running = 0

    def count(change: int) -> None:
        nonlocal running
        running += change
        if running == 2:
            started.set()

    def plain() -> None:
        anyio.from_thread.run_sync(count, 1)
        anyio.from_thread.run(release.wait)
        anyio.from_thread.run_sync(count, -1)

    async def coroutine() -> None:
        count(1)
        await release.wait()
        count(-1)

    def generator() -> Iterator[None]:
        anyio.from_thread.run_sync(count, 1)
        yield
        anyio.from_thread.run_sync(count, -1)

    async def async_generator() -> AsyncIterator[None]:
        count(1)
        yield
        count(-1)

    call = {"plain": plain, "async": coroutine, "generator": generator, "async generator": async_generator}[kind]

    async def endpoint(value: Annotated[None, Depends(call, max_concurrency=2)]) -> None:
        await release.wait()

    plan = make_plan(get_dependant(path="/", call=endpoint))

    async def session() -> None:
        async with Resolution(handshake(), Container().graph.session()) as resolution:
            values, _ = await plan.solve(resolution)
            await plan.endpoint(values)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(session)
            await started.wait()
            await anyio.wait_all_tasks_blocked()
            assert running == 2
            release.set()
    assert running == 0


@pytest.mark.anyio
async def test_a_limit_has_one_semaphore_in_an_event_loop() -> None:
    """Declarations are told apart by identity, not by their numbers."""
    one, other = ConcurrencyLimit(2), ConcurrencyLimit(2)
    assert semaphore_of(one) is semaphore_of(one)
    assert semaphore_of(one) is not semaphore_of(other)
    assert semaphore_of(one).value == 2


def test_an_app_serves_in_several_event_loops() -> None:
    """Nothing of a limit is bound to the loop that saw it first."""

    async def found(value: Annotated[int, Depends(lambda: 1, max_concurrency=1)]) -> int:
        return value

    app: App = sending(found)
    assert [sent(app), sent(app)] == [1, 1]
