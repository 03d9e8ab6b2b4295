"""Values under keys, and who is alive: a stream that has the last message of each subject."""

from __future__ import annotations

import math
from typing import Final

from .nats_answers import answer_of
from .nats_look_up import headers_of, messages_of
from .nats_numbering import seconds_of
from .nats_stream import Streams
from .nats_subjects import last_token
from .nats_wire import Wire

_NO_MESSAGE: Final = 10037
_NO_SEQUENCE: Final = 10043


async def put(wire: Wire, subject: str, value: bytes, headers: dict[str, str] | None = None) -> None:
    """Note a value."""
    answer_of(await wire.request(subject, value, headers))


async def remove(wire: Wire, streams: Streams, subject: str) -> bool:
    """Forget a value; of several that do it at once, the server tells one that it was there."""
    stream = streams.subjects.registry
    while True:
        found = await streams.ask(wire, f"STREAM.MSG.GET.{stream}", {"last_by_subj": subject}, (_NO_MESSAGE,))
        if found is None:
            return False
        number = {"seq": found["message"]["seq"], "no_erase": True}
        if await streams.ask(wire, f"STREAM.MSG.DELETE.{stream}", number, (_NO_SEQUENCE,)) is not None:
            return True
        # It was removed meanwhile, or there is another value.


async def values(wire: Wire, streams: Streams, subject: str) -> dict[str, bytes]:
    """All values of the subjects of a pattern, by the text of their last tokens.

    Of several servers that have the stream the one that answers may be a moment behind.
    """
    found = messages_of(wire, streams, streams.subjects.registry, subject)
    return {last_token(headers_of(message)["Nats-Subject"]): message.data async for message in found}


async def renew(wire: Wire, streams: Streams, node: str, seconds: float) -> None:
    """Note that a process is alive; the stream forgets it by itself."""
    subject = streams.subjects.node(node)
    if seconds <= 0:
        await remove(wire, streams, subject)
    else:
        # A server counts whole seconds, `alive` parts of them.
        await put(wire, subject, repr(seconds).encode(), {"Nats-TTL": str(math.ceil(seconds) + 1)})


async def alive(wire: Wire, streams: Streams) -> frozenset[str]:
    """The processes whose time is not over, by the server's clock."""
    now = streams.now()
    found: set[str] = set()
    async for message in messages_of(wire, streams, streams.subjects.registry, streams.subjects.nodes()):
        headers = headers_of(message)
        if message.data and seconds_of(headers["Nats-Time-Stamp"]) + float(message.data) > now:
            found.add(last_token(headers["Nats-Subject"]))
    return frozenset(found)
