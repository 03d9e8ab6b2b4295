"""Groups across processes over NATS.

One JetStream stream of a prefix numbers all that is published, keeps what is to be kept, and sends each message on, with its
number and that of the one before it of its channel, to whoever subscribes to it by NATS's own means: there are no consumers.

- An offset is a number of that stream: those of one channel have holes, and `previous` says over which.
- An epoch is a numbering of the stream: it ends when the stream is deleted, or when its server lost it. With `storage="memory"`
  that is whenever the server ends, with `"file"` never.
- What is not kept leaves its number for an hour, the last message of each channel only: what is longer than 1 KiB is
  replaced by a stub when it is on its way.
- A message whose publisher was told that it failed may come all the same: a server that froze reads what it was sent when it
  goes on. What was not sent yet never is.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from math import inf
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import anyio
from nats.aio.client import Client

from ...exceptions import DeclarationError, EngineDownError, EngineError
from . import nats_registry as registry
from .engine import Connection, EngineState, History, Listener, Page, Position
from .nats_answers import answer_of
from .nats_client import RESERVED
from .nats_history import page_of
from .nats_link import Link
from .nats_stream import PLAIN_HEADERS, SMALL, Kept, Streams, stub_headers
from .nats_subjects import KEPT, PLAIN, Subjects
from .nats_wire import Wire
from .prefixes import prefix_in

_SEVERAL: Final = re.compile(r",(?=[a-z]+://)")
_HEADERS: Final = 128
"""Bytes that the headers of a message never exceed."""


class NatsEngine:
    """Carries groups between processes by NATS with JetStream, nats-server 2.11 or newer.

    Args:
        servers: Where it is: `nats://[user:password@]host:port` or `tls://...`, or several of one cluster, in a list or with
            commas between them.
        prefix: What the streams' names and subjects begin with. Applications with different ones do not meet. That of a URL
            counts before it: `nats://host:4222?prefix=shop`.
        timeout: Seconds after which what is not answered is given up.
        required: Whether connecting fails while there is no server.
        storage: Where JetStream has its streams. In memory, what is kept ends with the server.
        replicas: How many servers of a cluster have them.
        domain: JetStream's domain, where it has one.
        options: Anything else for nats-py's `connect`: `user`, `password`, `token`, `user_credentials`, `tls`, ...

    Raises:
        DeclarationError: An argument that cannot be.
    """

    name = "nats"
    is_shared = True
    is_dense = False

    def __init__(
        self,
        servers: str | Sequence[str] = "nats://127.0.0.1:4222",
        *,
        prefix: str = "wsc",
        timeout: float = 2.0,
        required: bool = True,
        storage: Literal["memory", "file"] = "memory",
        replicas: int = 1,
        domain: str | None = None,
        **options: Any,
    ) -> None:
        urls = _SEVERAL.split(servers) if isinstance(servers, str) else list(servers)
        self._servers: list[str] = []
        for url in urls:
            server, given = _server(url)
            self._servers.append(server)
            prefix = prefix if given is None else given
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", prefix):
            raise DeclarationError.at(
                "NatsEngine", f"the prefix {prefix!r} cannot be in a subject", fix="use letters, digits, - and _"
            )
        for option in sorted(RESERVED & options.keys()):
            raise DeclarationError.at("NatsEngine", f"the option {option!r} of nats-py is set by the engine", fix="leave it out")
        for option in sorted(options.keys() - inspect.signature(Client.connect).parameters.keys()):
            raise DeclarationError.at("NatsEngine", f"nats-py knows no option {option!r}", fix="see nats-py's connect()")
        _require("timeout", timeout, 0 < timeout < inf, "give seconds above 0")
        _require("storage", storage, storage in ("memory", "file"), 'use "memory" or "file"')
        _require("replicas", replicas, 1 <= replicas <= 5, "give 1 to 5 servers")
        self._timeout = timeout
        self._required = required
        self._streams = Subjects(prefix), storage, replicas, f"$JS.{domain}.API" if domain else "$JS.API"
        self._options = {"name": "wscontrollers", **options}

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncGenerator[Connection, None]:
        """See `Engine.connect`."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise EngineError(
                "NatsEngine: nats-py knows no event loop but asyncio's. Fix: run the application on asyncio."
            ) from None
        link = Link(self._servers, self._options, self._timeout, Streams(*self._streams), listener)
        try:
            try:
                await link.open(required=self._required)
            except EngineDownError as error:
                places = ", ".join(f"{urlsplit(server).hostname}:{urlsplit(server).port or 4222}" for server in self._servers)
                raise EngineDownError(
                    f"NatsEngine: {places}: {error}. Fix: start `nats-server -js` there, or begin without it: required=False."
                ) from error
            yield NatsConnection(link)
        finally:
            with anyio.CancelScope(shield=True):
                await link.close()


class NatsConnection:
    """NATS in use by one event loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._streams = link.streams
        self._subjects = link.streams.subjects

    @property
    def state(self) -> EngineState:
        """How it is."""
        return self._link.state

    async def subscribe(self, channel: str) -> Position:
        """See `Connection.subscribe`."""
        return await self._link.subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        """See `Connection.unsubscribe`."""
        await self._link.unsubscribe(channel)

    async def publish(self, channel: str, data: bytes, keep: History | None = None) -> Position:
        """See `Connection.publish`.

        Raises:
            EngineError: It is too big for the server, headers included: its `max_payload` is 1 MiB unless it is set.
        """

        async def work(wire: Wire) -> Position:
            if len(data) + _HEADERS > wire.max_payload:
                raise EngineError(
                    f"NatsEngine: a message of {len(data):,} bytes does not fit into the server's max_payload of"
                    f" {wire.max_payload:,}. Fix: set `max_payload` in its configuration, or send less."
                )
            if keep is not None:
                await self._streams.make_room(wire, keep.size)
            numbering = self._streams.numbering
            subject = self._subjects.message(numbering, PLAIN if keep is None else KEPT, channel)
            answer = answer_of(await wire.request(subject, data, PLAIN_HEADERS if keep is None else _headers(keep)))
            number: int = answer["seq"]
            self._streams.reached(number)
            if keep is not None:
                with suppress(EngineError):  # it is published; the next ones trim it
                    await self._streams.trim(wire, channel, keep.size)
            elif len(data) > SMALL:
                await wire.tell(subject, b"", stub_headers(number))
            return Position(numbering, number - 1)

        return await self._link.using(work)

    async def read(self, channel: str, after: Position | None = None, limit: int | None = None) -> Page:
        """See `Connection.read`."""
        return await self._link.using(lambda wire: page_of(wire, self._streams, channel, after, limit))

    async def put(self, space: str, key: str, value: bytes) -> None:
        """See `Connection.put`."""
        await self._link.using(lambda wire: registry.put(wire, self._subjects.value(space, key), value))

    async def remove(self, space: str, key: str) -> bool:
        """See `Connection.remove`."""
        return await self._link.using(lambda wire: registry.remove(wire, self._streams, self._subjects.value(space, key)))

    async def entries(self, space: str) -> Mapping[str, bytes]:
        """See `Connection.entries`."""
        return await self._link.using(lambda wire: registry.values(wire, self._streams, self._subjects.space(space)))

    async def renew(self, node: str, seconds: float) -> None:
        """See `Connection.renew`."""
        await self._link.using(lambda wire: registry.renew(wire, self._streams, node, seconds))

    async def alive(self) -> frozenset[str]:
        """See `Connection.alive`."""
        return await self._link.using(lambda wire: registry.alive(wire, self._streams))


def _require(name: str, value: object, is_right: bool, fix: str) -> None:
    if not is_right:
        raise DeclarationError.at("NatsEngine", f"{name}={value!r} cannot be", fix=fix)


def _server(url: str) -> tuple[str, str | None]:
    """A server's URL without the prefix in it, and that; no error shows what may be a part of a password.

    Raises:
        DeclarationError: It is none.
    """
    fix = "write nats://user:password@host:4222 or tls://..., special characters as %2F"
    try:
        server, prefix = prefix_in(url)
        parts = urlsplit(server)
        is_whole = parts.hostname and parts.port != 0 and not (parts.path.strip("/") or parts.query or parts.fragment)
    except ValueError:
        raise DeclarationError.at("NatsEngine", "a URL cannot be read", fix=fix) from None
    if not is_whole:
        raise DeclarationError.at("NatsEngine", "a URL cannot be read", fix=fix)
    if parts.scheme not in ("nats", "tls"):
        raise DeclarationError.at("NatsEngine", f"{parts.scheme!r} is no scheme of NATS", fix=fix)
    return server, prefix


@lru_cache(64)
def _headers(keep: History) -> dict[str, str]:
    return Kept.of(keep).headers()
