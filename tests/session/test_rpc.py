"""JSON-RPC as the framing of a session: what is written for what, one response for each call, batches."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from wscontrollers import DeclarationError, JsonRpc, Message
from wscontrollers.messages import Cancel, ErrorFrame, FrameError, Gap, Incoming, MessageUnion, Reply
from wscontrollers.session.framing import Several
from wscontrollers.session.rpc import NOBODY, Rpc, RpcFraming


class Add(Message):
    a: int
    b: int = 0


class Said(Message):
    text: str


class Plain(BaseModel):
    type: Literal["plain"] = "plain"
    n: int


def rpc(held: int = 1000, **options: Any) -> Rpc:
    return Rpc(JsonRpc(**options), MessageUnion(Add), MessageUnion(Plain, side="client"), held=held)


def framing(held: int = 1000) -> RpcFraming:
    return RpcFraming(rpc(held))


def read(rpc: RpcFraming, value: Any) -> Any:
    assert rpc.read is not None
    return rpc.read(json.dumps(value))


def call(id_: Any = None, method: str = "add", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params} | ({} if id_ is None else {"id": id_})


def loaded(frame: str | None) -> Any:
    return None if frame is None else json.loads(frame)


def result(id_: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": id_}


def test_messages_are_notifications_and_requests() -> None:
    """The tag is the method; text and bytes are no calls, and the error says what is."""
    ours = framing()
    assert loaded(ours.message(Said(text="a"))) == {"jsonrpc": "2.0", "method": "said", "params": {"text": "a"}}
    assert loaded(ours.message(Plain(n=1), 7)) == {"jsonrpc": "2.0", "method": "plain", "params": {"n": 1}, "id": 7}
    assert loaded(ours.control(Gap(2, "slow"))) == {"jsonrpc": "2.0", "method": "gap", "params": {"dropped": 2, "reason": "slow"}}
    for raw in ("text", b"bytes"):
        with pytest.raises(TypeError, match=r"is no notification of JSON-RPC\. Fix: send a Message"):
            ours.message(raw)


def test_a_groups_message_is_a_notification() -> None:
    """It is made of what was written as JSON; a mark is one of its params. What has no JSON cannot be relayed."""
    ours = framing()
    frames = {"wsc.v1+json": '{"type":"said","text":"a"}'}
    assert loaded(ours.relayed(frames, None)) == {"jsonrpc": "2.0", "method": "said", "params": {"text": "a"}}
    assert loaded(ours.relayed(frames, "m"))["params"] == {"text": "a", "mark": "m"}
    assert ours.relayed({"other": b"x"}, None) is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (7, 7),
        ("text", "text"),
        (b"\xff", "_w=="),
        ([Said(text="a")], [{"text": "a"}]),
        (Said(text="a"), {"text": "a"}),
    ],
)
def test_a_result_is_any_value(value: Any, written: Any) -> None:
    """None is null, a message its fields; the id comes back as it was."""
    ours = framing()
    for id_ in ("a", 0, 1.5):
        ref = read(ours, call(id_, a=1)).ref
        assert loaded(ours.answer(value, ref)) == result(id_, written)


def test_a_call_has_one_response() -> None:
    """Whatever comes second is nothing, and calls with the same id have a response each."""
    ours = framing()
    first, second = read(ours, call(1, a=1)), read(ours, call(1, a=2))
    assert ours.answer("x", first.ref) is not None
    assert ours.answer("x", first.ref) is None
    assert ours.error(ErrorFrame("cancelled", "late", re=first.ref)) is None
    assert loaded(ours.error(ErrorFrame("cancelled", "it was", re=second.ref))) == {
        "jsonrpc": "2.0",
        "error": {"code": -32000, "message": "it was", "data": {"code": "cancelled"}},
        "id": 1,
    }


def test_a_result_that_cannot_be_written_leaves_the_call_open() -> None:
    """So that an error can answer it."""
    ours = framing()
    ref = read(ours, call(1, a=1)).ref
    with pytest.raises(ValueError, match="Unable to serialize"):
        ours.answer(object(), ref)
    assert loaded(ours.error(ErrorFrame("internal", "", re=ref)))["error"]["code"] == -32603


def test_a_notification_is_never_answered() -> None:
    """Not by a result, not by an error, and not where it cannot be read either."""
    ours = framing()
    assert read(ours, call(a=1)) == Incoming(Add(a=1), "add", None, None)
    assert ours.answer("x", None) is None
    assert ours.error(ErrorFrame("internal", "")) is None
    for bad in (call(b=1), call(method="unknown")):
        with pytest.raises(FrameError) as raised:
            read(ours, bad)
        assert ours.control(raised.value.frame()) is None


def test_what_belongs_to_no_call_has_the_id_null() -> None:
    """A frame that cannot be read, and what the session itself has to say."""
    ours = framing()
    with pytest.raises(FrameError) as raised:
        read(ours, {"jsonrpc": "2.0", "method": 1, "id": 7})
    assert loaded(ours.control(raised.value.frame())) == {
        "jsonrpc": "2.0",
        "error": {"code": -32600, "message": "Invalid Request"},
        "id": None,
    }
    assert loaded(ours.control(ErrorFrame("rate_limited", "too many")))["id"] is None


def test_the_responses_of_a_batch_go_together() -> None:
    """In the order of the calls, when the last is there; notifications have none."""
    ours = framing()
    batch = read(ours, [call(1, a=1), call(a=2), call("x", method="unknown"), call(3, a=3)]).message
    assert isinstance(batch, Several)
    first, notified, unknown, last = batch.items
    assert isinstance(first, Incoming)
    assert isinstance(last, Incoming)
    assert isinstance(unknown, FrameError)
    assert notified == Incoming(Add(a=2), "add", None, None)
    assert ours.answer("last", last.ref) is None
    assert ours.control(unknown.frame()) is None
    responses = loaded(ours.answer("first", first.ref))
    assert [response["id"] for response in responses] == [1, "x", 3]
    assert (responses[0], responses[2]) == (result(1, "first"), result(3, "last"))


def test_what_waits_for_the_rest_of_a_batch_is_bounded() -> None:
    """What has no room beside the others of the session is an error; a response that stands alone has room always."""
    ours = framing(held=200)
    one, other = (read(ours, [call(1, a=1), call(2, a=2), call(3, a=3)]).message.items for _ in range(2))
    assert ours.answer("x" * 300, one[0].ref) is None
    assert ours.answer("y", other[0].ref) is None
    for incoming in one[1:]:
        frame = ours.answer("z", incoming.ref)
    responses = loaded(frame)
    assert [response.get("result") for response in responses] == ["x" * 300, None, None]
    assert responses[1]["error"]["data"] == {"code": "too_big"}
    for incoming in other[1:]:
        frame = ours.answer("z", incoming.ref)
    assert [response.get("result") for response in loaded(frame)] == [None, "z", "z"], "room came back with the first batch"


def test_at_the_end_of_the_session_every_call_is_answered() -> None:
    """Those that are open are cancelled, and what is there of their batches goes out."""
    ours = framing()
    read(ours, call(1, a=1))
    first, _ = read(ours, [call(2, a=1), call(3, a=1)]).message.items
    ours.answer("done", first.ref)
    one, batch = [loaded(frame) for frame in ours.unanswered()]
    assert (one["id"], one["error"]["data"]) == (1, {"code": "cancelled"})
    assert batch == [result(2, "done"), {**one, "id": 3}]
    assert ours.unanswered() == []


def test_calls_behind_the_end_of_the_session_are_not_kept() -> None:
    """Nobody answers them, whether they can be read or not; those from before can still be answered."""
    ours = framing()
    before = read(ours, call(1, a=1))
    ours.stop()
    assert ours.answer(1, read(ours, call(2, a=1)).ref) is None
    with pytest.raises(FrameError) as raised:
        read(ours, call(3, method="unknown"))
    assert ours.control(raised.value.frame()) is None
    assert ours.answer(1, before.ref) is not None
    assert ours.unanswered() == []


def test_a_cancel_finds_the_call_by_its_id() -> None:
    """As long as it waits for its response; another one is nobody's."""
    ours = framing()
    _, ref = [read(ours, call(id_, a=1)).ref for id_ in (1, "x")]
    assert read(ours, call(method="cancel", re="x")) == Incoming(Cancel(ref), "cancel", None, None)
    ours.answer(None, ref)
    assert read(ours, call(method="cancel", re="x")).message == Cancel(NOBODY)


def test_a_response_answers_a_request() -> None:
    """It is handed over unread, with the id of what it answers; the reader of a type is made once."""
    ours = framing()
    incoming = read(ours, {"jsonrpc": "2.0", "id": 1, "result": 3})
    assert incoming.re == 1
    assert isinstance(incoming.message, Reply)
    assert ours.answers(int)(incoming.message.frame).message == 3
    assert ours.answers(int) is ours.answers(int)


def test_the_subprotocol_is_chosen_where_it_is_offered() -> None:
    """The one that was named, and no other; each session has its own calls."""
    ours = rpc(subprotocol="rpc")
    assert [ours.negotiate(offered)[1] for offered in (["a", "rpc"], ["wsc.v1+json"], [])] == ["rpc", None, None]
    assert rpc().negotiate(["rpc"])[1] is None
    one, other = ours.negotiate([])[0], ours.negotiate([])[0]
    assert read(one, call(1, a=1)).ref == read(other, call("x", a=1)).ref
    assert loaded(other.answer(2, 1)) == result("x", 2)


def test_where_the_endpoint_reads_frames_nothing_is_read() -> None:
    """An endpoint that reads its WebSocket itself may still send."""
    assert RpcFraming(Rpc(JsonRpc(), None, None, held=10)).read is None


def test_there_are_no_streams() -> None:
    """Handlers that stream are refused at registration; whoever gets here is told."""
    for stream in (lambda: framing().item(1, 1), lambda: framing().end(1)):
        with pytest.raises(TypeError, match=r"JSON-RPC has no streams\. Fix:"):
            stream()


def test_names_that_the_specification_keeps() -> None:
    """A method does not begin with `rpc.` (section 4)."""

    class Own(Message, tag="rpc.own"): ...

    with pytest.raises(DeclarationError, match=r"the method .rpc\.own. has a name that JSON-RPC keeps for itself"):
        Rpc(JsonRpc(), MessageUnion(Own, where="Calc"), None, held=10)
