"""The names of groups, and the channels of an engine that stand for them."""

from __future__ import annotations

from typing import Final, cast

MAX_LENGTH: Final = 180
"""Characters of a group's name."""

USER: Final = "user:"
SESSION: Final = "session:"
EVERYBODY: Final = "c:everybody"
"""The channel that all processes have."""


def checked(name: str) -> str:
    """The name of a group, if it is one.

    Raises:
        ValueError: It is empty, too long, or holds what cannot be printed.
    """
    given = cast(object, name)
    if not isinstance(given, str) or not given or len(given) > MAX_LENGTH or not given.isprintable():
        raise ValueError(
            f"group {str(given)[:80]!r}: it is no name. Fix: use 1 to {MAX_LENGTH} printable characters, for instance "
            '"room:tea"; put no text of a client into it that was not checked.'
        )
    return name


def own(name: str) -> str:
    """The name of a group that a session may join by itself.

    Raises:
        ValueError: It is no name, or one that stands for a user or a session.
    """
    if checked(name).startswith((USER, SESSION)):
        raise ValueError(
            f"group {name!r}: it stands for the sessions of a user, or for one session. Fix: call session.identify(user), or "
            "choose another name."
        )
    return name


_GROUP: Final = "g:"


def channel_of(group: str) -> str:
    """The channel that carries a group."""
    return _GROUP + group


def group_of(channel: str) -> str | None:
    """The group that a channel carries; None where it carries something else."""
    return channel[2:] if channel.startswith(_GROUP) else None
