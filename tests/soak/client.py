"""A client of the soak: it comes and goes, publishes, keeps its marks and comes back with them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from wscontrollers.groups.engines.engine import Position
from wscontrollers.groups.marks import Mark

from .book import Book, Said, Told, Truth

LAST = "last"
"""Who publishes what comes behind everything else."""
PAUSE = 0.2
"""Seconds on the average between two attempts to come back."""


class Client:
    """One client, which is never in two sessions at once.

    Args:
        name: What it is called.
        groups: Where it is.
        ports: Those of the workers.
        truth: What is known of each group.
        random: Decides all that it does.
        gap: Seconds on the average between two messages that it publishes.

    Attributes:
        books: What it was sent, by group.
        counted: How often something happened.
        has_come: Set when it is in all of its groups for the last time.
        is_done: Set when it was sent the last message of each of its groups.
    """

    def __init__(
        self, name: str, groups: Sequence[str], ports: Sequence[int], truth: dict[str, Truth], random: Random, gap: float
    ) -> None:
        self.name = name
        self.books = {group: Book() for group in groups}
        self.counted: Counter[str] = Counter()
        self.is_done = asyncio.Event()
        self.has_come = asyncio.Event()
        self._ports = ports
        self._truth = truth
        self._random = random
        self._gap = gap
        self._marks: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self._asked: dict[int, tuple[str, int]] = {}
        self._waits_for: set[str] = set()
        self._misses = set(groups)
        self._stays = False

    async def run(self, quiet: asyncio.Event) -> None:
        """Come and go until it is quiet; then come once more and stay until the last messages."""
        while not quiet.is_set():
            await self._come(self._random.uniform(0.3, 4.0), quiet)
            await asyncio.sleep(self._random.expovariate(1 / PAUSE))
        while not self.is_done.is_set():
            await self._come(None, quiet)
            if not self.is_done.is_set():
                await asyncio.sleep(self._random.expovariate(1 / PAUSE))

    async def _come(self, stay: float | None, quiet: asyncio.Event) -> None:
        groups = list(self.books)
        self._stays = stay is None
        if self._random.random() < 0.1:
            self._marks.clear()  # as a browser whose data was deleted
        query = urlencode({"group": groups, "recover": list(self._marks.values())}, doseq=True)
        url = f"ws://127.0.0.1:{self._random.choice(self._ports)}/{self.name}?{query}"
        try:
            session = await connect(url, compression=None, ping_interval=None, open_timeout=5, close_timeout=5, max_queue=None)
        except (OSError, InvalidHandshake, ConnectionClosed):
            self.counted["refused"] += 1
            return
        self.counted["sessions"] += 1
        self._asked.clear()
        self._waits_for = set(groups)
        reading = asyncio.create_task(self._read(session))
        try:
            if stay is None:
                await asyncio.wait([reading, done := asyncio.create_task(self.is_done.wait())], return_when="FIRST_COMPLETED")
                done.cancel()
            else:
                await self._talk(session, stay, quiet)
            await self._go(session)
            await reading
        finally:
            session.transport.abort()
            reading.cancel()

    async def _talk(self, session: ClientConnection, stay: float, quiet: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + stay
        while not quiet.is_set() and loop.time() + (pause := self._random.expovariate(1 / self._gap)) < until:
            await asyncio.sleep(pause)
            if not await self.publish(session, self._random.choice(list(self.books))):
                return
        await asyncio.sleep(0 if quiet.is_set() else until - loop.time())
        if self._random.random() < 0.2:  # and goes without waiting for what becomes of it
            await self.publish(session, self._random.choice(list(self.books)))

    async def publish(self, session: ClientConnection, group: str) -> bool:
        """Publish the next message; whether the session is open."""
        self._numbers[group] += 1
        n = self._numbers[group]
        ref = self._numbers.total()
        self._asked[ref] = (group, n)
        try:
            await session.send(json.dumps({"type": "say", "group": group, "n": n, "ref": ref}))
        except ConnectionClosed:
            return False
        self.counted["published"] += 1
        return True

    async def _go(self, session: ClientConnection) -> None:
        if self._random.random() < 0.4 and not self.is_done.is_set():
            self.counted["resets"] += 1
            plug: socket.socket = session.transport.get_extra_info("socket")
            with suppress(OSError):  # the worker is gone already
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            session.transport.abort()
        else:
            await session.close()

    async def _read(self, session: ClientConnection) -> None:
        try:
            async for text in session:
                self._see(json.loads(text))
        except ConnectionClosed:
            pass

    def _see(self, frame: dict[str, Any]) -> None:
        verb: str = frame["type"]
        if verb == "said":
            self._heard(frame)
        elif verb == "taken":
            group, n = self._asked.pop(frame["re"])
            self._truth[group].took(self.name, n, place_of(frame["since"]))
            self.counted["taken"] += 1
        elif verb == "welcome":
            self._told(frame["group"], frame["since"], "first joins")
        elif verb == "recovered":
            self.counted["recovered"] += frame["complete"]
            if not frame["complete"]:
                self._told(frame["group"], frame.get("mark"), "told losses")
        elif verb == "gap":
            for group in [frame["group"]] if "group" in frame else self.books:
                self.counted["told losses"] += 1
                self.books[group].lines.append(Told(None, is_new=False))
        else:
            assert verb == "error", frame
            self.counted[f"error {frame['code']}"] += 1
        if verb in ("welcome", "recovered"):
            self._waits_for.discard(frame["group"])
            if self._stays and not self._waits_for:
                self.has_come.set()

    def _told(self, group: str, mark: str | None, what: str) -> None:
        self.counted[what] += 1
        self.books[group].lines.append(Told(place_of(mark), is_new=True))
        if mark is None:
            self._marks.pop(group, None)
        else:
            self._marks[group] = mark

    def _heard(self, frame: dict[str, Any]) -> None:
        group, mark = frame["group"], frame.get("mark")
        said = Said(frame["who"], frame["n"], place_of(mark))
        self.counted["delivered"] += 1
        self.books[group].lines.append(said)
        self._truth[group].heard(*said)
        if mark is not None:
            self._marks[group] = mark
        if said.who == LAST:
            self._misses.discard(group)
            if not self._misses:
                self.is_done.set()

    @property
    def misses(self) -> frozenset[str]:
        """Of which groups it did not get the last message."""
        return frozenset(self._misses)


def place_of(mark: str | None) -> Position | None:
    """The place in a mark: the soak knows what no client may."""
    return None if mark is None else Mark.read(mark).position
