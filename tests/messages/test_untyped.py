"""What stands where nothing says its type."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, TypeAdapter
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from wscontrollers.messages import JsonCodec, Message, MsgPackCodec
from wscontrollers.messages.jsonrpc import JsonRpc
from wscontrollers.messages.untyped import Untyped

BLOB, TEXT = b"\xfb\xff", "-_8="

T = TypeVar("T")
Bound = TypeVar("Bound", bound=BaseModel)


class Plain(BaseModel):
    blob: bytes = BLOB


class Aliased(BaseModel):
    blob: bytes = Field(BLOB, serialization_alias="theBlob")


class Hex(BaseModel):
    model_config = ConfigDict(ser_json_bytes="hex")
    blob: bytes = BLOB


class Nothing(BaseModel):
    n: int = 1


class Around(BaseModel):
    inner: Any


@pydantic_dataclass
class Checked:
    blob: bytes = BLOB


@dataclass
class Unchecked:
    inner: Any


class Pair(NamedTuple):
    one: Any
    other: Any


class Given(Message):
    value: Any


class Mapped(Message):
    value: dict[str, Any]


class Listed(Message):
    value: list[Any]


class Page(Message, Generic[T]):
    value: T


class Narrow(Message, Generic[Bound]):
    value: Bound


class AsItIs(Message):
    value: SerializeAsAny[BaseModel]


class Keeping(Message, extra="allow"): ...


class KeepingDict(TypedDict):
    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # pydantic's way to say it
    n: int


def both(message: Any) -> tuple[Any, Any]:
    """What stands in a frame of either codec for the message's `value`."""
    packed: Any = MsgPackCodec().writer().message(message)
    return json.loads(JsonCodec().writer().message(message))["value"], ormsgpack.unpackb(packed)["value"]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (Plain(), {"blob": BLOB}),
        (Checked(), {"blob": BLOB}),
        ([Plain(), 1], [{"blob": BLOB}, 1]),
        ({"a": {"b": (Plain(), deque([Checked()]))}}, {"a": {"b": [{"blob": BLOB}, [{"blob": BLOB}]]}}),
        (Around(inner=Around(inner=[Plain()])), {"inner": {"inner": [{"blob": BLOB}]}}),
        (Unchecked(Unchecked([Plain()])), {"inner": {"inner": [{"blob": BLOB}]}}),
        (OrderedDict(a=Pair(Plain(), None)), {"a": [{"blob": BLOB}, None]}),
        ([[Plain()], [1], "a", None], [[{"blob": BLOB}], [1], "a", None]),
    ],
)
def test_bytes_of_models_are_the_frames_own(value: Any, form: Any) -> None:
    """Base64 in JSON and bytes in MessagePack, wherever the model stands."""
    text = json.loads(json.dumps(form, default=lambda blob: TEXT))
    assert both(Given(value=value)) == (text, form)
    assert both(Page(value=value)) == (text, form)
    assert both(Listed(value=[value])) == ([text], [form])
    assert both(Mapped(value={"k": value})) == ({"k": text}, {"k": form})
    assert both(Keeping(value=value)) == (text, form)  # type: ignore[call-arg]  # kept


@pytest.mark.parametrize("message", [AsItIs(value=Plain()), Narrow(value=Plain())])
def test_what_is_written_as_it_is(message: Message) -> None:
    """Where a base class is declared, and the instance's own fields are written."""
    assert both(message) == ({"blob": TEXT}, {"blob": BLOB})


def test_who_says_something_else_has_it() -> None:
    """The class's own configuration of bytes, and of aliases."""
    assert both(Given(value=Hex())) == ({"blob": BLOB.hex()}, {"blob": BLOB})
    assert both(Given(value=Aliased())) == ({"blob": TEXT}, {"blob": BLOB})

    class Configured(Aliased):
        model_config = ConfigDict(serialize_by_alias=True)

    assert both(Given(value=Configured())) == ({"theBlob": TEXT}, {"theBlob": BLOB})


def test_results_of_calls_are_written_so_too() -> None:
    """A plain model is a result of JSON-RPC, and so is a list of them."""
    write = JsonRpc().writer()
    assert json.loads(write.result(1, Plain()))["result"] == {"blob": TEXT}
    assert json.loads(write.result(1, [Around(inner=Plain())]))["result"] == [{"inner": {"blob": TEXT}}]


@pytest.mark.parametrize(
    "value",
    [1, "a", None, [], {}, [[1, 2], [3]], {"a": [1, {"b": datetime(2020, 1, 1, tzinfo=UTC)}]}, Nothing(), {1: (2.0,)}, [Hex()]],
)
def test_what_is_right_already_stays_the_same_object(value: Any) -> None:
    """Nothing is copied, and what is met for the second time is known."""
    untyped = Untyped()
    for _ in range(2):
        assert untyped.written(value) is value


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_values_of_json_stay_what_they_are(value: Any) -> None:
    """However they are nested, and mixed."""
    assert Untyped().written(value) is value


@given(
    st.recursive(
        st.none() | st.builds(Plain, blob=st.binary(max_size=5)),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.builds(Around, inner=inner),
        max_leaves=20,
    )
)
def test_every_model_is_found(value: Any) -> None:
    """However they are nested: what comes out has none, and says the same."""

    def models_in(value: Any) -> Iterator[BaseModel]:
        if isinstance(value, BaseModel):
            yield value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from models_in(inner)

    written = Untyped().written(value)
    assert not list(models_in(written))
    in_base64 = TypeAdapter(Any, config=ConfigDict(ser_json_bytes="base64")).dump_json(written)
    assert json.loads(in_base64) == json.loads(json.dumps(value, default=_by_hand))


def _by_hand(value: Any) -> Any:
    if isinstance(value, bytes):
        return json.loads(TypeAdapter(bytes, config=ConfigDict(ser_json_bytes="base64")).dump_json(value))
    return dict(value)


@pytest.mark.parametrize("times", [1, 2, 300, 20_000])
def test_a_value_that_holds_itself_is_an_error(times: int) -> None:
    """As it is to pydantic, and it takes neither for ever nor all memory to see."""
    value: list[Any] = []
    value.extend([value] * times)
    with pytest.raises((ValueError, RecursionError)):
        JsonCodec().writer().message(Given.model_construct(value=value))


def test_keys_that_a_typed_dict_keeps() -> None:
    """They have no type either."""
    serializer = Untyped().serializer(TypeAdapter(KeepingDict).core_schema)
    assert serializer is not None
    assert json.loads(serializer.to_json({"n": 1, "more": Plain()})) == {"n": 1, "more": {"blob": TEXT}}
    assert Untyped().serializer(TypeAdapter(Hex).core_schema) is None, "nothing to change"
