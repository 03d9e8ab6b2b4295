"""What a handler says that it answers: types that have no frame, and codes that are taken."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Literal, Protocol

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from wscontrollers import App, Controller, DeclarationError, JsonRpc, Message, receive, websocket
from wscontrollers.session.answering import answers, is_object, named


class Say(Message):
    text: str = ""


class Tagged(BaseModel):
    type: Literal["tagged"]


class Dict(TypedDict):
    type: Literal["dict"]


class Event: ...


class Happened(Event, Message): ...


class Abstract(ABC):
    @abstractmethod
    def size(self) -> int: ...


class Sized(Protocol):
    def size(self) -> int: ...


class Plain: ...


class RoomFull(Exception): ...


class Crowded(Exception):
    code = "room_full"


class VeryCrowded(Crowded): ...


class Chat(Controller):
    @websocket("/")
    async def open(self) -> AsyncIterator[None]:
        yield


def controller(returns: Any, *, base: type[Controller] = Chat, is_stream: bool = False) -> type[Controller]:
    """A controller whose handler says that it returns, or yields, something."""
    if is_stream:

        async def stream(self: object, message: Say) -> Any:
            yield None

        function: Any = stream
    else:

        async def answer(self: object, message: Say) -> Any: ...

        function = answer
    function.__annotations__["return"] = returns
    return type(base)("Made", (base,), {"say": receive(function), "__module__": __name__})


@pytest.mark.parametrize(
    "returns",
    [
        *(None, Any, object, Say, Say | None, Tagged, Dict, dict[str, Any], str, bytes, Annotated[Say, "note"]),
        *(Event, Abstract, Sized, "NotYet"),
    ],
)
def test_what_a_handler_may_answer(returns: Any) -> None:
    """Messages, raw frames and nothing; and what says too little to be wrong."""
    App(controllers=[controller(returns)])


@pytest.mark.parametrize("returns", [int, Say | bool, list[Say], Plain, Annotated[float, "note"], tuple[int, str]])
def test_what_has_no_frame_is_refused(returns: Any) -> None:
    """At registration, with the name of the handler, and what else there is."""
    with pytest.raises(DeclarationError, match=r"it returns .+, which is no message\. Fix: return a Message"):
        App(controllers=[controller(returns)])


def test_the_items_of_a_stream_are_answers() -> None:
    """Each is a frame."""
    for returns in (AsyncIterator[Say], AsyncIterator):
        App(controllers=[controller(returns, is_stream=True)])
    with pytest.raises(DeclarationError, match=r"it yields int, which is no message\. Fix: yield a Message"):
        App(controllers=[controller(AsyncGenerator[int, None], is_stream=True)])


def test_an_iterator_that_is_returned_is_no_stream() -> None:
    """The handler itself yields; otherwise nothing would send its items."""
    with pytest.raises(DeclarationError, match=r"it returns an iterator, which is no message\. Fix: yield the items"):
        App(controllers=[controller(AsyncIterator[Say])])


def test_json_rpc_and_interceptors_may_answer_with_anything() -> None:
    """The one has results of any type, the other may make messages of them."""

    class Calls(Chat):
        protocol = JsonRpc()

    class Wrapping(Chat):
        async def around_message(self, message: Any, call_next: Any) -> Say:
            return Say(text=str(await call_next(message)))

    for base in (Calls, Wrapping):
        App(controllers=[controller(int, base=base)])


@pytest.mark.parametrize(
    ("raises", "what"),
    [
        ([TimeoutError], r"raises=TimeoutError: its code 'timeout' is one that the framework answers with itself"),
        ([RoomFull, Crowded], r"raises: \S*RoomFull and \S*Crowded have the same code 'room_full'"),
    ],
)
def test_codes_that_clients_cannot_tell_from_others(raises: list[type[Exception]], what: str) -> None:
    """Refused with the class of the controller."""
    with pytest.raises(DeclarationError, match=what + r"\. Fix: give "):

        class Rooms(Chat):
            @receive(raises=raises)
            async def say(self, message: Say) -> None: ...


def test_an_exception_shares_its_code_with_those_below_it() -> None:
    """They are such exceptions too."""

    class Rooms(Chat):
        @receive(raises=[VeryCrowded, Crowded, Crowded])
        async def say(self, message: Say) -> None: ...


def test_which_types_are_named() -> None:
    """Unions are taken apart; what says nothing is left out; of answers only what has fields counts."""
    assert named([Say | None, Any, int]) == [Say, int]
    assert answers(AsyncIterator[Say | int]) == [Say]
    assert [is_object(each) for each in (Say, Dict, int)] == [True, True, False]
