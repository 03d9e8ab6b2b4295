"""Opening what lives as long as the app, and dropping it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from wscontrollers.container import Container, Module, provider, singleton
from wscontrollers.container.lifecycle import drop, is_resource, open_node, to_open
from wscontrollers.container.scopes import MISSING
from wscontrollers.exceptions import ContainerClosedError


@singleton
class Clock:
    """Made at first use, and kept."""


class Pool:
    """Awaited."""


class File:
    """Entered."""


@singleton
class Keeper:
    """Holds a resource."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Cache:
    """A resource that needs another."""


class Production(Module):
    @singleton
    @provider
    async def cache(self, pool: Pool) -> Cache:
        return Cache()

    @singleton
    @provider
    async def pool(self) -> Pool:
        return Pool()

    @singleton
    @provider
    def file(self) -> Iterator[File]:
        yield File()


class Failing(Module):
    @singleton
    @provider
    async def pool(self) -> Pool:
        raise OSError("no route")


def nodes(container: Container, *keys: Any) -> list[Any]:
    return [container.graph.node(container.injector, key) for key in keys]


def test_what_is_awaited_or_entered_is_a_resource() -> None:
    """What is merely kept is none, though it holds one."""
    found = [is_resource(node) for node in nodes(Container(Production()), Pool, File, Clock, Keeper)]
    assert found == [True, True, False, False]


@pytest.mark.parametrize(("eager", "names"), [(True, ["Pool", "Cache", "File"]), (False, ["Pool", "Cache"])])
def test_what_others_need_is_opened_first(eager: bool, names: list[str]) -> None:
    """What is entered without an await can wait for its first use where no lifespan runs."""
    roots = nodes(Container(Production()), Cache, File, Keeper)
    assert [node.name for node in to_open(roots, eager=eager)] == names


@pytest.mark.anyio
async def test_a_node_is_opened_once_and_shared_with_injector() -> None:
    """Two containers on one injector have one pool."""
    one = Container(Production())
    other = Container.of(one.injector)
    (mine,), (theirs,) = nodes(one, Pool), nodes(other, Pool)
    for node in (mine, mine, theirs):
        await open_node(node)
    pool = one.graph.app.values[mine.slot]
    assert other.graph.app.values[theirs.slot] is pool
    assert one.injector.get(Pool) is pool


@pytest.mark.anyio
async def test_a_failure_names_what_was_opened() -> None:
    """The exception itself is the provider's."""
    (node,) = nodes(Container(Failing()), Pool)
    with pytest.raises(OSError, match="no route") as caught:
        await open_node(node)
    assert caught.value.__notes__ == ["wscontrollers: while Pool was opened for the app"]


@pytest.mark.anyio
async def test_nothing_opens_behind_the_end() -> None:
    """Nobody would close it."""
    (node,) = nodes(Container(Production()), Pool)
    node.graph.app.ended = True
    with pytest.raises(ContainerClosedError, match="Pool was asked for after the container had been closed"):
        await open_node(node)


@pytest.mark.anyio
async def test_what_holds_a_resource_is_dropped_with_it() -> None:
    """Here and in injector's store; what has nothing to do with it is kept."""
    container = Container(Production(), Keeper, Clock)
    await container.open()
    keeper, clock = container.get(Keeper), container.get(Clock)
    roots = nodes(container, Keeper, Clock)
    drop(roots)
    values = [container.graph.app.values.get(node.slot, MISSING) for node in roots]
    assert values == [MISSING, clock]
    await container.open()
    assert container.get(Keeper) is not keeper
    assert container.get(Clock) is clock
    await container.close()
