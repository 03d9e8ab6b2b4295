"""Looking up several messages of a stream with one request (NATS ADR-31, "Direct Get", batches)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.msg import Msg

from ...exceptions import EngineDownError
from .nats_answers import NobodyError
from .nats_stream import PAUSE, STUB, TRIES, Streams
from .nats_subjects import BEGIN, KEPT, token_of
from .nats_wire import NOBODY, Wire, is_end, status_of

_NOTHING: Final = "404"
_MANY: Final = 1000
_BYTES: Final = 8 << 20
"""Bytes of one answer: a server drops a connection that it cannot write 64 MiB to."""


@dataclass(slots=True)
class Top:
    """The last messages of a channel.

    Attributes:
        stands: Where the whole stream stands.
        kept: The last message that is kept.
        plain: The number of the last one that is not; -1 where there is none.
        stub: The number of the stub that is in its place, if it is.
    """

    stands: int
    kept: Msg | None = None
    plain: int = -1
    stub: int = -1

    @property
    def offset(self) -> int:
        """The number of the last message; where there is none, where the whole stream stands."""
        if self.kept is None:
            return self.plain if self.plain >= 0 else self.stands
        return max(offset_of(self.kept), self.plain)


def headers_of(message: Msg) -> Mapping[str, str]:
    """The headers of a message that was looked up."""
    return message.headers or {}


def offset_of(message: Msg) -> int:
    """Its number; the first one of a stream is 1, and belongs to the message that begins it."""
    return int(headers_of(message)["Nats-Sequence"]) - 1


def left_behind(message: Msg) -> int:
    """How many there are behind it."""
    return int(headers_of(message)["Nats-Num-Pending"])


async def tops_of(wire: Wire, streams: Streams, channels: Sequence[str]) -> dict[str, Top]:
    """Where channels stand; together with those of a request before it on the same connection this misses nothing.

    Raises:
        EngineDownError: There is no answer.
    """
    subjects, numbering = streams.subjects, streams.numbering
    begin = subjects.begin(numbering)
    channel_of = {token_of(channel): channel for channel in channels}
    wanted = [begin, *(subjects.message(numbering, "*", channel) for channel in channels)]
    least = await streams.place_to_reach(wire)
    for _ in range(TRIES):
        messages, stands = await _last_messages(wire, streams, wanted)
        if stands and stands >= least:
            break
        if streams.is_replicated:
            await asyncio.sleep(PAUSE)
        if not stands:
            await streams.begin(wire, numbering)  # somebody purged the stream
    else:
        raise EngineDownError("the server that answered is behind the others")
    found = {channel: Top(stands - 1) for channel in channels}
    for message in messages:
        _, _, _, kind, *token = headers_of(message)["Nats-Subject"].split(".")
        if kind == BEGIN:
            continue
        top = found[channel_of[token[0]]]
        if kind == KEPT:
            top.kept = message
        elif STUB in headers_of(message):
            top.plain, top.stub = int(headers_of(message)[STUB]), offset_of(message)
        else:
            top.plain = offset_of(message)
    return found


async def messages_of(
    wire: Wire, streams: Streams, stream: str, subject: str, first: int = 1, at_once: int = _MANY
) -> AsyncIterator[Msg]:
    """The messages of a subject, the oldest first.

    Args:
        wire: The connection.
        streams: The streams.
        stream: Which of them.
        subject: Which ones; it may have wildcards.
        first: The number from which on.
        at_once: How many to ask for with one request.

    Raises:
        EngineDownError: There is no answer.
    """
    while True:
        question = {"seq": first, "batch": at_once, "max_bytes": _BYTES, "next_by_subj": subject}
        messages, end = await _batch(wire, streams.api, stream, question)
        for message in messages:
            yield message
        if end is None or not left_behind(end):
            return
        first = int(headers_of(end)["Nats-Last-Sequence"]) + 1


async def _last_messages(wire: Wire, streams: Streams, subjects: Sequence[str]) -> tuple[list[Msg], int]:
    """The last message of each subject, and the number of the stream's last one; 0 where there is none."""
    found: list[Msg] = []
    question: dict[str, Any] = {"multi_last": subjects, "max_bytes": _BYTES}
    while True:
        messages, end = await _batch(wire, streams.api, streams.subjects.messages, question)
        if end is None:
            return [], 0
        found += messages
        stands = int(headers_of(end)["Nats-UpTo-Sequence"])
        if not messages or not left_behind(end):
            return found, stands
        # The rest, as it was at the same moment.
        question |= {"seq": offset_of(messages[-1]) + 2, "up_to_seq": stands}


async def _batch(wire: Wire, api: str, stream: str, question: Mapping[str, Any]) -> tuple[list[Msg], Msg | None]:
    """What answers one request, and its last message; None where there is nothing."""
    *messages, end = await wire.collect(f"{api}.DIRECT.GET.{stream}", question)
    status = status_of(end)
    if is_end(end):
        return messages, end
    if status == _NOTHING:
        return messages, None
    if status == NOBODY:
        raise NobodyError("JetStream does not answer")
    raise EngineDownError(f"JetStream says: {status}")
