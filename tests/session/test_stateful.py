"""A session of every order, driven at random and compared with a model."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.session.looping import Loop, called
from tests.session.model import STREAMS, Job, Model
from tests.session.stage import Pushed, Stage, app_on
from wscontrollers import Delivery
from wscontrollers.testing import AsyncTestClient

T = TypeVar("T")

pytestmark = pytest.mark.timeout(300)  # to make a failure small takes longer than to find it


def essence(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame without what is for people and for the log."""
    return {
        key: value for key, value in frame.items() if key not in ("message", "errors") and (key, frame["type"]) != ("id", "error")
    }


def in_order(frames: list[dict[str, Any]]) -> dict[Any, list[Any]]:
    """Frames by what they answer: those of one message have an order, those of different ones have none."""
    by_ref = defaultdict[Any, list[Any]](list)
    for frame in frames:
        by_ref[frame.get("re")].append(sorted(frame.items(), key=str))
    by_ref[None].sort(key=str)
    return dict(by_ref)


TAGS = ["do", "count", "work", "newest", "turn", "feed"]
BAD_FRAMES = [("[", "invalid_json"), ("[]", "invalid_frame"), ('{"type":"no"}', "unknown_type"), ('{"type":"do"}', "validation")]

KINDS = ["send"] * 4 + ["act"] * 6 + ["control"] * 3 + ["control in vain", "bad frame", "push", "answer", "pause"]


class Sessions(RuleBasedStateMachine):
    """One session after the other, of one application."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.stack = AsyncExitStack()
        self.numbers = 0
        self.has_agreed = False

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        self.has_agreed = False
        return self.loop(call)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    @initialize(tags=st.sets(st.sampled_from(TAGS), min_size=1), length=st.integers(0, 30))
    def start(self, tags: set[str], length: int) -> None:
        self.length = length
        self.tags = sorted(tags)  # few of them in a run: what comes of their orders needs several messages
        self.stage = Stage()
        self.client = self.run(self.stack.enter_async_context(AsyncTestClient(app_on(self.stage))))
        self.run(self.connect())

    async def connect(self) -> None:
        self.others = asyncio.all_tasks()
        self.is_over = self.has_agreed = self.has_left = False
        self.model = Model()
        self.is_paused = False
        self.steps = 0
        self.connecting = self.client.connect("/")
        self.peer = await self.connecting.__aenter__()
        await self.peer.expect_nothing()

    is_open = precondition(lambda self: self.model.phase == "open")
    is_alive = precondition(lambda self: self.model.phase != "ended")
    is_long_enough = precondition(lambda self: self.steps >= self.length)

    @is_alive
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def step(self, data: st.DataObject, kind: str) -> None:
        """One of many things that happen while a session lasts; `KINDS` says how often each."""
        model = self.model
        if kind == "act" and model.active:
            self.act(model.jobs[data.draw(st.sampled_from(sorted(model.active)))], data)
        elif kind == "pause":
            self.is_paused = not self.is_paused
            self.run(called(self.peer.pause_reading if self.is_paused else self.peer.resume_reading))
        elif model.phase != "open":
            pass
        elif kind == "control" and model.asked:
            self.run(self.control(data.draw(st.sampled_from(model.asked)), data.draw(st.integers(0, 2))))
        elif kind == "control in vain":
            self.run(self.control(f"r{self.numbers + 1}", data.draw(st.integers(0, 1))))
        elif kind == "bad frame":
            text, code = data.draw(st.sampled_from(BAD_FRAMES))
            model.bad_frame(code)
            self.run(self.sent(text))
        elif kind == "push":
            self.push(data.draw(st.sampled_from(["send", "send_nowait", "request"])))
        elif kind == "answer" and model.questions:
            self.answer(data.draw(st.sampled_from(sorted(model.questions))), data.draw(st.sampled_from(["answer", "ok", "no"])))
        else:
            for _ in range(data.draw(st.integers(1, 3))):
                self.send(data.draw(st.sampled_from(self.tags)), data.draw(st.sampled_from("aab")), asks=data.draw(st.booleans()))

    # What the client does

    def send(self, tag: str, room: str, *, asks: bool) -> None:
        number = self.number()
        job = Job(number, tag, f"r{number}" if asks else None, room)
        frame = {"type": tag, "id": job.id} | ({"ref": job.ref} if asks else {}) | ({"room": room} if tag == "turn" else {})
        self.model.send(job)
        self.run(self.sent(frame))

    async def control(self, ref: str, items: int) -> None:
        """A `cancel`, or credit for so many items."""
        if items:
            self.model.credit(ref, items)
            await self.sent({"type": "credit", "re": ref, "n": items})
        else:
            self.model.cancel(ref)
            await self.sent({"type": "cancel", "re": ref})

    def answer(self, n: int, how: str) -> None:
        forms: dict[str, dict[str, Any]] = {
            f"answer {n}": {"type": "answer", "n": n},
            "ok": {"type": "ok"},
            "no": {"type": "error", "code": "no", "message": ""},
        }
        outcome = f"answer {n}" if how == "answer" else how
        frame = forms[outcome] | {"re": self.model.questions[n]}
        self.model.answer(n, outcome)
        self.run(self.sent(frame))

    async def sent(self, frame: Any) -> None:
        await (self.peer.send_text(frame) if isinstance(frame, str) else self.peer.send_json(frame))

    @is_alive
    @is_long_enough
    @rule(how=st.sampled_from(["leave", "vanish", "reset"]))
    def depart(self, how: str) -> None:
        if how == "vanish":
            self.run(called(self.peer.vanish))
            self.run(self.settle())
            assert self.stage.active == self.model.active
        self.has_left = True
        self.run(self.peer.close(3000) if how == "leave" else called(self.peer.reset))
        self.model.close(*(("client", 3000) if how == "leave" else ("network", 1006)), grace=False)

    # What the server does

    def act(self, job: Job, data: st.DataObject) -> None:
        outcomes = ["item", "item", "item", "end"] if job.tag in STREAMS else ["reply", "ok"]
        if not self.is_paused and not job.todo:  # the test has to see at once that it is expected
            outcomes = [*outcomes, "bug"]
        if self.steps >= self.length and self.model.phase == "open":
            outcomes = [*outcomes, "close"]
        outcome: Any = data.draw(st.sampled_from([*outcomes, "declared"]))
        self.model.act(job, outcome)
        self.run(called(self.stage.tell, job.id, outcome))
        if outcome == "bug":
            self.model.expected.remove({"type": "error", "code": "internal"} | ({"re": job.ref} if job.ref else {}))
            self.run(self.peer.expect_error("internal"))

    def push(self, how: str) -> None:
        n, session = self.number(), self.stage.session
        if how == "request":
            self.model.ask(n)
            self.run(called(session.start_soon, self.stage.ask, n))
            return
        self.model.push(n)
        message = Pushed(n=n)
        delivery = self.run(session.send(message) if how == "send" else called(session.send_nowait, message))
        assert delivery is Delivery.SENT or (delivery is Delivery.QUEUED and how == "send_nowait")

    @is_open
    @is_long_enough
    @rule(how=st.sampled_from(["close", "fail"]))
    def end(self, how: str) -> None:
        session = self.stage.session
        self.run(session.close(4000) if how == "close" else called(session.start_soon, self.stage.fail))
        self.model.close("server", 4000 if how == "close" else 1011, grace=how == "close")

    @precondition(lambda self: self.model.phase == "closing")
    @rule()
    def grace_is_over(self) -> None:
        self.model.over()
        self.run(self.client.clock.advance(6))

    # What holds at all times

    @invariant()
    def agrees(self) -> None:
        self.run(self.compare())
        self.has_agreed = True
        self.steps += 1

    @precondition(lambda self: self.model.phase == "ended" and not self.is_paused)
    @rule()
    def connect_again(self) -> None:
        self.run(self.connect())

    async def settle(self) -> None:
        for _ in range(2):  # at the second look who is busy has somebody read ahead
            await self.client.clock.advance(0)
            self.client.clock.glance()
        await self.client.clock.advance(0)

    async def compare(self) -> None:
        await self.settle()
        model, stage = self.model, self.stage
        assert stage.active == model.active
        assert {n: stage.outcomes.get(n) for n in model.outcomes} == model.outcomes
        if model.phase == "ended" and self.is_paused:
            self.is_paused = False
            self.peer.resume_reading()
        if self.has_left:
            model.expected.clear()  # nobody is there to see them
        if not self.is_paused:
            frames = [essence(await self.peer.receive_json()) for _ in model.expected]
            assert in_order(frames) == in_order(model.expected)
            model.expected.clear()
        if model.phase != "ended":
            await self.peer.expect_nothing()
        elif not self.is_over:
            await self.finish()

    async def finish(self) -> None:
        """Nothing is left of a session that has ended, and everything of it was cleaned up once."""
        self.is_over = True
        assert self.model.end is not None
        by, code = self.model.end
        if not self.has_left:
            await self.peer.expect_closed(code)
        await self.connecting.__aexit__(None, None, None)
        stage = self.stage
        assert stage.ended == [(by, code)]
        assert stage.closed_resources == 1
        assert stage.active == set()
        assert stage.left == stage.entered
        assert set(stage.left.values()) <= {1}
        assert stage.cleaned == stage.left
        assert stage.session.send_nowait(Pushed(n=0)) is Delivery.CLOSED
        tasks = asyncio.all_tasks() - self.others
        assert {task for task in tasks if "start_detached" not in repr(task)} == set()  # that one is the look-out for all
        stage.reset()

    def teardown(self) -> None:
        if self.has_agreed and not self.is_over:
            self.depart("leave")
            self.agrees()
        try:
            self.loop(self.stop())
        finally:
            self.loop.close()

    async def stop(self) -> None:
        if not self.has_agreed:  # what failed is known, and this is only to end
            with suppress(Exception):
                await self.connecting.__aexit__(None, None, None)
            with suppress(Exception):
                await self.stack.aclose()
        await self.stack.aclose()


Sessions.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
TestSessions = Sessions.TestCase
