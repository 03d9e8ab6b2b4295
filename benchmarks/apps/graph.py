"""Ten dependencies and three services, as functions and classes that each framework declares in its own way.

    token(), locale(), limits(settings)                         plain
    settings(), user(token, database), tenant(user),
    permissions(user), features(settings, locale, limits)       async
    database(settings), unit(database)                          async, yield

The endpoint asks for permissions, tenant, features and unit. Nobody waits for anything: what is measured is the framework.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from injector import inject


class Clock:
    """A service of the app."""


class Store:
    """A service of the app."""

    @inject
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class Journal:
    """A service of the app."""

    @inject
    def __init__(self, clock: Clock) -> None:
        self.clock = clock


class Desk:
    """What each session has one of, with three services."""

    @inject
    def __init__(self, clock: Clock, store: Store, journal: Journal) -> None:
        self.clock = clock
        self.store = store
        self.journal = journal


@dataclass(frozen=True, slots=True)
class Ten:
    """The dependencies that the endpoint asks for, declared."""

    permissions: Any
    tenant: Any
    features: Any
    unit: Any


def declared(depends: Callable[..., Any], *, coroutines: bool = False, **of_plain: Any) -> Ten:
    """The ten functions, with a framework's `Depends`.

    Args:
        depends: `Depends`.
        coroutines: Whether the three plain functions are `async def`.
        of_plain: Arguments of `depends` for these three.
    """
    token, locale = (_async_token, _async_locale) if coroutines else (_token, _locale)

    async def settings() -> str:
        return "settings"

    async def database(settings: str = depends(settings)) -> AsyncIterator[str]:
        yield "database"

    async def unit(database: str = depends(database)) -> AsyncIterator[str]:
        yield "unit"

    async def user(token: str = depends(token, **of_plain), database: str = depends(database)) -> str:
        return "ann"

    async def tenant(user: str = depends(user)) -> str:
        return "tea"

    async def permissions(user: str = depends(user)) -> str:
        return "all"

    def plain_limits(settings: str = depends(settings)) -> int:
        return 100

    async def async_limits(settings: str = depends(settings)) -> int:
        return 100

    async def features(
        settings: str = depends(settings),
        locale: str = depends(locale, **of_plain),
        limits: int = depends(async_limits if coroutines else plain_limits, **of_plain),
    ) -> str:
        return "new"

    return Ten(depends(permissions), depends(tenant), depends(features), depends(unit))


def _token() -> str:
    return "token"


async def _async_token() -> str:
    return "token"


def _locale() -> str:
    return "en"


async def _async_locale() -> str:
    return "en"
