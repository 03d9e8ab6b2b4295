"""Which method takes which messages, and what can be wrong with that."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel

from wscontrollers import App, Controller, DeclarationError, Message, per, receive, websocket
from wscontrollers.session.handlers import handlers_of

T = TypeVar("T")


class Say(Message):
    text: str


class Shout(Message, tag="say"):
    text: str


class Rename(Message):
    name: str


class Plain(BaseModel):
    type: Literal["plain", "simple"]


@dataclass
class Point:
    type: Literal["point"]
    x: int


class Chat(Controller):
    @websocket("/{room}")
    async def session(self) -> AsyncIterator[None]:
        yield


def test_messages_find_their_handlers_by_their_tags() -> None:
    """Unions, plain models with several tags and data classes; the message is `message`, or what is typed as one."""

    class Many(Chat):
        @receive
        async def first(self, what: Say | Rename, room: str) -> None: ...

        @receive
        async def second(self, message: Plain | Point) -> AsyncIterator[Say]:
            yield Say(text="")

    handlers = handlers_of(Many)
    assert handlers is not None
    assert dict(handlers.by_tag) == {"say": 0, "rename": 0, "plain": 1, "simple": 1, "point": 1}
    assert [(each.parameter, each.is_stream) for each in handlers.all] == [("what", False), ("message", True)]


def test_marks_are_read_along_the_mro() -> None:
    """An override without a mark stays a handler, `None` takes it away, and a generic base's message is the subclass's."""

    class Base(Chat, Generic[T]):
        @receive(timeout=3)
        async def take(self, message: T) -> None: ...

        @receive
        async def gone(self, message: Rename) -> None: ...

    class Sub(Base[Say]):
        async def take(self, message: Say) -> None: ...

        gone = None  # type: ignore[assignment]

    handlers = handlers_of(Sub)
    assert handlers is not None
    assert [(each.name, each.types, each.mark.timeout) for each in handlers.all] == [("take", (Say,), 3)]
    assert handlers.all[0].function is Sub.take


def fault_of(error: pytest.ExceptionInfo[DeclarationError]) -> str:
    return str(error.value)


def test_a_handler_without_a_message_is_an_error_when_the_class_is_made() -> None:
    """It names the method and the fix."""
    with pytest.raises(DeclarationError) as error:

        class Wrong(Chat):
            @receive
            async def say(self, room: str) -> None: ...

    assert "Wrong.say" in fault_of(error)
    assert fault_of(error).endswith("a handler without a message. Fix: give it one: message: Say, where Say is a Message.")


def test_two_handlers_for_one_message_are_an_error_when_the_class_is_made() -> None:
    """So are two types with one tag."""
    with pytest.raises(DeclarationError, match=r"one and two both handle Say\. Fix: keep one of them"):

        class Twice(Chat):
            @receive
            async def one(self, message: Say) -> None: ...

            @receive
            async def two(self, message: Say | Rename) -> None: ...

    with pytest.raises(DeclarationError, match=r"Say of one and Shout of two have the tag 'say'\. Fix: give one"):

        class Clash(Chat):
            @receive
            async def one(self, message: Say) -> None: ...

            @receive
            async def two(self, message: Shout) -> None: ...


def test_other_mistakes_are_told_when_the_class_is_made() -> None:
    """No async function, no annotation, no message type, several messages: all faults at once."""
    with pytest.raises(DeclarationError) as error:

        class Wrong(Chat):
            @receive
            def plain(self, message: Say) -> None: ...

            @receive
            async def bare(self, message) -> None: ...  # type: ignore[no-untyped-def]

            @receive
            async def number(self, message: int) -> None: ...

            @receive
            async def several(self, a: Say, b: Rename) -> None: ...

    text = fault_of(error)
    assert text.startswith("4 faults:")
    assert "a handler is not async" in text
    assert "nothing says which messages it takes" in text
    assert "int is no message" in text
    assert "it has several messages: a, b" in text


def test_handlers_that_nobody_runs_are_an_error_at_registration() -> None:
    """A controller with handlers needs an endpoint that yields."""

    class Idle(Controller):
        @websocket("/")
        async def endpoint(self) -> None: ...

        @receive
        async def say(self, message: Say) -> None: ...

    with pytest.raises(DeclarationError, match=r"its handlers are never called \(say\): none of its endpoints yields"):
        App(controllers=[Idle])


def test_a_key_that_is_nowhere_is_an_error_at_registration() -> None:
    """`per` names a field of every message of the handler, or a parameter of the path."""

    class Keyed(Chat):
        @receive(order=per("channel"))
        async def say(self, message: Say) -> None: ...

    with pytest.raises(DeclarationError, match=r"order=per\('channel'\): Say has no such field, and the path no such parameter"):
        App(controllers=[Keyed])


def test_a_key_without_a_hash_is_an_error_at_registration() -> None:
    """Messages are told apart by it, which a list cannot do."""

    class Tagged(Message):
        tags: list[str]

    class Keyed(Chat):
        @receive(order=per("tags"))
        async def tag(self, message: Tagged) -> None: ...

    with pytest.raises(
        DeclarationError, match=r"Keyed\.tag.*: order=per\('tags'\): the values of \S+\.Tagged\.tags cannot .*Fix: "
    ):
        App(controllers=[Keyed])


def test_a_method_is_an_endpoint_or_a_handler() -> None:
    """Both marks on one method are an error, and so is the name of something that every controller has."""
    with pytest.raises(DeclarationError, match="it is an endpoint and a handler"):

        class Both(Chat):
            @websocket("/x")
            @receive
            async def say(self, message: Say) -> None: ...

    with pytest.raises(DeclarationError, match="every controller has a limits of its own"):

        class Named(Chat):
            @receive
            async def limits(self, message: Say) -> None: ...  # type: ignore[override]
