"""Where presence is kept in an engine: the names of spaces and channels."""

from __future__ import annotations

from typing import Final

NODES: Final = "presence"
"""The space of the nodes that keep something: by their ids."""

_CHANNEL: Final = "p:"


def space_of(group: str) -> str:
    """The space of the sessions in a group, by their ids."""
    return f"presence:g:{group}"


def index_of(node: str) -> str:
    """The space of the groups in which a node has sessions: what is to be cleaned up when it dies."""
    return f"presence:n:{node}"


def channel_of(group: str) -> str:
    """The channel on which nodes tell each other who came to a group and who left.

    It is not the group's own: what is published there without being kept would make a hole in the group's history.
    """
    return _CHANNEL + group


def group_of(channel: str) -> str | None:
    """The group of such a channel; None if it is another channel."""
    return channel.removeprefix(_CHANNEL) if channel.startswith(_CHANNEL) else None
