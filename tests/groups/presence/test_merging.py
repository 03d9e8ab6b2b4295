"""What the members of one process are told, and when, driven at random and compared with who is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.session.looping import Loop, called
from wscontrollers.groups.presence.audience import Audience
from wscontrollers.groups.presence.declared import PresenceOf
from wscontrollers.groups.presence.entry import Entry
from wscontrollers.session.clock import Clock
from wscontrollers.session.delivery import Overflow

pytestmark = pytest.mark.timeout(120)

LINGER = 2.0


class Moved(Clock):
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


class Hearer:
    """A member: the list that its page keeps, and when it was told something."""

    def __init__(self, machine: Telling, session: str) -> None:
        self.machine = machine
        self.seen: dict[str, Any] = {}
        self.told_at: list[float] = []
        self.life: Any = SimpleNamespace(
            id=session,
            framing=SimpleNamespace(dialect="flat", control=self.written),
            outbox=SimpleNamespace(send_nowait=self.hear),
            wire=SimpleNamespace(overflow=Overflow.DROP_NEWEST),
        )

    def written(self, frame: Any) -> bytes:
        """Remember the frame: the hearers share what is written."""
        self.machine.frames.append(frame)
        return b"%d" % (len(self.machine.frames) - 1)

    def hear(self, event: Any, size: int, policy: Overflow) -> None:
        """What a frame says is true at the moment at which it comes, and new."""
        frame = self.machine.frames[int(event["bytes"])]
        assert policy is (Overflow.DROP_NEWEST if self.told_at else Overflow.CLOSE)
        self.told_at.append(self.machine.clock.seconds)
        there = self.machine.there
        for shown in frame.joined:
            key = _key(shown)
            # A list has also users who left and may come back: all others still have them.
            assert there.get(key) == shown["info"] or (key in self.machine.away and len(self.told_at) == 1)
            assert self.seen.get(key) != shown["info"]
            self.seen[key] = shown["info"]
        for shown in frame.left:
            assert _key(shown) not in there
            del self.seen[_key(shown)]


class Telling(RuleBasedStateMachine):
    """Sessions come, change and go, here and elsewhere; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.clock = Moved()
        self.frames: list[Any] = []
        self.entries: dict[str, Entry] = {}
        self.hearers: dict[str, Hearer] = {}
        self.away: set[str] = set()
        self.count = 0

    @property
    def there(self) -> dict[str, Any]:
        """Who is there, with what he said last."""
        return {entry.who: entry.info for entry in sorted(self.entries.values(), key=lambda each: each.at)}

    @initialize(interval=st.sampled_from([0.0, 0.5, 3.0]), burst=st.integers(1, 3))
    def begin(self, interval: float, burst: int) -> None:
        self.interval, self.burst = interval, burst
        declared = PresenceOf(str, linger=LINGER, interval=interval, burst=burst)
        self.audience = Audience("tea", "here", declared, self.clock)

    @rule(user=st.sampled_from([None, "ann", "bob", "eve"]), info=st.sampled_from(["here", "away"]), is_here=st.booleans())
    def come(self, user: str | None, info: str, is_here: bool) -> None:
        self.count += 1
        session = f"{self.count}"
        entry = Entry(session, "here" if is_here else "elsewhere", info, 0.0, float(self.count), user)
        self.entries[session] = entry
        if is_here:
            hearer = self.hearers[session] = Hearer(self, session)
            self.loop(called(self.audience.welcome, entry, hearer.life))
        else:
            self.loop(called(self.audience.put, entry))

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), info=st.sampled_from(["here", "away"]))
    def say(self, data: st.DataObject, info: str) -> None:
        before = self.entries[data.draw(st.sampled_from(sorted(self.entries)))]
        self.count += 1
        entry = Entry(before.session, before.node, info, 0.0, float(self.count), before.user)
        self.entries[entry.session] = entry
        self.loop(called(self.audience.put, entry))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        entry = self.entries.pop(data.draw(st.sampled_from(sorted(self.entries))))
        if entry.user is not None:
            self.away.add(entry.who)
        self.hearers.pop(entry.session, None)
        self.loop(called(self.audience.leave, entry.session))

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 2.0]))
    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds
        self.loop(called(self.audience.glance))
        self.loop(called(self.audience.inspect, self.clock.seconds))

    @rule()
    def agrees(self) -> None:
        """Behind a time of quiet everybody sees who is there, and there is nothing left to do."""
        self.wait(LINGER)
        self.wait(self.interval)
        self.away.clear()
        for hearer in self.hearers.values():
            assert hearer.seen == self.there
        assert not self.audience._is_watched

    def teardown(self) -> None:
        try:
            self.agrees()
            for hearer in self.hearers.values() if self.interval else ():
                for at, first in enumerate(hearer.told_at):
                    for last, until in enumerate(hearer.told_at[at:], 1):
                        assert last <= self.burst + (until - first) / self.interval + 1e-3
        finally:
            self.loop.close()


def _key(shown: Any) -> str:
    return f"user:{shown['user']}" if "user" in shown else f"session:{shown['session']}"


Telling.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestTelling = Telling.TestCase
