"""Writing JSON-RPC 2.0."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from wscontrollers.messages import Gap, JsonRpc, Message


class Sum(Message):
    a: int
    b: int
    c: int


class Hello(Message):
    n: int


class Plain(BaseModel):
    type: Literal["plain"]
    n: int = Field(alias="N")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("validation", "1 fault", [{"loc": ["n"], "type": "t", "msg": "m"}]),
            {"code": -32602, "message": "Invalid params", "data": {"errors": [{"loc": ["n"], "type": "t", "msg": "m"}]}},
        ),
        (("internal", "no", (), "i-1"), {"code": -32603, "message": "Internal error", "data": {"id": "i-1"}}),
        (("room_full", "the room is full"), {"code": -32000, "message": "the room is full", "data": {"code": "room_full"}}),
    ],
)
def test_error_objects(arguments: Any, error: Any) -> None:
    """The specification's codes have its texts; every other code is -32000 with the code as data."""
    assert json.loads(JsonRpc().writer().error(1, *arguments)) == {"jsonrpc": "2.0", "error": error, "id": 1}


def test_results_and_requests() -> None:
    """A result is a plain value or a message's fields; a request of ours has the tag for its method."""
    write = JsonRpc().writer()

    assert write.result("a") == '{"jsonrpc":"2.0","result":null,"id":"a"}'
    assert write.result(1.5, Sum(a=1, b=2, c=3)) == '{"jsonrpc":"2.0","result":{"a":1,"b":2,"c":3},"id":1.5}'
    assert write.result(1, b"\xff") == '{"jsonrpc":"2.0","result":"_w==","id":1}'
    assert write.request(1, Hello(n=1)) == '{"jsonrpc":"2.0","method":"hello","params":{"n":1},"id":1}'
    assert write.notification(Plain(type="plain", N=1)) == '{"jsonrpc":"2.0","method":"plain","params":{"N":1}}'
    assert write.control(Gap(3, "slow")) == '{"jsonrpc":"2.0","method":"gap","params":{"dropped":3,"reason":"slow"}}'
    assert write.batch([]) is None
    assert write.batch(["1", "2"]) == "[1,2]"


@pytest.mark.parametrize("value", [nan, [1.5, inf], {"a": {"b": -inf}}, {"a": None, "b": nan}])
def test_a_number_that_is_none_is_not_written(value: Any) -> None:
    """JSON has no such numbers, and a null would be another value."""
    writer = JsonRpc().writer(None)
    with pytest.raises(ValueError, match=r"JSON has no NaN and no Infinity, .* Fix: send None, or the number as a text"):
        writer.result(1, value)
    assert writer.result(1, [None, 1.5, "NaN"]) == '{"jsonrpc":"2.0","result":[null,1.5,"NaN"],"id":1}'
