"""Tiers, the running scope of a session or a message, and the scope decorators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

import anyio
import injector

from wscontrollers.callables import name_of, place_of
from wscontrollers.container.exits import Exits
from wscontrollers.container.inputs import Input
from wscontrollers.exceptions import DeclarationError, Fault, ScopeLeakError

T = TypeVar("T")


class Tier(IntEnum):
    """How long a thing lives; a thing may need things of its own tier or a lower number only."""

    APP = 0
    SESSION = 1
    MESSAGE = 2

    def __str__(self) -> str:
        return self.name.lower()


class Missing:
    """The type of `MISSING`: no value has been made yet (None is a value)."""


MISSING = Missing()


_NO_INPUTS: Mapping[Input, Any] = MappingProxyType({})


class Scope:
    """The running scope of one session: what was made for it, what the handshake supplied, and its clean-ups.

    Attributes:
        values: Instances of this tier by slot, made at first use.
        session_values: Those of the session; for a session's own scope the same dict.
        inputs: What the handshake supplied (see `supply`), before the factories that need it run.
        closed: Whether `close` was called; nothing can be had from it lazily any more.
    """

    __slots__ = ("_building", "_stack", "closed", "failure", "inputs", "session_values", "taken", "values")

    inputs: Mapping[Input, Any]
    tier: ClassVar[Tier] = Tier.SESSION

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.session_values = self.values
        self.inputs = _NO_INPUTS
        self.closed = False
        self.taken = False
        self.failure: BaseException | None = None
        self._stack: Exits | None = None
        self._building: dict[Any, anyio.Event | None] | None = None

    # A property, not a slot: a slot that holds `self` would be a reference cycle for every session.
    @property
    def session(self) -> Scope | None:
        """The session's scope: itself for a session, None for the app."""
        return self

    @property
    def has_stack(self) -> bool:
        """Whether a clean-up was registered."""
        return bool(self._stack)

    @property
    def stack(self) -> Exits:
        """The clean-ups, made at first use: a session without any pays nothing."""
        if self._stack is None:
            self._stack = Exits()
        return self._stack

    def supply(self, given: Input, value: Any) -> None:
        """Take what the handshake or a message supplies."""
        self.inputs = {**self.inputs, given: value}

    def message(self) -> Scope:
        """A scope below this one for one message, with values and clean-ups of its own."""
        return MessageScopeOf(self)

    async def close(self, exception: BaseException | None = None) -> bool:
        """Run the clean-ups in reverse.

        Args:
            exception: What ended the tier; generators of the container see it at their `yield` and cannot swallow it.

        Returns:
            True if the exception is dealt with: a context manager on the stack, none of the container's, suppressed it,
            or it was a cancellation that a cancel scope of a provider, open over its `yield`, took.

        Raises:
            BaseExceptionGroup: that of a provider's task group which had failed and thereby had cancelled the tier.
        """
        exits = self.end()
        return False if exits is None else await exits.leave(exception, self)

    def end(self) -> Exits | None:
        """Close it, and leave it to the caller to run the clean-ups, which it returns, if there are any."""
        self.closed = True
        exits, self._stack = self._stack, None
        return exits

    def took(self) -> bool:
        """Whether a provider's own cancel scope took the cancellation that ended the tier.

        Raises:
            BaseExceptionGroup: that of a provider's task group which had failed and thereby had cancelled the tier.
        """
        failure, self.failure = self.failure, None
        taken, self.taken = self.taken, False
        if failure is not None:
            raise failure
        return taken

    async def once(self, slot: object, build: Callable[[Any], Awaitable[T]]) -> T:
        """The value of a slot, built by the first who asks while the others wait; if that fails, the next one tries."""
        if self._building is None:
            self._building = {}
        building = self._building
        while (value := self.values.get(slot, MISSING)) is MISSING:
            if slot not in building:
                building[slot] = None
                try:
                    value = self.values[slot] = await build(self)
                    break
                finally:
                    if (waiting := building.pop(slot)) is not None:
                        waiting.set()
            event = building[slot]
            if event is None:
                event = building[slot] = anyio.Event()
            await event.wait()
        return value  # type: ignore[no-any-return]


class MessageScopeOf(Scope):
    """The running scope of one message."""

    __slots__ = ("_session",)

    tier = Tier.MESSAGE

    def __init__(self, session: Scope) -> None:
        self.values = {}
        self.session_values = session.session_values
        self.inputs = session.inputs
        self.closed = False
        self.taken = False
        self.failure = None
        self._stack = None
        self._building = None
        self._session = session

    @property
    def session(self) -> Scope | None:
        """The scope of the session that the message belongs to."""
        return self._session


class _Lived(injector.Scope):
    """What both scope classes do under a stock `Injector`, which has neither sessions nor messages: explain."""

    tier: ClassVar[Tier]

    def get(self, key: Any, provider: injector.Provider[Any]) -> injector.Provider[Any]:
        """Refuse: only a `Container` can hand out what lives in a session."""
        raise ScopeLeakError(
            Fault(
                name_of(key),
                f"it is {self.tier}-scoped, and injector was asked for it, which knows no {self.tier}s",
                f"let it be injected where a {self.tier} exists: a parameter of a controller, a handler or a "
                f"{self.tier}-scoped provider of a Container",
            )
        )


class SessionScope(_Lived):
    """The injector scope of things that live as long as one session."""

    tier = Tier.SESSION


class MessageScope(_Lived):
    """The injector scope of things that live as long as the handling of one message."""

    tier = Tier.MESSAGE


class ScopeMark(injector.ScopeDecorator):
    """injector's decorator of a class or a provider, which lets nothing have two scopes."""

    def __call__(self, cls: T) -> T:
        """Mark it.

        Raises:
            DeclarationError: It has another scope already, which would be lost in silence.
        """
        given: type[injector.Scope] | None = vars(cls).get("__scope__")
        if given is not None and given is not self.scope:
            raise DeclarationError.at(
                place_of(cast(Any, cls)), f"it has two scopes, {_name(self.scope)} and {_name(given)}", fix="keep one of them"
            )
        return super().__call__(cls)


singleton = ScopeMark(injector.SingletonScope)
"""Decorator of a class or a provider: one instance an app."""

session_scoped = ScopeMark(SessionScope)
"""Decorator of a class or a provider: one instance a session."""

message_scoped = ScopeMark(MessageScope)
"""Decorator of a class or a provider: one instance a message."""


def _name(scope: type[injector.Scope]) -> str:
    for name in ("singleton", "session_scoped", "message_scoped"):
        if globals()[name].scope is scope:
            return f"@{name}"
    return scope.__name__


LIFETIMES: dict[type[injector.Scope], Tier | None] = {
    injector.NoScope: None,
    injector.SingletonScope: Tier.APP,
    SessionScope: Tier.SESSION,
    MessageScope: Tier.MESSAGE,
}
"""The injector scopes that are compiled; a thing in any other is asked of injector."""
