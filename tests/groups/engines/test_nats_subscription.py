"""From what NATS delivers to what a listener is told."""

from __future__ import annotations

from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from wscontrollers.groups.engines.engine import Arrival, Position
from wscontrollers.groups.engines.nats_subscription import Subscription


class Told:
    """A subscription, and what came of it."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.strange: list[Position] = []
        self.subscription = Subscription("tea", self.arrivals.append, self._noticed)

    def _noticed(self, place: Position, is_strange: bool) -> None:
        if is_strange:
            self.strange.append(place)

    def come(self, number: int, before: int, kind: str = "k", epoch: str = "e1") -> None:
        """A message comes; numbers are the stream's, which begin at 1."""
        headers = {"Nats-Sequence": str(number), "Nats-Last-Sequence": str(before)}
        self.subscription._take(Msg(Client(), f"wsc.l.{epoch}.{kind}.tea", data=b"%d" % number, headers=headers))

    @property
    def heard(self) -> list[tuple[int, int]]:
        """Offsets, and those before them."""
        return [(arrival.position.offset, arrival.previous) for arrival in self.arrivals]


@pytest.fixture
def told() -> Told:
    """A subscription that begins at offset 9."""
    found = Told()
    found.subscription.begin(Position("e1", 9))
    return found


def test_what_comes_before_the_position_is_known_waits() -> None:
    """Then what is behind it is handed on, once and in order, and the rest was counted already."""
    told = Told()
    for number, before in ((9, 5), (10, 9), (12, 10), (15, 12)):
        told.come(number, before)
    assert told.arrivals == []
    told.subscription.begin(Position("e1", 9))
    assert told.heard == [(11, 9), (14, 11)]


def test_messages_of_both_kinds_follow_on_each_other(told: Told) -> None:
    """A message names the one before it of its own kind; the listener is told of the one before it of the channel."""
    told.come(11, 10, "k")
    told.come(12, 7, "p")
    told.come(20, 11, "k")
    told.come(21, 12, "p")
    assert told.heard == [(10, 9), (11, 10), (19, 11), (20, 19)]


def test_the_one_before_it_may_have_expired(told: Told) -> None:
    """Where the server knows of none before it, none is missing."""
    told.come(30, 0)
    told.come(40, 0)
    assert told.heard == [(29, 9), (39, 29)]


def test_one_that_is_missing(told: Told) -> None:
    """Its number is told."""
    told.come(11, 10)
    told.come(17, 14)
    assert told.heard == [(10, 9), (16, 13)]


def test_one_of_a_kind_is_missing_behind_one_of_the_other(told: Told) -> None:
    """It is told by a number that nobody saw."""
    told.come(14, 9, "p")
    told.come(17, 12, "k")
    assert told.heard[0] == (13, 9)
    assert told.heard[1][0] == 16
    assert told.heard[1][1] > 13


def test_a_message_of_another_numbering(told: Told) -> None:
    """It is not handed on until the subscription begins anew; what is of neither numbering is dropped."""
    told.come(11, 10)
    told.come(2, 0, epoch="e2")
    told.come(12, 11)
    told.come(3, 2, epoch="e2")
    assert told.heard == [(10, 9)]
    assert told.strange[0] == Position("e2", 1)
    told.subscription.begin(Position("e2", 0))
    assert [arrival.position for arrival in told.arrivals[1:]] == [Position("e2", 1), Position("e2", 2)]
    assert told.heard[1:] == [(1, 0), (2, 1)]


@pytest.mark.parametrize("headers", [None, {"Other": "1"}])
def test_what_others_publish_there(told: Told, headers: Any) -> None:
    """A message without a number did not come through the stream, and is none."""
    told.subscription._take(Msg(Client(), "wsc.l.e1.k.tea", data=b"strange", headers=headers))
    assert told.arrivals == []


def stub(told: Told, number: int, before: int, of: int) -> None:
    """A stub comes in the place of a message with an offset."""
    headers = {"Nats-Sequence": str(number), "Nats-Last-Sequence": str(before), "Wsc-Stub": str(of)}
    told.subscription._take(Msg(Client(), "wsc.l.e1.p.tea", data=b"", headers=headers))


def test_a_stub_is_no_message(told: Told) -> None:
    """What follows on it follows on the message in whose place it is: nothing is missing."""
    told.come(11, 7, "p")
    stub(told, 12, 11, 10)
    told.come(15, 12, "p")
    assert told.heard == [(10, 9), (14, 10)]


def test_a_stub_of_a_message_that_did_not_come(told: Told) -> None:
    """It hides nothing: the next message tells of a hole."""
    stub(told, 12, 11, 10)
    told.come(15, 12, "p")
    assert told.heard == [(14, 11)]


def test_a_stub_that_was_there_at_the_beginning() -> None:
    """The look-up told of it."""
    told = Told()
    stub(told, 11, 10, 9)
    told.subscription.begin(Position("e1", 9), 10)
    told.come(13, 11, "p")
    assert told.heard == [(12, 9)]
