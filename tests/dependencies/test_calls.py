"""From a dependant to the step that calls it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from tests.dependencies.sessions import handshake
from wscontrollers import Container
from wscontrollers.callables import kind_of
from wscontrollers.dependencies import Dependant, Resolution
from wscontrollers.dependencies.calls import step_of
from wscontrollers.dependencies.steps import (
    AWAIT,
    CALL,
    ENTER,
    FIRST_FREE,
    RUN,
    ContextStep,
    GeneratorStep,
    LimitedStep,
    Step,
    ThreadStep,
)
from wscontrollers.markers import ConcurrencyLimit

READ, SLOT = FIRST_FREE, FIRST_FREE + 1


def plain(name: str) -> str:
    return f"plain {name}"


async def awaited(name: str) -> str:
    return f"awaited {name}"


def generator(name: str) -> Iterator[str]:
    yield f"generator {name}"


async def async_generator(name: str) -> AsyncIterator[str]:
    yield f"async_generator {name}"


def made(call: Callable[..., Any], *, threaded: bool = False, limit: ConcurrencyLimit | None = None) -> Step:
    dependant = Dependant(call=call, path="/", kind=kind_of(call), limit=limit)
    return step_of(dependant, ["name"], SLOT, [READ], threaded=threaded)


@pytest.mark.parametrize(
    ("call", "threaded", "kind", "mode"),
    [
        (plain, False, Step, CALL),
        (plain, True, ThreadStep, RUN),
        (awaited, False, Step, AWAIT),
        (generator, False, ContextStep, RUN),
        (generator, True, ContextStep, RUN),
        (async_generator, False, GeneratorStep, ENTER),
    ],
)
def test_each_kind_of_callable_has_its_step(call: Any, threaded: bool, kind: type[Step], mode: int) -> None:
    """What can be done by the plan's own loop says so by its mode."""
    step = made(call, threaded=threaded)
    assert (type(step), step.mode, step.slot, step.reads) == (kind, mode, SLOT, (READ,))


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("call", [plain, awaited, generator, async_generator])
@pytest.mark.anyio
async def test_every_step_puts_its_value_into_its_slot(call: Any, threaded: bool, limited: bool) -> None:
    """The arguments are taken from where it reads."""
    step = made(call, threaded=threaded, limit=ConcurrencyLimit(1) if limited else None)
    resolution = Resolution(handshake(), Container().graph.session())
    values: list[Any] = [None] * (SLOT + 1)
    values[READ] = "tea"
    await step.run(values, resolution)
    assert values[SLOT] == f"{call.__name__} tea"
    await resolution.scope.close()


@pytest.mark.parametrize("call", [plain, awaited])
def test_a_limit_stands_around_a_call(call: Any) -> None:
    """A generator holds its place until it is cleaned up, so its limit is inside of it."""
    limit = ConcurrencyLimit(1)
    assert isinstance(made(call, limit=limit), LimitedStep)
    assert not isinstance(made(generator, limit=limit), LimitedStep)


@pytest.mark.anyio
async def test_a_limited_generator_holds_its_place_to_its_end() -> None:
    """The next one starts when it is cleaned up."""
    step = made(async_generator, limit=ConcurrencyLimit(1))
    values: list[Any] = [None] * (SLOT + 1)
    first, second = (Resolution(handshake(), Container().graph.session()) for _ in range(2))
    await step.run(values, first)
    entered = anyio.Event()

    async def enter_second() -> None:
        await step.run(values, second)
        entered.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(enter_second)
        await anyio.wait_all_tasks_blocked()
        assert not entered.is_set()
        await first.scope.close()
    assert entered.is_set()
    await second.scope.close()
