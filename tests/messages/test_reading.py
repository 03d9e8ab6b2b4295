"""Reading frames: what a text becomes, which error it is, and that it is never another one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator, model_validator
from typing_extensions import TypedDict

from wscontrollers.messages import Cancel, FrameError, Incoming, JsonCodec, Message, MessageUnion, MsgPackCodec, Reply
from wscontrollers.messages.reading import MAX_ERRORS


class Say(Message):
    text: str
    weight: float = 1.0
    extra: Any = None


class Strict(Message, extra="forbid", strict=True):
    n: int = 0
    when: datetime | None = None


class Keeping(Message, extra="allow"):
    n: int = 0


class Before(Message):
    n: int = 0

    @model_validator(mode="before")
    @classmethod
    def before(cls, value: Any) -> Any:
        assert set(value) <= {"n"}, "the frame's own keys are hidden"
        return value


class Plain(BaseModel):
    type: Literal["plain", "simple"]
    n: int = 0


class Closed(BaseModel, extra="forbid"):
    type: Literal["closed"]


class Dict(TypedDict):
    type: Literal["dict", "map"]


class Broken(Message):
    n: int

    @field_validator("n")
    @classmethod
    def broken(cls, value: int) -> int:
        raise KeyError("secret")


class Item(BaseModel):
    price: float = Field(alias="unitPrice")


class Order(Message):
    items: list[Item]
    by_name: dict[str, int] = {}


UNION = MessageUnion([Say, Strict, Keeping, Before, Plain, Closed, Dict, Broken, Order])
read = JsonCodec().reader(UNION)
read_packed = MsgPackCodec().reader(UNION)


def error_of(frame: Any) -> FrameError:
    with pytest.raises(FrameError) as caught:
        read(frame)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"say","text":"hi"}', Incoming(Say(text="hi"), "say", None, None)),
        ('{"type":"say","text":"hi","ref":"7"}', Incoming(Say(text="hi"), "say", "7", None)),
        ('{"ref":7,"type":"say","text":"hi"}', Incoming(Say(text="hi"), "say", 7, None)),
        (r'{"type":"say","text":"hi","\u0072ef":7}', Incoming(Say(text="hi"), "say", 7, None)),
        (r'{"\u0074ype":"say","text":"hi"}', Incoming(Say(text="hi"), "say", None, None)),
        ('{"type":"say","text":"\\"ref\\":1"}', Incoming(Say(text='"ref":1'), "say", None, None)),
        (
            '{"type":"say","text":"hi","extra":{"ref":1,"re":2}}',
            Incoming(Say(text="hi", extra={"ref": 1, "re": 2}), "say", None, None),
        ),
        ('{"type":"say","text":"NaN is no Infinity","ref":1}', Incoming(Say(text="NaN is no Infinity"), "say", 1, None)),
        ('{"type":"strict","n":1,"ref":1}', Incoming(Strict(n=1), "strict", 1, None)),
        ('{"type":"strict","when":"2024-01-01T00:00:00"}', Incoming(Strict(when=datetime(2024, 1, 1)), "strict", None, None)),
        ('{"type":"keeping","n":1,"more":2,"ref":1,"mark":"m"}', Incoming(Keeping(n=1, more=2), "keeping", 1, None)),  # type: ignore[call-arg]  # kept
        ('{"type":"before","n":1,"ref":1}', Incoming(Before(n=1), "before", 1, None)),
        ('{"type":"simple","ref":1}', Incoming(Plain(type="simple"), "simple", 1, None)),
        ('{"type":"closed","ref":1}', Incoming(Closed(type="closed"), "closed", 1, None)),
        ('{"type":"map"}', Incoming({"type": "map"}, "map", None, None)),
        ('{"type":"cancel","re":"7"}', Incoming(Cancel("7"), "cancel", None, "7")),
    ],
)
def test_what_a_frame_is(text: str, expected: Incoming) -> None:
    """A frame is its message, tag, `ref` and `re`, wherever they stand and however escaped; the type sees its fields only."""
    assert read(text) == expected


@pytest.mark.parametrize("text", ['{"type":"say","text":"hi","re":"7"}', '{"type":"nobody_knows","re":"7"}'])
def test_an_answer_is_left_to_who_asked(text: str) -> None:
    """On the server's side an answer is handed over unread; the asker's reader makes the message of it."""

    class Answer(Message, tag="nobody_knows"):
        pass

    incoming = read(text)

    assert incoming == Incoming(Reply(text), incoming.tag, None, "7")
    union = MessageUnion([Say, Answer], side="client")
    assert type(JsonCodec().reader(union)(text).message) in (Say, Answer)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ('{"type":"say","text":"hi"} x', "invalid_json"),
        ('{"type":"say","text":"hi",}', "invalid_json"),
        ("\ufeff{}", "invalid_json"),
        ('{"type":"say","text":"\x00"}', "invalid_json"),
        (r'{"type":"say","text":"\ud800"}', "invalid_json"),
        ('{"type":"say","text":"\ud800"}', "invalid_json"),
        ('{"type":"say","text":"hi","weight":NaN}', "invalid_json"),
        ('{"type":"say","text":"hi","unknown":[-Infinity]}', "invalid_json"),
        ('{"type":"say","text":"hi","extra":' + "9" * 4301 + "}", "invalid_json"),
        ('{"type":"say","text":"hi","extra":' + "[" * 64 + "]" * 64 + "}", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        (b'{"type":"say","text":"hi"}', "invalid_frame"),
        (b"\xff" * 200, "invalid_frame"),
        ("[]", "invalid_frame"),
        ("null", "invalid_frame"),
        ("{}", "invalid_frame"),
        ('{"type":5}', "invalid_frame"),
        ('{"type":null}', "invalid_frame"),
        ('{"type":["say"]}', "invalid_frame"),
        ('{"type":"say","text":"hi","ref":null}', "invalid_frame"),
        ('{"type":"say","text":"hi","ref":true}', "invalid_frame"),
        ('{"type":"say","text":"hi","ref":1.5}', "invalid_frame"),
        ('{"type":"say","text":"hi","ref":9223372036854775808}', "invalid_frame"),
        ('{"type":"say","text":"hi","ref":"' + "x" * 129 + '"}', "invalid_frame"),
        ('{"type":"nothing"}', "unknown_type"),
        ('{"type":""}', "unknown_type"),
        ('{"type":"say"}', "validation"),
        ('{"type":"say","text":"hi","weight":1e999}', "invalid_json"),
        ('{"type":"strict","n":"1"}', "validation"),
        ('{"type":"closed","more":1}', "validation"),
        ('{"type":"broken","n":1}', "internal"),
    ],
)
def test_which_error_it_is(frame: Any, code: str) -> None:
    """Bad JSON, a bad frame, an unknown tag, bad fields and a broken validator are told apart."""
    assert error_of(frame).code == code


def test_an_error_has_the_ref() -> None:
    """Where the frame's `ref` can be found, the answer can carry it."""
    for text in ('{"type":"nothing","ref":"7"}', '{"type":"say","ref":"7"}', '{"type":"broken","n":1,"ref":"7"}'):
        assert error_of(text).ref == "7"


def test_the_later_of_two_equal_keys_counts() -> None:
    """As in JavaScript and Python; for the tag, the fields and the `ref` alike."""
    text = '{"type":"plain","type":"say","text":"a","text":"b","ref":1,"ref":2}'
    assert read(text) == Incoming(Say(text="b"), "say", 2, None)


def test_locations_are_the_clients() -> None:
    """`loc` names fields as the client sent them, without the tag; what it sent is not repeated."""
    error = error_of('{"type":"order","items":[{"unitPrice":"secret"},{}],"by_name":{"A":"secret"}}')

    assert [(detail["loc"], detail["type"]) for detail in error.errors] == [
        (["items", 0, "unitPrice"], "float_parsing"),
        (["items", 1, "unitPrice"], "missing"),
        (["by_name", "A"], "int_parsing"),
    ]
    assert "secret" not in str(error) + str(error.errors)


def test_an_error_frame_stays_small() -> None:
    """Thousands of faults, and names as long as the frame, do not come back."""
    many = error_of('{"type":"order","items":[' + ",".join(["1"] * 5000) + "]}")
    long = error_of('{"type":"order","items":[],"by_name":{"' + "k" * 50_000 + '":"x"}}')

    assert (len(many.errors), many.text) == (MAX_ERRORS, "5000 faults")
    assert len(str(long.errors)) < 500


def test_a_broken_validator_is_no_fault_of_the_clients() -> None:
    """Its exception is the cause, for the log; nothing of it is in the text."""
    error = error_of('{"type":"broken","n":1}')

    assert isinstance(error.__cause__, KeyError)
    assert "secret" not in f"{error} {error.frame()}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["n", "text", "ref", "re", "marks", "items"]), inner, max_size=4)
    ),
    max_leaves=10,
)
OBJECTS = st.fixed_dictionaries(
    {"type": st.sampled_from([*UNION.tags, *UNION.controls, "nothing"])},
    optional=dict.fromkeys(("text", "n", "ref", "re", "items", "when", "marks", "weight"), JSON),
)


def reads_or_refuses(reader: Any, frame: Any) -> None:
    refused: FrameError | None = None
    try:
        assert isinstance(reader(frame), Incoming)
    except FrameError as error:
        refused = error
    if refused is not None:
        assert refused.code != "internal" or isinstance(refused.__cause__, KeyError)
        JsonCodec().writer().control(refused.frame())


@given(st.text() | st.binary())
@example("[" * 100_000)
@example('{"type":"say","text":' + "9" * 5000 + "}")
def test_any_frame_is_read_or_refused(frame: str | bytes) -> None:
    """Whatever comes, a reader gives an `Incoming` or raises `FrameError`."""
    reads_or_refuses(read, frame)
    reads_or_refuses(read_packed, frame)


@given(
    OBJECTS,
    st.integers(0, 200),
    st.sampled_from(["", '"', "\\", "{", "]", "NaN", "\\ud800", "\ud800", '"ref":"1",', '"re":1,', "1e999"]),
)
def test_nearly_right_frames_are_read_or_refused(value: Any, place: int, inserted: str) -> None:
    """The same for frames that are almost messages."""
    text = json.dumps(value)
    reads_or_refuses(read, text[:place] + inserted + text[place:])


@given(OBJECTS)
def test_both_codecs_read_the_same(value: Any) -> None:
    """An object without bytes is the same message, or the same error, in JSON and in MessagePack."""

    def outcome(reader: Any, frame: Any) -> Any:
        try:
            incoming = reader(frame)
        except FrameError as error:
            return error.code, [detail["loc"] for detail in error.errors], error.ref
        return incoming._replace(message=None) if isinstance(incoming.message, Reply) else incoming

    try:
        packed = MsgPackCodec().dump(value)
    except TypeError:  # an integer of more than 64 bits
        return
    assert outcome(read_packed, packed) == outcome(read, json.dumps(value))


class Anything(Message):
    value: Any
    more: dict[str, Any] = {}


@pytest.mark.parametrize("number", ["1e999", "-1E+999", "1" * 400 + ".5", '{"a":[1e400]}'])
def test_a_number_beyond_all_is_refused_wherever_it_stands(number: str) -> None:
    """Also where the type says nothing of it: it would be read as infinity, which is none of JSON's."""
    read = JsonCodec().reader(MessageUnion([Anything]))
    with pytest.raises(FrameError, match="NaN and Infinity are no numbers here") as caught:
        read(f'{{"type":"anything","value":{number}}}')
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("number", ["1e300", "1e-999", '"1e999"', "1" * 400])
def test_great_numbers_and_texts_are_taken(number: str) -> None:
    """What only looks like one is what it is."""
    read = JsonCodec().reader(MessageUnion([Anything]))
    assert read(f'{{"type":"anything","value":{number}}}').message.value == json.loads(number)
