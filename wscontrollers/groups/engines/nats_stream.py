"""The two streams of a prefix: made where they are missing, and looked at while they are used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final, Literal

from ...exceptions import EngineError
from .engine import History
from .nats_answers import MISSING, GoneError, answer_of
from .nats_numbering import Past, seconds_of
from .nats_subjects import KEPT, Subjects
from .nats_wire import Wire

LEAST_AGE: Final = 600
"""Seconds that a message which is to be kept stays in the stream at least, so that an interruption that is shorter hides
nothing. What is older than its group's history says is not given out."""
_PLAIN_AGE: Final = 3600
"""Seconds that the last message of a channel that is not kept stays, for its number."""
_ROOM: Final = History().size + 1
TRIES: Final = 50
PAUSE: Final = 0.01
"""How often, and seconds, that a server of several is waited for that does not know yet what others know."""
_TRIM: Final = 50
"""How many more messages than it should a channel may have in the stream, for each process that publishes, at least."""
_REMEMBERED: Final = 10_000
_TAKEN: Final = 10058


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a message that is kept is kept, as its headers say.

    Attributes:
        history: How much of its channel is given out.
        stays: Seconds that the stream has it; None is for ever. Twice the age: whether something expired in between can then be
            told as long as no more than an age lies between two messages, and after that a group is forgotten anyway.
    """

    history: History
    stays: int | None

    @classmethod
    def of(cls, history: History) -> Kept:
        """What a history needs."""
        return cls(history, None if history.age is None else max(LEAST_AGE, int(2 * history.age) + 2))

    @classmethod
    def read(cls, header: str) -> Kept:
        """What `headers` wrote."""
        size, _, age = header.partition("/")
        return cls.of(History(int(size), float(age) if age else None))

    def headers(self) -> dict[str, str]:
        """The headers of such a message."""
        age = self.history.age
        found = {"Wsc": f"{self.history.size}/" if age is None else f"{self.history.size}/{age!r}"}
        if self.stays is not None:
            found["Nats-TTL"] = str(self.stays)
        return found


PLAIN_HEADERS: Final = {"Nats-Rollup": "sub", "Nats-TTL": str(_PLAIN_AGE)}
"""The headers of a message that is not kept: the one before it goes."""
SMALL: Final = 1024
"""Bytes of a message that is not kept and stays all the same, for its number. A stub takes the place of a longer one."""
STUB: Final = "Wsc-Stub"
"""The header of a stub: the offset of the message in whose place it is."""


def stub_headers(number: int) -> dict[str, str]:
    """The headers of a stub.

    Args:
        number: That of the message in whose place it is; it is refused if that is not the last one of its subject any more.
    """
    return {**PLAIN_HEADERS, STUB: str(number - 1), "Nats-Expected-Last-Subject-Sequence": str(number)}


class Streams:
    """What is known of the streams of a prefix.

    Attributes:
        numbering: Names the numbering of the messages, their epoch: it is part of their subjects, so nothing can be published
            to another one by mistake.
        past: Where that numbering stood, and when.

    Args:
        subjects: The names.
        storage: Where they are, if they are made here.
        replicas: How many servers have them, if they are made here.
        api: What JetStream's requests begin with.
    """

    def __init__(self, subjects: Subjects, storage: Literal["memory", "file"], replicas: int, api: str) -> None:
        self.subjects = subjects
        self.api = api
        self.numbering = ""
        self.past = Past()
        self._storage = storage
        self._replicas = replicas
        self._room = 0
        self._highest = 0
        self._ahead = 0.0
        self._untrimmed: dict[str, int] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def is_replicated(self) -> bool:
        """Whether a look-up may be answered by a server that is a moment behind."""
        return self._replicas > 1

    def now(self) -> float:
        """The server's time, in seconds, as far as it is known here."""
        return self._loop.time() + self._ahead

    def reached(self, place: int) -> None:
        """A message has this number."""
        if place > self._highest:
            self._highest = place

    async def ensure(self, wire: Wire) -> bool:
        """Look at the streams, and make what is missing.

        Returns:
            Whether the numbering is another one than before.

        Raises:
            EngineDownError: They do not answer.
            EngineError: They cannot be made, or not be used.
        """
        before, highest = self.numbering, self._highest
        info = await self.ask(wire, f"STREAM.INFO.{self.subjects.messages}", {}, (MISSING,))
        if info is None or self._is_renumbered(info, highest):
            info = await self._number(wire, info)
        self._take(info, asyncio.get_running_loop().time())
        made = await self.ask(wire, f"STREAM.CREATE.{self.subjects.registry}", self._registry(), (_TAKEN,))
        if made is not None and made["config"]["storage"] != self._storage:
            raise self._other(made)
        return before != self.numbering

    async def look(self, wire: Wire) -> bool:
        """Whether all is as it was; it notes where the stream stands, and the server's time.

        Raises:
            EngineDownError: There is no answer.
        """
        asked, highest = self._loop.time(), self._highest
        info = await self.ask(wire, f"STREAM.INFO.{self.subjects.messages}", {}, (MISSING,))
        if info is None or self._is_renumbered(info, highest) or self._numbering_of(info) != self.numbering:
            return False
        self._take(info, (asked + self._loop.time()) / 2)
        return True

    async def place_to_reach(self, wire: Wire) -> int:
        """The number of the stream's last message, where that is not what every look-up finds."""
        if not self.is_replicated:
            return 0
        info = await self.ask(wire, f"STREAM.INFO.{self.subjects.messages}", {})
        place: int = info["state"]["last_seq"]
        return place

    async def make_room(self, wire: Wire, size: int) -> None:
        """See to it that the stream keeps so many messages of each channel, and the one before them."""
        while size >= self._room:
            info = await self.ask(wire, f"STREAM.INFO.{self.subjects.messages}", {})
            if size >= info["config"]["max_msgs_per_subject"]:
                # Asked again: another process may have made less room at the same moment.
                wanted = {**info["config"], "max_msgs_per_subject": size + 1}
                await self.ask(wire, f"STREAM.UPDATE.{self.subjects.messages}", wanted)
            else:
                self._room = info["config"]["max_msgs_per_subject"]

    async def trim(self, wire: Wire, channel: str, size: int) -> None:
        """Have a channel keep as much as it should, now and then: the stream keeps as much of each as of the one that keeps most.

        Args:
            wire: The connection.
            channel: One that a message was just published to that is kept.
            size: How many messages of it are kept.
        """
        if self._room <= 2 * (size + 1):
            return
        untrimmed = self._untrimmed.pop(channel, 0) + 1
        if untrimmed < max(size, _TRIM):
            self._untrimmed[channel] = untrimmed
            if len(self._untrimmed) > _REMEMBERED:
                del self._untrimmed[next(iter(self._untrimmed))]
            return
        subject = self.subjects.message(self.numbering, KEPT, channel)
        # One more than is given out: it shows that nothing is missing before the first.
        await self.ask(wire, f"STREAM.PURGE.{self.subjects.messages}", {"filter": subject, "keep": size + 1})

    async def ask(self, wire: Wire, request: str, body: Mapping[str, Any], known: tuple[int, ...] = ()) -> Any:
        """One of JetStream's requests.

        Args:
            wire: The connection.
            request: Its name.
            body: What it says.
            known: Codes of errors whose answer is None.

        Raises:
            EngineDownError: Nobody answers, or not now.
            EngineError: It is refused.
        """
        return answer_of((await wire.request(f"{self.api}.{request}", json.dumps(body).encode())), known)

    async def _number(self, wire: Wire, info: Any) -> Any:
        """Begin a numbering: where there is no stream, and where one lost what it had and counts from the beginning."""
        numbering = token_hex(4)
        if info is None:
            made = await self.ask(wire, f"STREAM.CREATE.{self.subjects.messages}", self._messages(numbering), (_TAKEN,))
        else:
            wanted = {**info["config"], **self._names(numbering)}
            made = await self.ask(wire, f"STREAM.UPDATE.{self.subjects.messages}", wanted)
        if made is not None:
            await self.begin(wire, numbering)
            return made
        for _ in range(TRIES):  # another process was faster; of a cluster, not all servers may know yet
            made = await self.ask(wire, f"STREAM.INFO.{self.subjects.messages}", {}, (MISSING,))
            if made is not None:
                return made
            await asyncio.sleep(PAUSE)
        raise GoneError("a stream is there, and is not")

    async def begin(self, wire: Wire, numbering: str) -> None:
        """Publish the first message of a numbering."""
        answer_of(await wire.request(self.subjects.begin(numbering), b"", {"Nats-Rollup": "sub"}))

    def _is_renumbered(self, info: Any, highest: int) -> bool:
        # As of when it was asked: what was published since may have overtaken the answer.
        return self._numbering_of(info) == self.numbering and info["state"]["last_seq"] < highest

    def _numbering_of(self, info: Any) -> str:
        return self.subjects.numbering_of(info["config"]["subjects"][0])

    def _take(self, info: Any, at: float) -> None:
        config = info["config"]
        if (config["storage"], config["num_replicas"]) != (self._storage, self._replicas):
            raise self._other(info)
        numbering = self._numbering_of(info)
        if numbering != self.numbering:
            self.numbering, self.past, self._highest = numbering, Past(), 0
            self.past.note(0, seconds_of(info["created"]))
        self._room = config["max_msgs_per_subject"]
        time = seconds_of(info["ts"])
        self._ahead = time - at
        self.reached(info["state"]["last_seq"])
        # A second less: the two were not read in one moment.
        self.past.note(info["state"]["last_seq"], time - 1)

    def _other(self, info: Any) -> EngineError:
        config = info["config"]
        return EngineError(
            f"NatsEngine: the stream {config['name']!r} is there with storage={config['storage']!r} and"
            f" replicas={config['num_replicas']}, and not with storage={self._storage!r} and replicas={self._replicas}."
            " Fix: use the same everywhere, or another prefix, or delete the stream."
        )

    def _names(self, numbering: str) -> dict[str, Any]:
        taken = self.subjects.of_numbering(numbering)
        return {"subjects": [taken], "republish": {"src": taken, "dest": self.subjects.live(numbering)}}

    def _messages(self, numbering: str) -> dict[str, Any]:
        return {**self._common(self.subjects.messages), **self._names(numbering), "max_msgs_per_subject": _ROOM}

    def _registry(self) -> dict[str, Any]:
        subjects = [f"{self.subjects.values}>"]
        return {**self._common(self.subjects.registry), "subjects": subjects, "max_msgs_per_subject": 1}

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "storage": self._storage,
            "num_replicas": self._replicas,
            "retention": "limits",
            "discard": "old",
            "max_consumers": -1,
            "max_msgs": -1,
            "max_bytes": -1,
            "max_age": 0,
            "allow_direct": True,
            "allow_msg_ttl": True,
            "allow_rollup_hdrs": True,
        }
