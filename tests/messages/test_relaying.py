"""Frames that were written once for many sessions, as each codec has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wscontrollers.messages import JsonCodec, MsgPackCodec, ObjectCodec
from wscontrollers.messages.relaying import relayed

SAID = '{"type":"said","text":"a \\"quoted\\" text"}'


class Loud(ObjectCodec):
    """JSON in another name, as text."""

    subprotocol = "loud"
    binary = False

    def load(self, frame: Any) -> Any:
        return json.loads(frame)

    def dump(self, value: dict[str, Any]) -> str:
        return json.dumps(value)


class Closed(JsonCodec):
    """A codec that says nothing of objects."""

    subprotocol = "closed"


def test_a_codecs_own_frame_is_taken_as_it_is() -> None:
    """Nothing is written anew where there is nothing to add."""
    assert relayed(JsonCodec(), {"wsc.v1+json": SAID}) is SAID


@pytest.mark.parametrize("mark", ["bWFyaw", 'a"b'])
def test_a_mark_is_put_into_each_codecs_frame(mark: str) -> None:
    """Beside the fields, which stay as they are."""
    packed = MsgPackCodec()
    expected = {**json.loads(SAID), "mark": mark}
    frames = {"wsc.v1+json": SAID, "wsc.v1+msgpack": packed.dump(json.loads(SAID))}
    marked = relayed(JsonCodec(), frames, mark)
    assert isinstance(marked, str)
    assert json.loads(marked) == expected
    assert packed.load(relayed(packed, frames, mark)) == expected


@pytest.mark.parametrize("mark", [None, "m"])
def test_a_codec_of_objects_can_do_with_json(mark: str | None) -> None:
    """What a publisher without the codec wrote is decoded and encoded again."""
    frame = relayed(Loud(), {"wsc.v1+json": SAID}, mark)
    assert isinstance(frame, str)
    assert json.loads(frame) == {**json.loads(SAID), **({} if mark is None else {"mark": mark})}


def test_another_codec_needs_its_own_frame() -> None:
    """Without it there is none; with it the mark is left out where nobody knows how to put it in."""
    assert relayed(Closed(), {"wsc.v1+json": SAID}) is None
    assert relayed(Closed(), {"closed": "(said)"}, "m") == "(said)"
