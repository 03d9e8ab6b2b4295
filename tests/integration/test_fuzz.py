"""Frames of a hostile client against a whole application, and what `docs/reference/wire.md` says of each."""

from __future__ import annotations

import gc
import json
import re
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, MutableMapping, Sequence
from itertools import islice
from random import Random
from typing import Annotated, Any

import ormsgpack
import pytest
from anyio.lowlevel import checkpoint
from pydantic import Strict

from tests.integration.documented import BAD_FRAME, MODELS, Move, Nothing, Say, documented, essence
from tests.integration.junk import LITERALS, junk, packed_junk
from wscontrollers import App, Controller, Limits, Message, Session, receive, websocket
from wscontrollers.messages import JsonCodec, MsgPackCodec
from wscontrollers.testing import AsyncTestClient

ENDLESS = Limits(message=None, rate=None, bad_frames=None, bad_frames_in_a_row=None)


class Question(Message): ...


class Answer(Message):
    n: Annotated[int, Strict()]


class Echo(Controller):
    """Every message comes back as it was understood."""

    limits = ENDLESS

    @websocket("/")
    async def open(self) -> AsyncIterator[None]:
        yield

    @receive
    async def move(self, message: Move) -> Move:
        return message

    @receive
    async def say(self, message: Say) -> Say:
        return message

    @receive
    async def nothing(self, message: Nothing) -> Nothing:
        return message


class HostilePeer:
    """ASGI's side of one session: it sends frames one by one, and compares what comes back with what is documented.

    Args:
        frames: What it sends; then it leaves.
    """

    def __init__(self, frames: Iterable[str | bytes]) -> None:
        self._frames = iter(frames)
        self._answers: deque[Any] = deque()
        self._asked: tuple[str | bytes, Any] | None = None
        self.count = 0
        self.wrong: list[str] = []

    async def talk(self, app: App) -> None:
        """Run a whole session, and fail if an answer was none that is documented."""
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "subprotocols": [], "state": {}}
        self._opened = False
        await app(scope, self._receive, self._send)
        assert self.wrong == []

    async def _receive(self) -> dict[str, Any]:
        if not self._opened:
            self._opened = True
            return {"type": "websocket.connect"}
        await self._compare()
        frame = None if self.wrong else next(self._frames, None)
        if frame is None:
            return {"type": "websocket.disconnect", "code": 1000}
        self.count += 1
        self._asked = frame, documented(frame)
        return {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}

    async def _send(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "websocket.send":
            self._answers.append(json.loads(event["text"]))
        elif event["type"] == "websocket.close":
            self.wrong.append(f"closed: {event}")

    async def _compare(self) -> None:
        if self._asked is None:
            return
        frame, expected = self._asked
        if expected is not None and not self._answers:
            await self._turns(20)
        answers = [essence(answer) for answer in self._answers]
        self._answers.clear()
        if answers != ([] if expected is None else [expected]):
            self.wrong.append(f"frame {self.count}, {frame[:500]!r} ({len(frame)}): {answers}, documented is {expected}")

    async def _turns(self, count: int) -> None:
        for _ in range(count):  # an error is written by a task of its own
            await checkpoint()
            if self._answers:
                return


class Memory:
    """What is allocated in the course of many frames."""

    def __init__(self) -> None:
        self.blocks: list[int] = []
        self.kept: list[int] = []

    def along(self, frames: Iterable[str | bytes], *, marks: Sequence[int], window: int) -> Iterator[str | bytes]:
        """Let frames through, and look at memory behind so many of them.

        Args:
            marks: Behind how many frames all blocks are counted, and the bytes that the `window` frames before that left.
        """
        for number, frame in enumerate(frames):
            if number + window in marks:
                gc.collect()
                tracemalloc.start()
            elif number in marks:
                gc.collect()
                self.kept.append(tracemalloc.get_traced_memory()[0])
                tracemalloc.stop()
                self.blocks.append(sys.getallocatedblocks())
            yield frame


@pytest.mark.timeout(120)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_every_frame_is_answered_as_documented() -> None:
    """100,000 frames on one session: each gets the answer of the reference of the wire, and memory is flat."""
    memory = Memory()
    peer = HostilePeer(memory.along(islice(junk(1), 100_001), marks=(20_000, 100_000), window=1_000))
    await peer.talk(App(controllers=[Echo]))
    assert peer.count == 100_001
    assert memory.kept[1] < memory.kept[0] + 20_000, "bytes behind 1,000 frames"
    assert memory.blocks[1] < memory.blocks[0] + 4_000, "objects behind 80,000 frames"


async def test_both_event_loops_answer_alike() -> None:
    """The same on asyncio and trio, with other frames."""
    peer = HostilePeer(islice(junk(2), 2_000))
    await peer.talk(App(controllers=[Echo]))
    assert peer.count == 2_000


def may_be_silent(frame: bytes) -> bool:
    """Whether a MessagePack frame is a control frame, or answers something: nothing answers those."""
    try:
        value = ormsgpack.unpackb(frame)
    except ValueError:
        return False
    return isinstance(value, dict) and ("re" in value or value.get("type") in ("cancel", "credit", "recover"))


async def test_messagepack_is_answered_too() -> None:
    """Each damaged frame has one answer, an error or the message itself; a good frame behind it is understood."""
    app = App(controllers=[Echo], codecs=[JsonCodec(), MsgPackCodec()])
    async with AsyncTestClient(app) as client, client.connect("/", subprotocols=["wsc.v1+msgpack"], timeout=20) as peer:
        for number, frame in enumerate(islice(packed_junk(1), 3_000)):
            await peer.send_bytes(frame)
            await peer.send_bytes(ormsgpack.packb({"type": "nothing", "ref": f"good {number}"}))
            answers: list[Any] = []
            while not answers or answers[-1].get("re") != f"good {number}":
                answers.append(ormsgpack.unpackb(await peer.receive_bytes()))
            assert answers.pop() == {"type": "nothing", "re": f"good {number}"}
            assert len(answers) == 1 or (not answers and may_be_silent(frame)), (frame, answers)
            for answer in answers:
                assert answer["type"] in MODELS or essence(answer)["code"] in BAD_FRAME | {"forbidden"}, (frame, answer)


async def test_an_answer_that_is_none_answers_no_question() -> None:
    """Replies with junk to an open question are errors, or left out of account; the true one still counts."""

    class Curious(Controller):
        limits = ENDLESS
        sends = (Question,)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say, session: Session[Any, Any]) -> Say:
            answer = await session.request(Question(), reply=Answer, timeout=None)
            return Say(text=str(answer.n))

    values = [value for value in LITERALS if not re.fullmatch(r"-?[01]|9\d*|1{4300}", value)]
    async with AsyncTestClient(App(controllers=[Curious])) as client, client.connect("/", timeout=20) as peer:
        await peer.send(Say(text="ask"))
        ref = (await peer.receive_json())["ref"]
        client.clock.glance()
        for value in values:
            for frame in (f'{{"type":"answer","re":{ref},"n":{value}}}', f'{{"type":"answer","re":{ref},"x":{value}}}'):
                await peer.send_text(frame)
                assert essence(await peer.receive_json())["code"] in {"validation", "invalid_json"}, frame
        for tag in ("move", "nope", "answer "):
            await peer.send_text(f'{{"type":"{tag}","re":{ref},"n":1}}')
            assert essence(await peer.receive_json())["code"] == "unknown_type"
        await peer.send_text(f'{{"type":"answer","re":{ref + 1},"n":1}}')
        await peer.expect_nothing()
        await peer.send_text(f'{{"type":"answer","re":{ref},"n":17}}')
        assert await peer.receive_json() == {"type": "say", "text": "17"}


class Limited:
    """What the default limits say of a peer that sends all at once, frame by frame."""

    def __init__(self) -> None:
        self.frames = self.bad = self.in_a_row = 0

    def close(self, frame: str | bytes, answer: dict[str, Any] | None) -> tuple[int, str] | None:
        """The close behind a frame that `documented` knows the answer of, if there is one."""
        if len(frame if isinstance(frame, bytes) else frame.encode(errors="surrogatepass")) > 65_536:
            return 1009, "message over 65536 bytes"
        # What is not answered, but where no mark is good, are control frames and replies: they do not count.
        is_counted = answer is not None and answer.get("code") != "forbidden"
        self.frames += is_counted
        if is_counted and self.frames > 200:
            return 1008, "too many messages"
        is_bad = answer is not None and answer.get("code") in BAD_FRAME
        self.bad += is_bad
        self.in_a_row = self.in_a_row + 1 if is_bad else 0
        return (1008, "too many bad frames") if self.in_a_row == 10 or self.bad == 100 else None


@pytest.mark.parametrize("seed", range(5))
async def test_limits_end_it_where_they_say(seed: int) -> None:
    """By default a hostile peer is closed at its tenth bad frame in a row, its hundredth, its 201st that counts, or a big one."""

    class Guarded(Echo):
        limits = Limits()

    random, closes = Random(seed), Counter[str]()  # noqa: S311 - no secret
    frames = junk(1_000 + seed)
    async with AsyncTestClient(App(controllers=[Guarded])) as client:
        for session in range(20):
            patience, limited, close = session % 4 / 4, Limited(), None
            async with client.connect("/", timeout=20) as peer:
                while close is None:
                    frame = next(frames) if random.random() > patience else '{"type":"nothing"}'
                    answer = documented(frame)
                    close = limited.close(frame, answer)
                    await (peer.send_text(frame) if isinstance(frame, str) else peer.send_bytes(frame))
                    if close == (1008, "too many messages"):
                        answer = {"type": "error", "code": "rate_limited"}
                    if answer is not None and close != (1009, "message over 65536 bytes"):
                        assert essence(await peer.receive_json()) == answer
                assert await peer.expect_closed(close[0]) == close[1]
                closes[close[1]] += 1
    assert len(closes) >= 2, closes
