"""`Container`: injector with scopes, clean-up, overrides and checks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeVar, cast, overload

import anyio
from injector import Injector

from wscontrollers.callables import name_of
from wscontrollers.container import lifecycle
from wscontrollers.container.faults import AsyncFault, LeakFault, draw, error_of, found_in
from wscontrollers.container.graph import Graph
from wscontrollers.container.keys import Key
from wscontrollers.container.overrides import Layers, Override, refuse_unknown
from wscontrollers.container.parts import module_of
from wscontrollers.container.scopes import Tier
from wscontrollers.container.service import Service
from wscontrollers.exceptions import AsyncBindingError, DeclarationError, ScopeLeakError

T = TypeVar("T")


class Overriding(AbstractContextManager[None], AbstractAsyncContextManager[None], Protocol):
    """What `Container.override` returns: usable with `with` and with `async with`."""


class Container:
    """Services by class, from injector's modules: scopes, async and yield providers, overrides, validation.

    Args:
        parts: In any number: `Module` classes and instances, functions that take a `Binder`, one existing `Injector` (the
            parent), classes and instances (each bound to its class).

    Raises:
        DeclarationError: a part says nothing about what is meant, as a list does, or is a container.

    Attributes:
        injector: injector's own, the source of truth for bindings.
        graph: The compiled bindings as they are now: read it once per session, a session keeps the one it began with.
        asked: How often injector had to be asked because a binding could not be compiled.
    """

    def __init__(self, *parts: Any) -> None:
        if any(isinstance(part, Container) for part in parts):
            raise DeclarationError.at(
                "Container()",
                "a container is no part of another one",
                fix="give its modules, or its injector as the parent: Container(other.injector)",
            )
        parents = [part for part in parts if isinstance(part, Injector)]
        if len(parents) > 1:
            raise DeclarationError.at(
                "Container()",
                f"{len(parents)} injectors were given, and a container has one parent",
                fix="make one a child of the other (`create_child_injector`), or give their modules",
            )
        modules = [module_of(part) for part in parts if not isinstance(part, Injector)]
        self._begin(Injector(modules, parent=parents[0] if parents else None))

    @classmethod
    def of(cls, injector: Injector) -> Container:
        """A container on an injector itself: each has the singletons of the other.

        Raises:
            DeclarationError: it is no injector.
        """
        if not isinstance(cast(object, injector), Injector):
            raise DeclarationError.at("Container.of()", f"{name_of(injector)} is no Injector", fix="give an Injector")
        container = cls.__new__(cls)
        container._begin(injector)
        return container

    def _begin(self, inner: Injector) -> None:
        self.injector = inner
        self.asked = 0
        self._runs = False
        self._suppliers: dict[str, Callable[[], Any]] = {}
        self.graph = Graph(self)
        self.layers = Layers(self, self.graph)

    @overload
    def get(self, key: type[T]) -> T: ...
    @overload
    def get(self, key: Any) -> Any: ...
    def get(self, key: Key) -> Any:
        """The app's instance of a key, or a new one.

        Raises:
            ContainerError: the binding is faulty.
            ScopeLeakError: it lives in a session.
            AsyncBindingError: it must be awaited: use `aget`.
            ContainerClosedError: it was closed.
        """
        graph = self.graph
        service = _usable(graph.service(key))
        if service.awaits:
            raise AsyncBindingError(
                AsyncFault(name_of(key), "it must be awaited, and it was asked for with get", "use `await container.aget(...)`")
            )
        return service.factory(graph.app)

    @overload
    async def aget(self, key: type[T]) -> T: ...
    @overload
    async def aget(self, key: Any) -> Any: ...
    async def aget(self, key: Key) -> Any:
        """As `get`, for things that must be awaited too; opens the app's resources if they are not open yet.

        Raises:
            ContainerError: the binding is faulty.
            ScopeLeakError: it lives in a session.
            ContainerClosedError: it was closed.
        """
        graph = self.graph
        service = _usable(graph.service(key))
        await graph.ensure_open()
        value = service.factory(graph.app)
        return await value if service.awaits else value

    def supply(self, name: str, make: Callable[[], Any]) -> Callable[[], Any]:
        """Have something ready for whoever asks for a class that is marked `__supplied__ = name`, and is not bound otherwise.

        Args:
            name: The mark.
            make: Called once, when the class is first asked for.

        Returns:
            What makes it: the first one counts.
        """
        return self._suppliers.setdefault(name, make)

    def binds_supplied(self, key: Key) -> bool:
        """Bind a class that is supplied; whether it is one."""
        make = self._suppliers.get(getattr(key, "__supplied__", "")) if isinstance(key, type) else None
        if make is None:
            return False
        self.injector.binder.bind(key, to=make())
        return True

    def override(self, key: Key, replacement: Any) -> Overriding:
        """Put something else in the place of a key, for as long as the context runs.

        It works after first use, nests, is undone whatever happens, and concerns this container alone. Sessions that began
        before keep what they have. The scope of the binding stays.

        Args:
            key: What is bound or needed somewhere.
            replacement: A class (constructed), a function (called; sync, async or yielding, with parameters of its own), an
                injector `Provider`, or else the instance itself.

        Raises:
            OverrideError: nothing uses the key.
        """
        refuse_unknown(key, self.graph)
        return Override(self, key, replacement)

    def validate(self) -> None:
        """Check every binding, also those that nobody uses, and everything that was asked for.

        Raises:
            ContainerError: all faults at once, each with the path that leads to it; `ScopeLeakError` or
                `AsyncBindingError` if they are all of that kind.
        """
        faults = [draw(found) for found in found_in(*self.graph.roots())]
        if faults:
            raise error_of(faults)

    async def open(self) -> None:
        """Validate, then open what lives as long as the app: everything that is awaited or entered.

        Raises:
            ContainerError: faults of bindings.
            Exception: what a provider raises, with a note that names it; what was open already is closed again.
        """
        try:
            await self._open()
        except BaseException as error:
            await self.close(error)
            raise

    async def _open(self) -> None:
        self.validate()
        await self.graph.open()

    async def close(self, exception: BaseException | None = None) -> bool:
        """Close what was opened, in reverse, and drop it with everything that holds it. Then it may be opened again.

        Args:
            exception: What ended the app; providers see it at their `yield`.

        Returns:
            True if the exception was a cancellation that a provider's own cancel scope took.
        """
        layers = self.layers
        taken = False
        try:
            for app in (*reversed(layers.left_over), *(graph.app for graph in layers.live())):
                taken = await app.close(exception) or taken
        finally:
            layers.left_over.clear()
            for graph in layers.live():
                lifecycle.drop(node for _, node in graph.roots())
                graph.app.ended = True
                graph.unsettle()
        return taken

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Open, and close at the end, shielded from cancellation.

        Where several apps share a container, the first that starts opens it, and it closes it when it ends itself.

        Raises:
            ContainerError: faults of bindings.
        """
        if self._runs:
            self.validate()
            yield
            return
        self._runs = True
        try:
            async with self._opened():
                yield
        finally:
            self._runs = False

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncGenerator[None]:
        # One scope around all, shielding only at the end: a scope of its own for each clean-up would stand between a
        # provider and the task group that it holds over its yield.
        with anyio.CancelScope() as frame:
            try:
                await self._open()
                yield
            except BaseException as error:
                frame.shield = True
                if not await self.close(error):
                    raise
            else:
                frame.shield = True
                await self.close()


def _usable(service: Service) -> Service:
    if service.faults:
        raise error_of(service.faults)
    if service.tier is not Tier.APP:
        raise ScopeLeakError(
            LeakFault(
                name_of(service.key),
                f"it lives as long as a {service.tier} and was asked for outside of one",
                f"let it be injected into a controller, a handler or something {service.tier}-scoped",
            )
        )
    return service
