"""Reading what is kept of a channel, and whether it is all of it."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from nats.aio.msg import Msg

from .engine import Page, Position
from .nats_look_up import Top, headers_of, left_behind, messages_of, offset_of, tops_of
from .nats_numbering import seconds_of
from .nats_stream import LEAST_AGE, PAUSE, TRIES, Kept, Streams
from .nats_subjects import KEPT
from .nats_wire import Wire

_MANY: Final = 1000
"""How many messages are asked for at once, where there is no limit."""


async def page_of(wire: Wire, streams: Streams, channel: str, after: Position | None, limit: int | None) -> Page:
    """See `Connection.read`.

    It is complete if all of this holds:

    - no message that is not kept came behind the place;
    - of those that came, the oldest is neither too old nor too many before the last;
    - none of them has expired: a kept message that is not behind the place is still there, and they expire in their order; or
      it is known that the place was the stream's last one no longer ago than messages stay.
    """
    numbering = streams.numbering
    top = (await tops_of(wire, streams, [channel]))[channel]
    here = Position(numbering, top.offset)
    if after is None:
        return Page((await _entries(wire, streams, channel, top, -1, limit)).entries, here, True)
    if after.epoch != numbering or after.offset > max(here.offset, top.stands):
        return Page((), here, False)
    if after.offset >= here.offset:
        # Nothing came behind it that is still there.
        is_proven = top.kept is not None or _is_recent(streams, after.offset, LEAST_AGE)
        return Page([], after, is_proven)
    found = await _entries(wire, streams, channel, top, after.offset, limit)
    stays = LEAST_AGE if top.kept is None else _kept(top.kept).stays
    is_proven = found.has_earlier or _is_recent(streams, after.offset, stays)
    return Page(found.entries, here, found.is_whole and is_proven and top.plain <= after.offset)


def _is_recent(streams: Streams, offset: int, stays: int | None) -> bool:
    """Whether nothing behind a place can have expired."""
    return stays is None or streams.past.after(offset + 1) > streams.now() - stays


def _time(message: Msg) -> float:
    return seconds_of(headers_of(message)["Nats-Time-Stamp"])


def _kept(message: Msg) -> Kept:
    return Kept.read(headers_of(message)["Wsc"])


class _Found(NamedTuple):
    """What a look at a channel's messages found.

    Attributes:
        entries: What is given out.
        is_whole: Whether that is all that the stream has behind the place.
        has_earlier: Whether it has something at the place.
        is_current: Whether the last message was among it, as far as it was asked for.
    """

    entries: list[tuple[int, bytes]]
    is_whole: bool
    has_earlier: bool
    is_current: bool


async def _entries(wire: Wire, streams: Streams, channel: str, top: Top, after: int, limit: int | None) -> _Found:
    """What is kept behind a place."""
    if top.kept is None or offset_of(top.kept) <= after:
        return _Found([], True, False, True)
    found = await _look(wire, streams, channel, top, top.kept, after, limit)
    tries = TRIES if streams.is_replicated else 0
    while tries and not found.is_current:
        # A server that is a moment behind the others answered.
        tries -= 1
        await asyncio.sleep(PAUSE)
        found = await _look(wire, streams, channel, top, top.kept, after, limit)
    return found._replace(is_whole=found.is_whole and found.is_current)


async def _look(wire: Wire, streams: Streams, channel: str, top: Top, kept: Msg, after: int, limit: int | None) -> _Found:
    history = _kept(kept).history
    oldest = float("-inf") if history.age is None else streams.now() - history.age
    entries: list[tuple[int, bytes]] = []
    is_whole, has_earlier, offset = True, False, -1
    subject = streams.subjects.message(streams.numbering, KEPT, channel)
    # The one at the place itself too: where it is there, nothing behind it has expired.
    first, at_once = max(after + 1, 1), _MANY if limit is None else min(limit + 1, _MANY)
    async for message in messages_of(wire, streams, streams.subjects.messages, subject, first, at_once):
        offset = offset_of(message)
        if offset > top.offset or (limit is not None and len(entries) >= limit):
            return _Found(entries, is_whole, has_earlier, True)
        if offset <= after:
            has_earlier = True
        elif not entries and (left_behind(message) >= history.size or _time(message) <= oldest):
            is_whole = False  # what follows on one that is given out is nearer to the last, and younger
        else:
            entries.append((offset, message.data))
    return _Found(entries, is_whole, has_earlier, offset >= offset_of(kept))
