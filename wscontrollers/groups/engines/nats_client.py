"""nats-py's client, as it is used here.

Five things of it are worked around, each seen in version 2.16:

- It can reconnect by itself. But what must be done then (look at the numbering, subscribe, find out what was lost) is the same
  as at the start, and is done in one place (`nats_link`); and what waits to be written would be written afterwards, long after
  its publisher was told that it failed.
- A `flush()` or `rtt()` that times out leaves a cancelled future behind; its late answer ends the task that reads, and the
  connection is dead without a word. Nothing here flushes: a request does as well.
- `publish()` waits without an end, and swallows a cancellation, while more than `pending_size` bytes wait to be written.
  Without such a limit it never waits; that answers are waited for is the limit.
- A subscription has a queue, and drops messages when it is full. One that was made for a single answer (`future=`) is handed
  each message as it is read.
- It speaks TLS if the server asks for it, whatever the URL says, or whoever is between: a password that was meant for `tls://`
  would be sent as it is. Here the first thing that is sent is not, unless the connection is encrypted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from ...logs import logger_of

RESERVED: Final = frozenset(
    {
        *("allow_reconnect", "closed_cb", "connect_timeout", "disconnected_cb", "error_cb", "flusher_queue_size"),
        *("max_reconnect_attempts", "no_echo", "pending_size", "reconnect_time_wait", "reconnected_cb", "servers"),
    }
)
"""Options of nats-py that are set here, or that would break what is done here."""

_log = logger_of("wscontrollers.groups")


class Sink(asyncio.Future[Msg]):
    """Takes each message of a subscription while it is read; for nats-py, the future of a single answer.

    Args:
        take: Called with each message; it does not wait.
    """

    def __init__(self, take: Callable[[Msg], None]) -> None:
        super().__init__()
        self._take = take

    def set_result(self, result: Msg, /) -> None:
        """Take a message."""
        try:
            self._take(result)
        except Exception:  # it would end the task that reads
            _log.exception("nats: a message could not be delivered")


class OneWayClient(Client):
    """A client that connects once: when its connection breaks, it is over."""

    async def join(
        self,
        servers: Sequence[str],
        options: Mapping[str, Any],
        seconds: float,
        noted: Callable[[Exception], Awaitable[None]],
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        """Connect to one of several servers.

        Args:
            servers: Their URLs.
            options: Options of nats-py, none of those that are `RESERVED`.
            seconds: How long each of them may take.
            noted: Called with each error.
            ended: Called when the connection breaks.
        """
        ours = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0, "connect_timeout": seconds}
        # 0: no limit, for both.
        sizes = {"pending_size": 0, "flusher_queue_size": 0}
        connect = cast(Callable[..., Awaitable[None]], self.connect)
        await connect(list(servers), error_cb=noted, closed_cb=ended, **{**options, **ours, **sizes})

    async def hear(self, subject: str, take: Callable[[Msg], None]) -> Subscription:
        """Have the messages of a subject handed to a function, as they are read. It does not wait."""
        subscribe = cast(Callable[..., Awaitable[Subscription]], self.subscribe)  # pyright: ignore[reportUnknownMemberType]
        return await subscribe(subject, future=Sink(take))

    def abort(self) -> None:
        """Drop the socket with what is not written yet: an orderly end waits until a peer that may be frozen has it."""
        self._pending.clear()
        self._pending_data_size = 0
        writer: asyncio.StreamWriter | None = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    def _connect_command(self) -> bytes:
        # What tells the server who this is: the first thing that is sent, and sent to nobody without TLS where that is wanted.
        if self._wants_tls and not self._is_encrypted:
            raise Error("TLS is wanted, and the server does not ask for it. Fix: give it a certificate, or use nats://")
        return super()._connect_command()

    @property
    def _wants_tls(self) -> bool:
        server = self._current_server
        return bool(self.options.get("tls")) or server is None or server.uri.scheme == "tls"

    @property
    def _is_encrypted(self) -> bool:
        writer: asyncio.StreamWriter | None = getattr(self._transport, "_io_writer", None)
        return writer is not None and writer.get_extra_info("ssl_object") is not None

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        # nats-py's looks at each letter of each name, which is two thirds of what a delivery costs. Here all headers are ours
        # and the server's. Should it be called otherwise one day, its own is used again.
        found: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                found[name] = value.strip()
        return found
