"""What remains to be done for each message, once the handshake's plan has run."""

import traceback
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import pytest

from wscontrollers import (
    App,
    Container,
    Controller,
    DeclarationError,
    Depends,
    Message,
    Module,
    ProviderOf,
    message_scoped,
    provider,
    receive,
    session_scoped,
    websocket,
)
from wscontrollers.exceptions import ScopeLeakError
from wscontrollers.testing import AsyncTestClient


class Say(Message):
    text: str


class Other(Message):
    pass


class Said(Message):
    text: str


class Unit:
    pass


class Work(Module):
    @message_scoped
    @provider
    def unit(self) -> Unit:
        return Unit()


class Chat(Controller):
    @websocket("/{room}")
    async def session(self) -> Any:
        yield


def plans(cls: type[Controller], container: Container | None = None) -> Any:
    route: Any = App(controllers=[cls], container=container).router.table.routes[0]
    return route.planned.plan.handlers


def test_a_handler_without_things_of_the_message_has_no_steps() -> None:
    """Path, session dependencies and services are there already: one call is left."""

    def user() -> str:
        return "ann"

    class Plain(Chat):
        @receive
        async def say(self, message: Say, room: str, name: Annotated[str, Depends(user)], page: int = 0) -> None: ...

    (plan,) = plans(Plain)
    assert (plan.steps, plan.opens_scope, plan.cleans_up) == ((), False, False)


def test_what_depends_on_the_message_is_a_step_of_it() -> None:
    """So is what depends on that, at any depth; a scope is opened only where something lives in it."""

    def text(message: Say) -> str:
        return message.text

    def upper(value: Annotated[str, Depends(text)]) -> str:
        return value.upper()

    class Reading(Chat):
        @receive
        async def say(self, message: Say, value: Annotated[str, Depends(upper)]) -> None: ...

        @receive
        async def other(self, message: Other, unit: Unit) -> None: ...

    say, other = plans(Reading, Container(Work()))
    assert [step.what for part in say.steps for step in getattr(part, "parts", [part])] == [text, upper]
    assert (say.opens_scope, other.opens_scope) == (False, True)


def test_a_dependency_has_to_take_all_messages_of_its_handler() -> None:
    """A guard for one type on a handler for two is an error at registration."""

    def guard(message: Say) -> None: ...

    class Wrong(Chat):
        @receive(dependencies=[Depends(guard)])
        async def both(self, message: Say | Other) -> None: ...

    with pytest.raises(DeclarationError, match="it takes Say, and its handler is given Other too"):
        App(controllers=[Wrong])


def test_nothing_of_a_message_is_had_outside_of_one() -> None:
    """An endpoint or a constructor that asks for a message-scoped service is an error at registration."""

    class Wrong(Controller):
        def __init__(self, unit: Unit) -> None: ...

        @websocket("/")
        async def session(self) -> None: ...

    with pytest.raises(ScopeLeakError, match="it needs Unit, which lives as long as one message"):
        App(controllers=[Wrong], container=Container(Work()))


def text_of(message: Say) -> str:
    return message.text


@session_scoped
class Kept:
    """Would keep the text of the first message for all others."""

    def __init__(self, text: Annotated[str, Depends(text_of)]) -> None:
        self.text = text


@message_scoped
class Above:
    """Has one that is kept longer."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept


@message_scoped
class Told:
    """Each message has its own."""

    def __init__(self, text: Annotated[str, Depends(text_of)]) -> None:
        self.text = text


@pytest.mark.parametrize("service", [Kept, Above])
def test_what_lives_longer_than_a_message_is_given_nothing_of_one(service: Any) -> None:
    """It would have it from the first message for all others; an error at registration, also where something is in between."""

    class Wrong(Chat):
        @receive
        async def say(self, message: Say, needed: service) -> None: ...

    with pytest.raises(ScopeLeakError, match='"text: str" of Kept is kept as long as the session, and is new with each message'):
        App(controllers=[Wrong])


async def test_handlers_at_once_have_each_their_own_inputs() -> None:
    """What one message supplies to its services never reaches those of another one that is handled at the same time."""
    arrived = anyio.Event()

    async def waited(message: Say) -> str:
        if message.text == "first":
            await arrived.wait()
        else:
            arrived.set()
        return message.text

    @message_scoped
    class Slow:
        def __init__(self, told: Told, text: Annotated[str, Depends(waited)]) -> None:
            self.texts = f"{told.text} {text}"

    class Rooms(Chat):
        @receive(order="concurrent")
        async def say(self, message: Say, slow: Slow) -> Said:
            return Said(text=slow.texts)

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="first"))
        await peer.send(Say(text="second"))
        assert [(await peer.expect(Said)).text for _ in range(2)] == ["second second", "first first"]


@pytest.mark.parametrize("scope", ["function", "request"])
async def test_a_clean_up_that_swallows_is_the_handlers_end(scope: Any) -> None:
    """What it raised is dealt with, and there is no answer but that it is done."""

    async def swallowing(message: Say) -> Any:
        try:
            yield
        except LookupError:
            pass

    class Rooms(Chat):
        @receive
        async def say(self, message: Say, value: Annotated[None, Depends(swallowing, scope=scope)]) -> Said:
            raise LookupError

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) is None


@pytest.mark.parametrize("scope", ["function", "request"])
async def test_clean_ups_see_no_bare_stop_iteration(scope: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What a dependency raises so leaves a coroutine as a RuntimeError (PEP 479), and a generator as it came."""
    seen: list[BaseException] = []

    async def noting(message: Say) -> Any:
        try:
            yield
        except BaseException as error:
            seen.append(error)
            raise

    def first(message: Say) -> str:
        return next(word for word in message.text.split() if word.startswith("#"))

    class Rooms(Chat):
        @receive
        async def say(
            self,
            message: Say,
            opened: Opened,
            noted: Annotated[None, Depends(noting, scope=scope)],
            tag: Annotated[str, Depends(first, thread=False)],
        ) -> None: ...

    app = App(controllers=[Rooms], container=Container(Opening(seen)))
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_error("internal")
    assert [type(error) for error in seen] == [RuntimeError, RuntimeError]
    assert isinstance(seen[0].__cause__, StopIteration)
    assert len(caplog.records) == 1


class Opened:
    """A service that is cleaned up."""


class Opening(Module):
    """Notes what its clean-ups see."""

    def __init__(self, seen: list[BaseException]) -> None:
        self.seen = seen

    @message_scoped
    @provider
    async def opened(self) -> AsyncIterator[Opened]:
        try:
            yield Opened()
        except BaseException as error:
            self.seen.append(error)
            raise


async def test_clean_ups_are_none_of_the_places_where_a_handler_failed() -> None:
    """A traceback has the handler's line right below the plan's, whatever saw the exception behind it; and no frame holds it."""
    seen: list[BaseException] = []

    class Rooms(Chat):
        @receive
        async def say(self, message: Say, opened: Opened) -> None:
            raise LookupError

    app = App(controllers=[Rooms], container=Container(Opening(seen)))
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_error("internal")
    (error,) = seen
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)][-2:] == ["handle", "say"]
    assert "opened" not in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


class Fed:
    """Made anew wherever it is asked for."""

    def __init__(self, text: Annotated[str, Depends(text_of)]) -> None:
        self.text = text


async def test_each_handler_feeds_what_it_needs() -> None:
    """Also a class of no scope, which another handler needs as well."""

    class Louder(Say):
        pass

    class Rooms(Chat):
        @receive
        async def say(self, message: Say, fed: Fed, told: Told) -> Said:
            return Said(text=f"{fed.text} {told.text}")

        @receive
        async def louder(self, message: Louder, fed: Fed, told: Told) -> Said:
            return Said(text=f"{fed.text} {told.text}!")

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a a")
        assert await peer.request(Louder(text="b")) == Said(text="b b!")


async def test_what_is_made_later_is_fed_by_its_own_message() -> None:
    """Whatever other messages are handled meanwhile."""
    arrived = anyio.Event()

    class Rooms(Chat):
        @receive(order="concurrent")
        async def say(self, message: Say, fed: ProviderOf[Fed]) -> Said:
            if message.text == "first":
                await arrived.wait()
            else:
                arrived.set()
            return Said(text=f"{message.text} {fed.get().text}")

    async with AsyncTestClient(App(controllers=[Rooms])) as client, client.connect("/tea") as peer:
        await peer.send(Say(text="first"))
        await peer.send(Say(text="second"))
        assert [(await peer.expect(Said)).text for _ in range(2)] == ["second second", "first first"]


async def test_overrides_hold_for_handlers_too() -> None:
    """`dependency_overrides` replaces a handler's dependency; what takes its place may take the message as well."""

    def text(message: Say) -> str:
        return message.text

    def shouted(message: Say) -> str:
        return message.text.upper()

    class Overridden(Chat):
        @receive
        async def say(self, message: Say, value: Annotated[str, Depends(text)]) -> Said:
            return Said(text=value)

    app = App(controllers=[Overridden])
    app.dependency_overrides[text] = shouted
    async with AsyncTestClient(app) as client, client.connect("/tea") as peer:
        assert await peer.request(Say(text="a")) == Said(text="A")
