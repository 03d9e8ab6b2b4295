"""What a client responds to a request: results of any type, refusals, and what is neither."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from wscontrollers import Message
from wscontrollers.messages import ErrorFrame, FrameError, Ok
from wscontrollers.messages.jsonrpc import Response
from wscontrollers.session.results import NOBODY, response_json, result_reader


class Said(Message):
    text: str


def answer(types: Any, response: dict[str, Any]) -> Any:
    """What a question is answered with by a response to it."""
    frame = response_json(Response(1, response.get("result"), response.get("error")))
    return result_reader(types)(frame).message


@pytest.mark.parametrize(
    ("types", "value", "read_as"),
    [
        (int, 3, 3),
        (list[int], [1], [1]),
        (Said, {"text": "a"}, Said(text="a")),
        (int | None, None, None),
        (bytes, "_w==", b"\xff"),
        (Ok, None, Ok(NOBODY)),
    ],
)
def test_results_are_read_by_the_type_that_was_asked_for(types: Any, value: Any, read_as: Any) -> None:
    """Any type that pydantic knows."""
    assert answer(types, {"result": value}) == read_as


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"error": {"code": -32000, "message": "no", "data": {"code": "tired"}}}, ErrorFrame("tired", "no")),
        ({"error": {"code": -32601, "message": "what?"}}, ErrorFrame("-32601", "what?")),
        ({"error": {"data": [1]}}, ErrorFrame("None", "")),
        ({"result": "three"}, ErrorFrame("validation", "the result is no int")),
    ],
)
def test_a_refusal_has_a_code(response: Any, error: ErrorFrame) -> None:
    """`data.code`, else the number as a text; a result of another type is one too, for there will be no other."""
    assert answer(int, response) == error


def test_a_validators_bug_is_for_the_log() -> None:
    """It is a `FrameError` of which the client hears nothing: it asked for nothing."""

    class Broken(BaseModel):
        def __init__(self, **fields: Any) -> None:
            raise KeyError("secret")

    with pytest.raises(FrameError) as raised:
        answer(Broken, {"result": {}})
    assert (raised.value.code, raised.value.ref) == ("internal", NOBODY)
    assert isinstance(raised.value.__cause__, KeyError)
