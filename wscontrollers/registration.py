"""What an application serves sessions with, and controllers on one that is no `App`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

from starlette.applications import Starlette

from .callables import AnyCallable
from .container import Container
from .controller import Controller
from .exceptions import DeclarationError
from .markers import Dependency
from .routing import APIRouter, Host
from .routing.hosting import let_serve
from .security.origins import OriginPolicy
from .session.limits import Limits

if TYPE_CHECKING:
    from .groups import Engine, Group, Groups
    from .messages import Codec


def require(where: str, name: str, value: object, is_right: bool, fix: str) -> None:
    """Refuse an option that is none.

    Raises:
        DeclarationError: It is not right.
    """
    if not is_right:
        raise DeclarationError.at(f"{where}({name}=...)", f"it is {value!r}", fix=f"use {fix}" if fix.startswith('"') else fix)


def host_of_options(
    where: str,
    provider: object,
    *,
    container: Container | None,
    origins: Sequence[str],
    sync_dependencies: Literal["thread", "inline"],
    limits: Limits | None,
    codecs: Sequence[Codec],
    engine: Engine | str | None,
    groups: Groups | Sequence[Group | AnyCallable],
    direct: bool,
) -> Host:
    """What an application serves with, by the options of `App`; they are looked at first.

    Args:
        where: Who was given them, for the error.
        provider: The application, whose `dependency_overrides` are obeyed.
        container: And all others: see `App`.

    Raises:
        DeclarationError: One of them is none.
    """
    is_container = isinstance(cast(object, container), Container | None)
    require(where, "container", container, is_container, "give a Container: Container(Module())")
    require(where, "sync_dependencies", sync_dependencies, sync_dependencies in ("thread", "inline"), '"thread" or "inline"')
    require(where, "limits", limits, isinstance(cast(object, limits), Limits | None), "write limits=Limits(rate=10)")
    return Host(
        container=container if container is not None else Container(),
        provider=provider,
        threads=sync_dependencies == "thread",
        origins=OriginPolicy(origins),
        limits=limits or Limits(),
        codecs=codecs,
        engine=engine,
        declared=groups,
        direct=direct,
    )


def around(
    host: Host, lifespan: Callable[[Any], AbstractAsyncContextManager[Any]]
) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """A lifespan inside of the groups' and the container's: their resources are open before and closed behind it."""
    container = host.container

    @asynccontextmanager
    async def combined(app: Any) -> AsyncGenerator[Any]:
        container.validate()
        async with host.lifespan(), container.lifespan(), lifespan(app) as state:
            yield state

    return combined


def register_controllers(
    app: Starlette,
    *controllers: type[Controller],
    container: Container | None = None,
    prefix: str = "",
    dependencies: Sequence[Dependency] | None = None,
    origins: Sequence[str] = (),
    sync_dependencies: Literal["thread", "inline"] = "thread",
    limits: Limits | None = None,
    codecs: Sequence[Codec] = (),
    engine: Engine | str | None = None,
    groups: Groups | Sequence[Group | AnyCallable] = (),
    direct: bool = True,
) -> Container:
    """Register controllers on an application that is no `App`: plain Starlette, or FastAPI.

    Its own routes, handlers and middleware are untouched. The container is validated and its resources are opened when the
    application starts, around its own lifespan. An application with `dependency_overrides`, as FastAPI's, has them obeyed.

    Args:
        app: The application.
        controllers: Controller classes, each under its own prefix.
        container: What supplies services; an empty one when left out.
        prefix: Put before the prefix of each controller.
        dependencies: Run before those of each controller.
        origins: See `App`.
        sync_dependencies: See `App`.
        limits: See `App`.
        codecs: See `App`.
        engine: See `App`.
        groups: See `App`.
        direct: See `App`.

    Returns:
        The container.

    Raises:
        DeclarationError: An option is none, a parameter can never be filled, or a binding has a fault.
    """
    host = host_of_options(
        "register_controllers",
        app,
        container=container,
        origins=origins,
        sync_dependencies=sync_dependencies,
        limits=limits,
        codecs=codecs,
        engine=engine,
        groups=groups,
        direct=direct,
    )
    let_serve(app, host)
    router = APIRouter()
    router.serve_with(host)
    for controller in controllers:
        router.include_controller(controller, prefix=prefix, dependencies=dependencies)
    app.router.routes.extend(router.table.routes)
    app.router.lifespan_context = around(host, app.router.lifespan_context)
    return host.container
