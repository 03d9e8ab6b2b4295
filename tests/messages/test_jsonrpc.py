"""JSON-RPC 2.0: the specification's examples, and how errors and fields map."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from tests.messages.rpc_examples import EXAMPLES
from wscontrollers.messages import Cancel, FrameError, FrameLimits, JsonRpc, Message, MessageUnion, Recover
from wscontrollers.messages.jsonrpc import Batch, Call, Failure, Response, error_in


class Subtract(Message):
    minuend: int
    subtrahend: int


class Update(Message):
    first: int
    others: int = 0


class Update5(Message, tag="update"):
    a: int
    b: int
    c: int
    d: int
    e: int


class Sum(Message):
    a: int
    b: int
    c: int


class NotifySum(Message):
    a: int
    b: int
    c: int


class NotifyHello(Message):
    n: int


class GetData(Message):
    pass


UNION = MessageUnion([Subtract, Update5, Sum, NotifySum, NotifyHello, GetData])
HANDLERS: dict[type[Any], Any] = {
    Subtract: lambda m: m.minuend - m.subtrahend,
    Sum: lambda m: m.a + m.b + m.c,
    GetData: lambda m: ["hello", 5],
}


def served(text: str) -> Any:
    """What a server with these handlers answers to a frame; None for nothing."""
    read, write = JsonRpc().reader(UNION), JsonRpc().writer()
    batch = read(text)
    answers: list[str] = []
    for item in batch.items:
        if isinstance(item, Failure) and not item.is_notification:
            answers.append(write.error(item.id, item.error.code, item.error.text, item.error.errors))
        if isinstance(item, Call) and not item.is_notification:
            answers.append(write.result(item.id, HANDLERS[type(item.message)](item.message)))
    answer = write.batch(answers) if batch.is_batch else (answers or [None])[0]  # type: ignore[list-item]  # nothing at all
    return None if answer is None else json.loads(answer)


@pytest.mark.parametrize(("request_", "response"), EXAMPLES)
def test_the_specifications_examples(request_: str, response: Any) -> None:
    """Section 7 of the specification, each example as it stands there."""
    assert served(request_) == response


class Plain(BaseModel):
    type: Literal["plain", "simple"]
    n: int = Field(alias="N")


class Strict(Message, extra="forbid"):
    n: int = 0


class Broken(Message):
    n: int = 0

    @field_validator("n")
    @classmethod
    def broken(cls, value: int) -> int:
        raise KeyError("secret")


def one(text: str, union: MessageUnion = MessageUnion([Plain, Strict, Broken])) -> Any:  # noqa: B008 - read only
    batch = JsonRpc().reader(union)(text)
    assert not batch.is_batch
    return batch.items[0]


def test_params_are_fields_by_their_names_on_the_wire() -> None:
    """By position in the order of the fields, by name as aliases say; a plain type's tag is the method."""
    by_position = one('{"jsonrpc":"2.0","method":"simple","params":[1],"id":null}')
    by_name = one('{"jsonrpc":"2.0","method":"simple","params":{"N":1}}')

    assert by_position == Call(Plain(type="simple", N=1), "simple", None, False)
    assert by_name == Call(Plain(type="simple", N=1), "simple", None, True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"jsonrpc":"2.0","method":"strict","params":[1,2],"id":1}', "validation"),
        ('{"jsonrpc":"2.0","method":"strict","params":{"more":1},"id":1}', "validation"),
        ('{"jsonrpc":"2.0","method":"broken","params":[1],"id":1}', "internal"),
        ('{"jsonrpc":"1.0","method":"strict","id":1}', "invalid_frame"),
        ('{"jsonrpc":"2.0","method":"strict","params":null,"id":1}', "invalid_frame"),
        ('{"jsonrpc":"2.0","method":"strict","id":[1]}', "invalid_frame"),
        ('{"jsonrpc":"2.0","method":"strict","id":true}', "invalid_frame"),
        ('{"jsonrpc":"2.0","result":1,"error":{},"id":1}', "invalid_frame"),
        ('{"jsonrpc":"2.0","error":null,"id":1}', "invalid_frame"),
        ('{"jsonrpc":"2.0","method":"cancel","params":{"re":1},"id":1}', "unknown_type"),
        ('{"jsonrpc":"2.0","method":"credit","params":{"re":1,"n":2}}', "unknown_type"),
        ('{"jsonrpc":"2.0","method":"cancel"}', "validation"),
        ("[" * 100_000, "invalid_json"),
        ('{"jsonrpc":"2.0","method":"strict","params":[NaN],"id":1}', "invalid_json"),
        ("\ud800", "invalid_json"),
    ],
)
def test_failures(text: str, code: str) -> None:
    """Each failure has one of our codes, which the writer turns into the specification's number."""
    failure = one(text)
    assert isinstance(failure, Failure)
    assert failure.error.code == code


def test_binary_frames_are_refused() -> None:
    """JSON-RPC is text."""
    assert JsonRpc().reader(UNION)(b"{}").items[0].error.code == "invalid_frame"  # type: ignore[union-attr]  # a failure


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ("[[[1]]]", "more than 3 levels"),
        ("[12345]", "an integer of more than 4 digits"),
        ("[1e999]", "NaN and Infinity are no numbers here"),
    ],
)
def test_what_a_frame_may_hold_can_be_set(params: str, fault: str) -> None:
    """Its levels, of which a batch is one, and the digits of its integers; a number beyond all is none."""
    read = JsonRpc().reader(UNION, FrameLimits(depth=3, digits=4))
    errors = [
        item.error for item in read(f'{{"jsonrpc":"2.0","method":"sum","params":{params}}}').items if isinstance(item, Failure)
    ]
    assert [(error.code, error.text) for error in errors] == [("invalid_json", fault)]


def test_a_batch_has_a_limit() -> None:
    """One longer than allowed is refused as a whole, and a limit that allows nothing is refused at once."""
    batch = JsonRpc(max_batch=2).reader(UNION)("[1,2,3]")

    assert (len(batch.items), batch.is_batch) == (1, False)
    with pytest.raises(ValueError, match="max_batch is 0"):
        JsonRpc(max_batch=0)


def test_what_the_framework_takes_is_notified() -> None:
    """`cancel` and `recover` are methods of every endpoint, for notifications alone; a request for them is not found."""
    assert one('{"jsonrpc":"2.0","method":"cancel","params":{"re":7}}') == Call(Cancel(7), "cancel", None, True)
    assert one('{"jsonrpc":"2.0","method":"recover","params":[["m"]]}').error.code == "validation"
    assert one('{"jsonrpc":"2.0","method":"recover","params":{"marks":["m"]}}').message == Recover(["m"])


def test_what_was_chosen_can_be_read() -> None:
    """An error about a controller's protocol shows what it was given."""
    assert repr(JsonRpc(subprotocol="rpc")) == "JsonRpc(max_batch=100, subprotocol='rpc')"


def test_responses_of_the_peer() -> None:
    """What answers a request of ours is a `Response`, with a result or an error."""
    assert one('{"jsonrpc":"2.0","result":[1],"id":7}') == Response(7, [1], None)
    assert one('{"jsonrpc":"2.0","error":{"code":1,"message":"no"},"id":7}') == Response(7, None, {"code": 1, "message": "no"})


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["jsonrpc", "method", "params", "id", "result"]), inner)
        ),
    ).map(json.dumps)
)
def test_any_frame_is_read(frame: str | bytes) -> None:
    """Nothing is raised, whatever comes, and every failure can be written."""
    batch = JsonRpc().reader(UNION)(frame)

    assert isinstance(batch, Batch)
    for item in batch.items:
        if isinstance(item, Failure):
            assert isinstance(item.error, FrameError)
            JsonRpc().writer().error(item.id, item.error.code, item.error.text)


@pytest.mark.parametrize("code", ["invalid_json", "internal", "validation", "room_full"])
def test_an_error_object_can_be_read_again(code: str) -> None:
    """By our code for its number, or the one in its data."""
    details: Any = [{"loc": ["n"], "type": "t", "msg": "m"}] if code == "validation" else []
    error = error_in(JsonRpc().writer().error("x", code, "no", details, "i-1"))
    assert error is not None
    assert (error.code, error.re, error.id, error.errors or []) == (code, "x", "i-1", details)


@pytest.mark.parametrize("frame", [b"", "no json", "[1]", '{"type":"error"}', '{"jsonrpc":"2.0","result":1,"id":1}'])
def test_other_frames_are_no_errors(frame: str | bytes) -> None:
    """Also a response that has a result."""
    assert error_in(frame) is None
