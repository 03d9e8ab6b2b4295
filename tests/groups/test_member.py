"""One session in one group."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from wscontrollers.groups.engines.engine import History, Position
from wscontrollers.groups.envelope import Envelope
from wscontrollers.groups.local import LocalGroup
from wscontrollers.groups.member import WINDOW, Member
from wscontrollers.groups.publication import Publication
from wscontrollers.messages import Gap, JsonCodec
from wscontrollers.session import DEFAULT_LIMITS, Delivery
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.framing import FlatFraming
from wscontrollers.session.wire import Wire


class Box:
    """An outbox that notes what it is given."""

    direct = None

    def __init__(self) -> None:
        self.sent: list[tuple[str, Overflow, object]] = []

    def go_direct(self) -> None:
        """There is no server."""

    def send_nowait(self, frame: dict[str, Any], size: int, overflow: Overflow, key: object) -> Delivery:
        if frame["text"] == "broken":
            raise RuntimeError("a server that fails")
        self.sent.append((frame["text"], overflow, key))
        return Delivery.SENT


def life(**options: Any) -> Any:
    fields = {
        "id": "1",
        "user": None,
        "framing": FlatFraming(JsonCodec(), None),
        "outbox": Box(),
        "wire": Wire(None, limits=DEFAULT_LIMITS, outbox="drop_newest"),
        "limits": DEFAULT_LIMITS,
    }
    return SimpleNamespace(**{**fields, **options})


def publication(text: str, offset: int = 1, **options: Any) -> Publication:
    envelope = Envelope({"wsc.v1+json": text}, **options)
    return Publication("tea", envelope, Position("e", offset), is_marked=False)


def test_it_catches_up_before_it_hears_anything_live() -> None:
    """What arrives meanwhile waits; what it has by then is not handed over again."""
    member = Member(life())
    assert [member.offer(publication(str(n), n)) for n in (1, 2, 3)] == [Delivery.QUEUED] * 3
    assert member.life.outbox.sent == []
    member.go_live(Position("e", 2))
    assert member.offer(publication("4", 4)) is Delivery.SENT
    assert [text for text, _, _ in member.life.outbox.sent] == ["3", "4"]
    member.hold()
    assert member.is_catching_up
    assert member.outbox is None  # or a walk through the group would write past what waits
    assert member.offer(publication("5", 5)) is Delivery.QUEUED


def test_what_waits_is_bounded() -> None:
    """By as much as an outbox holds; beyond it the session ends as a slow one does."""
    told: list[str] = []
    member = Member(life(limits=DEFAULT_LIMITS._replace(outbox=2), overflown=lambda: told.append("overflown")))
    assert [member.offer(publication("a")) for _ in range(3)] == [Delivery.QUEUED, Delivery.QUEUED, Delivery.CLOSED]
    assert told == ["overflown"]


def test_the_policy_is_that_of_the_message_or_of_the_controller() -> None:
    """The key of `latest` is the group's own."""
    member = Member(life())
    member.go_live()
    member.offer(publication("a"))
    member.offer(publication("b", overflow=Overflow.DROP_OLDEST, key="k"))
    assert member.life.outbox.sent == [("a", Overflow.DROP_NEWEST, None), ("b", Overflow.DROP_OLDEST, ("tea", "k"))]


def test_a_member_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Its message is lost and logged; nothing is raised."""
    member = Member(life())
    member.go_live()
    with caplog.at_level(logging.ERROR, "wscontrollers.groups"):
        assert member.offer(publication("broken")) is Delivery.DROPPED
    assert "session 1" in caplog.text


def texts(member: Member) -> list[str]:
    box: Any = member.life.outbox
    return [text for text, _, _ in box.sent]


def test_what_came_out_of_the_history_does_not_come_again() -> None:
    """The history may be ahead of the group: what the group comes to then is passed over, up to where the history ended."""
    member = Member(life())
    member.offer(publication("1", 1))
    member.go_live(Position("e", 3), Position("e", 1))
    assert member.outbox is None
    assert [member.offer(publication(str(n), n)) for n in (2, 3, 4, 5)] == [Delivery.SENT] * 4
    assert texts(member) == ["4", "5"]
    assert member.outbox is not None


def test_while_the_group_is_in_another_epoch_it_is_compared() -> None:
    """It comes to the one that the history was of; and who asks again begins anew."""
    member = Member(life())
    member.go_live(Position("new", 3), Position("old", 7))
    member.offer(publication("8", 8))
    assert texts(member) == ["8"]
    assert not member.is_catching_up
    member.hold()
    assert member.is_catching_up
    assert member.offer(publication("9", 9)) is Delivery.QUEUED


def test_a_gap_is_told_in_its_place() -> None:
    """Behind what waits, so that nothing that comes behind it seems to be whole."""
    box = Box()
    member = Member(life(outbox=box, tell=lambda gap: box.sent.append((gap.reason, Overflow.CLOSE, None))))
    member.offer(publication("1", 1))
    member.miss(Gap(2, "engine", "tea"))
    member.offer(publication("4", 4))
    assert texts(member) == []
    member.go_live()
    member.miss(Gap(1, "trimmed", "tea"))
    assert texts(member) == ["1", "engine", "4", "trimmed"]


def test_of_a_group_with_a_history_the_newest_waits() -> None:
    """The rest can be read; what cannot, for it came without the engine, is told."""
    told: list[Gap] = []
    member = Member(life(tell=told.append))
    member.group = LocalGroup("tea", history=History())
    alone = Publication("tea", Envelope({"wsc.v1+json": "alone"}), None, is_marked=False)
    member.offer(alone)
    member.miss(Gap(3, "trimmed", "tea"))
    for number in range(1, WINDOW + 4):
        assert member.offer(publication(str(number), number)) is Delivery.QUEUED
    assert told == [Gap(1, "slow", "tea"), Gap(3, "trimmed", "tea")]
    assert member.passed == Position("e", 3)
    first = member.next_waiting()
    assert isinstance(first, Publication)
    assert first.position == Position("e", 4)
