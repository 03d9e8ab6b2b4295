"""A group as far as it is in this process."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from wscontrollers.groups.alone import Alone
from wscontrollers.groups.engines.engine import History, Position
from wscontrollers.groups.envelope import Envelope
from wscontrollers.groups.local import LocalGroup
from wscontrollers.groups.publication import Publication
from wscontrollers.groups.published import Tally
from wscontrollers.messages import Gap
from wscontrollers.session import Delivery


class Hearing:
    """A member that takes what it is offered as it is told to."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.life = self
        self.outbox = None
        self.id = delivery.value
        self.user = None
        self.told: list[Gap] = []

    def offer(self, publication: Publication) -> Delivery:
        return self.delivery

    def miss(self, gap: Gap) -> None:
        self.told.append(gap)


def group(*members: Any) -> LocalGroup:
    made = LocalGroup("tea")
    made.members = {each.id: each for each in members}
    return made


def test_what_became_of_it_is_counted() -> None:
    """Sent and waiting is delivered, also where older ones gave way; no room is dropped; who is gone is neither."""
    tea = group(*map(Hearing, Delivery))
    assert tea.deliver(Envelope({}).encode(), Position("e", 4)) == Tally(4, 3, 1, 1)
    assert tea.position == Position("e", 4)
    assert tea.deliver(Envelope({}, exclude=frozenset({"sent", "dropped"})).encode(), None) == Tally(0, 2, 0, 1)
    assert tea.position == Position("e", 4)


def test_what_is_no_message_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """Its place counts all the same, or it would be taken for a loss."""
    tea = group(Hearing(Delivery.SENT))
    with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
        assert tea.deliver(b"nonsense", Position("e", 5)) == Tally(5, 0, 0)
    assert "no message of ours" in caplog.text
    assert tea.position == Position("e", 5)


def test_a_gap_is_told_to_all() -> None:
    """Everybody who is in the group at that moment."""
    members = [Hearing(Delivery.SENT), Hearing(Delivery.DROPPED)]
    group(*members).tell_gap(Gap(3, "engine", "tea"))
    assert [each.told for each in members] == [[Gap(3, "engine", "tea")]] * 2
    user = LocalGroup("user:ann")
    user.members = {"1": members[0]}  # type: ignore[dict-item]
    user.tell_gap(Gap(1, "engine", "user:ann"))
    assert members[0].told[-1] == Gap(1, "engine", None)
    assert LocalGroup("tea", history=History()).has_history
    assert LocalGroup("tea").channel == "g:tea"


def test_what_others_publish_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reaches the engine's server can publish anything there: it is passed over, and no engine fails of it."""
    tea = group(Hearing(Delivery.SENT))
    with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
        for offset, data in enumerate([b'{"f":5}\n', b'{"f":[1]}\n', b'{"x":7}\n', b"\xff\n", b"[]\n"]):
            assert tea.deliver(data, Position("e", offset)) == Tally(offset, 0, 0)
    assert len(caplog.records) == 5


def test_who_is_put_in_twice_keeps_what_he_was_handed() -> None:
    """A session whose join waits for the engine is put in again behind that: what it was handed meanwhile comes once."""
    tea, envelope = LocalGroup("tea"), Envelope({}, name="1")
    tea.alone = Alone()
    tea.alone.handed("0")
    ann, bob = Hearing(Delivery.SENT), Hearing(Delivery.QUEUED)
    tea.add(ann)  # type: ignore[arg-type]
    tea.deliver(envelope.encode(), None, envelope)
    tea.alone.handed("1")
    for member in (ann, bob):
        tea.add(member)  # type: ignore[arg-type]
    assert tea.deliver(envelope.encode(), Position("e", 4)).delivered == 1
