"""A wire to a server with streams of its own, below any engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, NamedTuple

from wscontrollers.groups.engines.engine import History
from wscontrollers.groups.engines.nats_answers import answer_of
from wscontrollers.groups.engines.nats_stream import PLAIN_HEADERS, Kept, Streams
from wscontrollers.groups.engines.nats_subjects import KEPT, PLAIN, Subjects
from wscontrollers.groups.engines.nats_wire import Wire

from .nats_server import NatsServer


class Wired(NamedTuple):
    """A wire and its streams."""

    wire: Wire
    streams: Streams

    async def publish(self, channel: str, data: bytes, keep: History | None = None, **headers: str) -> int:
        """Publish as an engine does; its offset."""
        subject = self.streams.subjects.message(self.streams.numbering, PLAIN if keep is None else KEPT, channel)
        ours = PLAIN_HEADERS if keep is None else Kept.of(keep).headers()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = answer_of(await self.wire.request(subject, data, {**ours, **given}))
        return int(answer["seq"]) - 1

    async def request(self, request: str, body: dict[str, Any] | None = None) -> Any:
        """One of JetStream's requests, about the stream of messages."""
        return await self.streams.ask(self.wire, f"{request}.{self.streams.subjects.messages}", body or {})


def streams(prefix: str = "", storage: Any = "memory") -> Streams:
    """What is known of the streams of a prefix: nothing yet."""
    return Streams(Subjects(prefix or token_hex(4)), storage, 1, "$JS.API")


@asynccontextmanager
async def wired(server: NatsServer, prefix: str = "", timeout: float = 2.0) -> AsyncIterator[Wired]:  # noqa: ASYNC109
    """A wire to a server, and streams that are there."""
    wire = Wire(timeout, lambda: None)
    await wire.open([server.url], {})
    try:
        found = streams(prefix)
        await found.ensure(wire)
        yield Wired(wire, found)
    finally:
        await wire.close()
