"""A published message in the process that delivers it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from wscontrollers import App, Message, Session, latest
from wscontrollers.groups import Group, History
from wscontrollers.groups.engines.engine import Position
from wscontrollers.groups.envelope import Envelope
from wscontrollers.groups.marks import Mark
from wscontrollers.groups.member import Member
from wscontrollers.groups.publication import Publication
from wscontrollers.messages import JsonCodec, MsgPackCodec
from wscontrollers.session import DEFAULT_LIMITS, Wire
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.framing import FlatFraming
from wscontrollers.testing import AsyncTestClient

SAID = '{"type":"said"}'


class Say(Message):
    text: str


class Price(Message, outbox=latest(key="symbol")):
    symbol: str
    cents: int


def member(session: str, user: str | None = None) -> Member:
    life: Any = SimpleNamespace(id=session, user=user, framing=FlatFraming(JsonCodec(), None))
    return Member(life)


@pytest.mark.parametrize(
    ("envelope", "hears"),
    [
        (Envelope({}), ["1", "2", "3"]),
        (Envelope({}, exclude=frozenset({"1", "3"})), ["2"]),
        (Envelope({}, to="session:2"), ["2"]),
        (Envelope({}, to="user:ann"), ["1", "3"]),
        (Envelope({}, exclude=frozenset({"user:ann"})), ["2"]),
        (Envelope({}, to="user:ann", exclude=frozenset({"1"})), ["3"]),
        (Envelope({}, to="user:"), []),
    ],
)
def test_whom_it_is_for(envelope: Envelope, hears: list[str]) -> None:
    """All members, or those that are named, without those that are excluded."""
    publication = Publication("tea", envelope, None, is_marked=False)
    members = [member("1", "ann"), member("2"), member("3", "ann")]
    assert [each.life.id for each in members if publication.is_for(each)] == hears
    assert publication.is_for_all is (len(hears) == 3)


def test_a_frame_is_made_once_for_all_that_share_a_codec() -> None:
    """The same object for each of them, with its place in it where the group has a history."""
    position = Position("e", 7)
    publication = Publication("tea", Envelope({"wsc.v1+json": SAID}), position, is_marked=True)
    first, second = FlatFraming(JsonCodec(), None), FlatFraming(JsonCodec(), None)
    shared = publication.frame_for(first)
    assert shared is not None
    assert isinstance(shared.frame, str)
    assert json.loads(shared.frame) == {"type": "said", "mark": str(Mark("tea", position))}
    assert publication.frame_for(second) is shared
    packed = publication.frame_for(FlatFraming(MsgPackCodec(), None))
    assert packed is not None
    assert isinstance(packed.frame, bytes)
    plain = Publication("tea", Envelope({"wsc.v1+json": SAID}), position, is_marked=False).frame_for(first)
    assert plain is not None
    assert plain.frame == SAID


def test_what_came_behind_a_place() -> None:
    """By its offset; another epoch is behind everything, and so is what came through no engine."""

    def at(position: Position | None) -> Publication:
        return Publication("tea", Envelope({}), position, is_marked=False)

    assert not at(Position("e", 3)).is_behind(Position("e", 3))
    assert at(Position("e", 4)).is_behind(Position("e", 3))
    assert at(Position("other", 1)).is_behind(Position("e", 3))
    assert at(None).is_behind(Position("e", 3))
    assert at(Position("e", 1)).is_behind(None)


async def test_no_message_overtakes_another_by_its_mark() -> None:
    """With marks a newer price takes no older one's place: who is lost between two frames would lose what lies between them."""
    app = App(groups=[Group("market", history=History())])

    @app.websocket("/")
    async def endpoint(session: Session[Say, Price | Say]) -> None:
        await session.join("market")
        async for _ in session:
            pass

    publish = app.groups.publish
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        peer.pause_reading()
        for _ in range(2):  # one fills the buffers, one is under way
            await publish("market", Say(text="x" * 100_000))
            await client.clock.advance(0.1)
        messages = [Price(symbol="TEA", cents=1), Say(text="between"), Price(symbol="TEA", cents=2)]
        marks = [(await publish("market", message)).mark for message in messages]
        peer.resume_reading()
        await peer.expect(Say)
        await peer.expect(Say)
        assert [json.loads(await peer.receive_text())["mark"] for _ in messages] == marks


def test_a_key_that_cannot_be_had_costs_no_message(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a controller's key is logged once for a publication; the message is treated as with "close"."""
    framed = Envelope({"wsc.v1+json": '{"type":"say","text":"a"}'})
    publication = Publication("tea", framed, None, is_marked=False)
    for policy in (latest(key=lambda message: message.nothing), latest(key=lambda message: [message.text])):
        wire = Wire(None, limits=DEFAULT_LIMITS, outbox=policy, sends=[Say])
        caplog.clear()
        assert [publication.policy_for(wire) for _ in range(2)] == [(Overflow.CLOSE, None)] * 2
        assert caplog.text.count("could not be had") == 1
    clashing = Wire(None, limits=DEFAULT_LIMITS, outbox=latest(key="text"), sends=[Message])
    assert publication.policy_for(clashing) == (Overflow.CLOSE, None)
