"""What `docs/reference/wire.md` says of a JSON frame, by the standard library's JSON: a second reader, to compare with."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from tests.integration.junk import CANARY
from wscontrollers import Message


class HiddenPoint(BaseModel):
    x: int


class Move(Message):
    x: int
    y: float
    label: Annotated[str, Field(max_length=20)]
    color: Literal["red", "green"] = "red"
    at: date | None = None
    blob: bytes = b""
    inner: HiddenPoint | None = None
    scores: dict[str, int] = {}


class Say(Message):
    text: str


class Nothing(Message): ...


MODELS: dict[str, type[Message]] = {"move": Move, "say": Say, "nothing": Nothing}


class Refused(Exception): ...


def _levels(text: str) -> int:
    level = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        level += 1 if bracket in "[{" else -1
        deepest = max(level, deepest)
    return deepest


def _refused(constant: str) -> float:
    raise ValueError(constant)


def parsed(frame: str | bytes) -> Any:
    """The value of a frame, or `Refused` with its code."""
    if isinstance(frame, bytes):
        raise Refused("invalid_frame")
    objects: list[Any] = []

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        objects.append(pairs)
        return dict(pairs)

    try:
        frame.encode()
        value = json.loads(frame, parse_constant=_refused, object_pairs_hook=kept)
        json.dumps([value, objects], ensure_ascii=False).encode()  # lone surrogates, also in what a later key replaces
    except (ValueError, RecursionError):
        raise Refused("invalid_json") from None
    if frame.count("[") + frame.count("{") > 64 and _levels(frame) > 64:
        raise Refused("invalid_json")
    return value


def _is_ref(value: Any) -> bool:
    return len(value) <= 128 if isinstance(value, str) else type(value) is int and -(2**63) <= value < 2**63


def documented(frame: str | bytes) -> dict[str, Any] | None:
    """The answer to a frame; of an error its code and `re`; None where nothing answers."""
    try:
        value = parsed(frame)
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise Refused("invalid_frame")
        if not all(_is_ref(value[name]) for name in ("ref", "re") if name in value):
            raise Refused("invalid_frame")
    except Refused as error:
        return {"type": "error", "code": str(error)}
    tag, answer = value["type"], {"re": value["ref"]} if "ref" in value else {}
    if tag in ("cancel", "credit", "recover"):
        if not _is_control(tag, value):
            return {"type": "error", "code": "validation"} | answer
        return {"type": "error", "code": "forbidden"} if tag == "recover" else None  # the session is in no group
    if "re" in value:
        return None  # an answer to what nobody asked
    if tag not in MODELS:
        return {"type": "error", "code": "unknown_type"} | answer
    try:
        message = MODELS[tag].model_validate_json(json.dumps(value))
    except ValidationError:
        return {"type": "error", "code": "validation"} | answer
    return {"type": tag} | message.model_dump(mode="json") | answer


def _is_control(tag: str, value: dict[str, Any]) -> bool:
    if tag == "recover":
        marks = value.get("marks")
        return isinstance(marks, list) and 1 <= len(marks) <= 128 and all(isinstance(mark, str) and mark for mark in marks)
    n = value.get("n")
    return "re" in value and (tag == "cancel" or (type(n) is int and 1 <= n < 2**31))


BAD_FRAME = {"invalid_json", "invalid_frame", "unknown_type", "validation"}
LEAK = re.compile(r"Traceback|\.py\b|File |object at 0x|pydantic|wscontrollers|HiddenPoint|Message\b|Exception", re.IGNORECASE)


def check_error(answer: dict[str, Any]) -> None:
    """An error has the fields of the reference, is short, and repeats nothing of what was sent."""
    assert answer.keys() <= {"type", "code", "message", "errors", "re"}
    assert len(answer.get("errors", ())) <= 20
    told = [answer["message"], *(error["msg"] for error in answer.get("errors", ()))]
    assert all(len(text) <= 300 and CANARY not in text and not LEAK.search(text) for text in told), told


def essence(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the words of an error, which are for people."""
    if answer["type"] != "error":
        return answer
    check_error(answer)
    return {key: value for key, value in answer.items() if key in ("type", "code", "re")}
