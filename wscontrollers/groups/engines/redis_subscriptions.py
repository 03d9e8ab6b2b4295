"""What a connection to a Redis is subscribed to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...exceptions import EngineDownError
from ...logs import logger_of
from .redis_scripts import arrival, position

if TYPE_CHECKING:
    from .engine import Listener, Position
    from .redis_servers import Servers

Keys = tuple[bytes, bytes]
"""A channel's numbering, which is its name for pub/sub too, and its stream."""

logger = logger_of("wscontrollers.groups")


class _Subscription:
    """One channel: how many wait for it, and whether it stays when they give up."""

    __slots__ = ("channel", "is_held", "keys", "waiting")

    def __init__(self, channel: str, keys: Keys) -> None:
        self.channel = channel
        self.keys = keys
        self.is_held = False
        self.waiting = 0


class Subscriptions:
    """The channels of a connection.

    Args:
        listener: Whom messages are told to.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._of: dict[bytes, _Subscription] = {}

    async def add(self, servers: Servers, channel: str, keys: Keys) -> Position:
        """Subscribe to a channel; see `Connection.subscribe`."""
        found = self._of.get(keys[0])
        if found is None:
            found = self._of[keys[0]] = _Subscription(channel, keys)
        found.waiting += 1
        try:
            place = await servers.subscribe(keys)
            found.is_held = True
        except EngineDownError:
            found.is_held = True  # it is done when the server is back
            raise
        finally:
            found.waiting -= 1
            if not found.is_held and not found.waiting and self._of.get(keys[0]) is found:
                self.remove(servers, keys[0])
        return position(place)

    def remove(self, servers: Servers, key: bytes) -> None:
        """End a subscription."""
        if self._of.pop(key, None) is not None:
            servers.unsubscribe(key)

    def wanted(self) -> Iterator[Keys]:
        """Those that are there again when a server is."""
        return (each.keys for each in self._of.values() if each.is_held)

    def holds(self, key: bytes) -> bool:
        """Whether a channel is among them."""
        found = self._of.get(key)
        return found is not None and found.is_held

    def arrived(self, key: bytes, payload: bytes) -> None:
        """Tell a message."""
        found = self._of.get(key)
        if found is None:
            return  # it is not wanted any more
        try:
            told = arrival(found.channel, payload)
        except ValueError:
            logger.warning("engine redis: somebody else publishes to %a: that message is left out", key)
            return
        self._listener.arrived(told)

    def resumed(self, key: bytes, place: bytes) -> None:
        """Tell that a subscription is there again."""
        found = self._of.get(key)
        if found is not None:
            self._listener.resumed(found.channel, position(place))
