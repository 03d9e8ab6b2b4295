"""Control frames: the same both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wscontrollers.messages import (
    Cancel,
    Credit,
    End,
    ErrorFrame,
    FrameError,
    Gap,
    GoingAway,
    Incoming,
    JsonCodec,
    MessageUnion,
    MsgPackCodec,
    Ok,
    Presence,
    Recover,
    Recovered,
)

FROM_CLIENT = [
    (Cancel("7"), {"type": "cancel", "re": "7"}),
    (Credit(7, 16), {"type": "credit", "re": 7, "n": 16}),
    (Recover(["a", "b"]), {"type": "recover", "marks": ["a", "b"]}),
]
FROM_SERVER = [
    (Ok("7"), {"type": "ok", "re": "7"}),
    (End(7), {"type": "end", "re": 7}),
    (ErrorFrame("timeout", "too slow"), {"type": "error", "code": "timeout", "message": "too slow"}),
    (
        ErrorFrame("validation", "1 fault", [{"loc": ["a", 0], "type": "t", "msg": "m"}], "7", "i"),
        {
            "type": "error",
            "code": "validation",
            "message": "1 fault",
            "errors": [{"loc": ["a", 0], "type": "t", "msg": "m"}],
            "re": "7",
            "id": "i",
        },
    ),
    (Gap(3, "slow"), {"type": "gap", "dropped": 3, "reason": "slow"}),
    (Gap(3, "engine", "room:tea"), {"type": "gap", "dropped": 3, "reason": "engine", "group": "room:tea"}),
    (GoingAway(1.5), {"type": "going_away", "reconnect_after": 1.5}),
    (Recovered("g", False, "m"), {"type": "recovered", "group": "g", "complete": False, "mark": "m"}),
    (Presence("g", ["ann"], []), {"type": "presence", "group": "g", "joined": ["ann"], "left": []}),
]


@pytest.mark.parametrize("codec", [JsonCodec(), MsgPackCodec()], ids=["json", "msgpack"])
@pytest.mark.parametrize(
    ("frame", "wire", "side"), [(*pair, "server") for pair in FROM_CLIENT] + [(*pair, "client") for pair in FROM_SERVER]
)
def test_the_wire_table(codec: Any, frame: Any, wire: dict[str, Any], side: Any) -> None:
    """Each control frame is written as the table says, and read back on the other side as what it was."""
    written = codec.writer().control(frame)
    union = MessageUnion([], side=side)

    assert codec.reader(union)(written) == Incoming(frame, wire["type"], None, wire.get("re"))
    assert (JsonCodec().reader(union)(JsonCodec().writer().control(frame))).message == frame
    assert json.loads(JsonCodec().writer().control(frame)) == wire


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"cancel"}',
        '{"type":"credit","re":"7"}',
        '{"type":"credit","re":"7","n":0}',
        '{"type":"credit","re":"7","n":2147483648}',
        '{"type":"credit","re":"7","n":true}',
        '{"type":"recover","marks":[]}',
        '{"type":"recover","marks":[1]}',
        '{"type":"recover","marks":"abc"}',
    ],
)
def test_control_frames_are_validated(text: str) -> None:
    """A client's control frame that lacks something, or has too much of it, is a `validation` error."""
    with pytest.raises(FrameError) as caught:
        JsonCodec().reader(MessageUnion([]))(text)
    assert caught.value.code == "validation"


def test_a_side_reads_the_other_sides_frames_only() -> None:
    """A client cannot send what only servers send."""
    with pytest.raises(FrameError) as caught:
        JsonCodec().reader(MessageUnion([]))('{"type":"going_away","reconnect_after":1}')
    assert caught.value.code == "unknown_type"
