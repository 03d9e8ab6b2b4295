"""What happens to a message when the outbox of its session is full."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, cast, get_args

from ..exceptions import DeclarationError


class Latest(NamedTuple):
    """Of the waiting messages of one type and key only the newest is kept; made by `latest(key=...)`."""

    key: str | Callable[[Any], Hashable]

    def holds_for(self, message: Any) -> bool:
        """Whether a message has such a key; a function takes any."""
        if not isinstance(self.key, str):
            return True
        return self.key in message if isinstance(message, Mapping) else hasattr(message, self.key)

    def of(self, message: Any) -> Hashable:
        """The key of a message that has one.

        Raises:
            TypeError: The key has no hash.
        """
        key = self._of(message)
        try:
            hash(key)  # here, and not only when frames have to wait and are looked up by it
        except TypeError as error:
            raise TypeError(
                f"latest(key=...): the key of a {type(message).__name__} is a {type(key).__name__}, which has no hash. Fix: "
                "name a field whose values are hashable, or give a function that makes such a key."
            ) from error
        return key

    def _of(self, message: Any) -> Hashable:
        if not isinstance(self.key, str):
            return self.key(message)
        if isinstance(message, Mapping):
            return cast(Hashable, message[self.key])
        return cast(Hashable, getattr(message, self.key))


Overflow: TypeAlias = Literal["close", "drop_oldest", "drop_newest"]
OutboxPolicy: TypeAlias = Overflow | Latest
"""`close` the session with 1013, drop the oldest or the newest message, or keep the newest of each key."""

_FIX = 'use "close", "drop_oldest", "drop_newest" or latest(key="...")'


def latest(*, key: str | Callable[[Any], Hashable]) -> Latest:
    """Keep only the newest message of each key while a peer is slow.

    Args:
        key: The name of a field, or a function of the message; its values are hashable.

    Raises:
        DeclarationError: The key is neither.
    """
    given: object = key
    if not (isinstance(given, str) and given) and not callable(given):
        raise DeclarationError.at("latest()", f"the key is {key!r}", fix="give the name of a field, or a function of the message")
    return Latest(key)


def outbox_policy(value: object, where: str) -> OutboxPolicy:
    """A policy as it was declared, checked.

    Raises:
        DeclarationError: It is none; the error names `where`.
    """
    if isinstance(value, Latest):
        return value
    if isinstance(value, str) and value in get_args(Overflow):
        return cast(Overflow, value)
    raise DeclarationError.at(where, f"{value!r} is no outbox policy", fix=_FIX)
