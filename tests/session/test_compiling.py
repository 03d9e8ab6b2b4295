"""What an endpoint's sessions speak, read from its signature and its controller."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from wscontrollers import App, Controller, DeclarationError, JsonRpc, Message, Session, WebSocket, latest, receive, websocket
from wscontrollers.session import Contract, Limits
from wscontrollers.session.compiling import wire_of
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.handlers import handlers_of


class Say(Message):
    text: str


class Said(Message):
    text: str


class Pushed(Message):
    pass


def tags(endpoint: Any, contract: Contract | None = None) -> set[str] | None:
    union = wire_of(contract or Contract(), endpoint).incoming
    return None if union is None else set(union.tags)


def test_the_arguments_of_session_say_what_comes_in_and_goes_out() -> None:
    """Through Annotated, Optional and unions; bytes and str are raw frames and no messages."""

    async def endpoint(session: Annotated[Session[Say | bytes, Said], "note"] | None) -> None: ...

    wire = wire_of(Contract(), endpoint)
    assert tags(endpoint) == {"say"}
    assert wire.sends == (Said,)


def test_without_types_nothing_is_known() -> None:
    """A plain Session knows no message; beside a WebSocket, or where there is none, frames are left to who reads them."""

    async def plain(session: Session) -> None: ...
    async def beside(session: Session, websocket: WebSocket) -> None: ...
    async def without(websocket: WebSocket) -> None: ...

    assert tags(plain) == set()
    assert tags(beside) is None
    assert tags(without) is None


def test_handlers_say_what_comes_in_and_with_sends_what_goes_out() -> None:
    """The answers of handlers, the items of streams, and what the controller pushes besides."""

    class Chat(Controller):
        @websocket("/")
        async def session(self) -> AsyncIterator[None]:
            yield

        @receive
        async def say(self, message: Say) -> AsyncIterator[Said]:
            yield Said(text="")

    wire = wire_of(Contract(handlers=handlers_of(Chat), sends=[Pushed]), Chat.session)
    assert wire.incoming is not None
    assert set(wire.incoming.tags) == {"say"}
    assert wire.sends == (Said, Pushed)


def test_what_is_no_message_is_an_error_at_registration() -> None:
    """It names the endpoint."""
    app = App()

    async def endpoint(session: Session[int, Said]) -> None: ...

    with pytest.raises(DeclarationError, match="int is no message"):
        app.add_api_websocket_route("/", endpoint)


def test_what_a_controller_declares_is_checked_at_registration() -> None:
    """Limits and outbox policies of the wrong kind are told with their place."""

    class Unlimited(Controller):
        limits = {"rate": 3}  # type: ignore[assignment]

        @websocket("/")
        async def open(self) -> None: ...

    class Boundless(Controller):
        outbox = "wait"  # type: ignore[assignment]

        @websocket("/")
        async def open(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"Unlimited.*are none"):
        App(controllers=[Unlimited])
    with pytest.raises(DeclarationError, match=r"Boundless\.outbox: 'wait' is no outbox policy"):
        App(controllers=[Boundless])


def test_limits_and_policy_reach_the_wire() -> None:
    """Those of the contract over those of the app."""

    async def endpoint(session: Session[Say, Said]) -> None: ...

    wire = wire_of(Contract(limits=Limits(inbox=3), outbox=latest(key="text")), endpoint, limits=Limits(inbox=9, burst=7))
    assert (wire.limits.inbox, wire.limits.burst) == (3, 7)
    assert wire.policy_of(Said(text="a"))[1] == (Said, "a")


def test_a_key_of_the_controllers_policy_has_a_hash() -> None:
    """It holds for what is declared to be sent and says nothing of its own."""

    class Listed(Message):
        text: list[str]

    class Own(Message, outbox="close"):
        text: list[str]

    async def endpoint(session: Session[Say, Listed | Own | Said]) -> None: ...

    with pytest.raises(DeclarationError, match=r"latest\(key='text'\): the values of \S+\.Listed\.text cannot .*Fix: ") as caught:
        wire_of(Contract(outbox=latest(key="text")), endpoint)
    assert len(caught.value.faults) == 1


def test_a_message_without_the_key_of_a_controllers_latest() -> None:
    """It is treated as if it said "close"; the key may be that of messages that only groups bring."""

    class Priced(Message):
        symbol: str

    async def endpoint(session: Session[Say, Priced | Said]) -> None: ...

    wire = wire_of(Contract(outbox=latest(key="symbol")), endpoint)
    assert wire.policy_of(Priced(symbol="TEA")) == (Overflow.CLOSE, (Priced, "TEA"))
    assert wire.policy_of(Said(text="TEA")) == (Overflow.CLOSE, None)


def test_json_rpc_has_no_streams_and_no_raw_frames() -> None:
    """Both are errors at registration, with the handler or the endpoint that has them."""

    class Streaming(Controller):
        protocol = JsonRpc()

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def count(self, message: Say) -> AsyncIterator[Said]:
            yield Said(text="")

    class Raw(Controller):
        protocol = JsonRpc()

        @websocket("/")
        async def open(self, session: Session[Say | bytes, Said]) -> None: ...

    with pytest.raises(DeclarationError, match=r"count .*: it is a stream, and JSON-RPC has none"):
        App(controllers=[Streaming])
    with pytest.raises(DeclarationError, match=r"open .*: raw frames are no calls of JSON-RPC"):
        App(controllers=[Raw])


def test_a_protocol_is_an_instance() -> None:
    """The class without its brackets is an error at registration; a subclass may take a protocol away."""

    class Unmade(Controller):
        protocol = JsonRpc  # type: ignore[assignment]

        @websocket("/")
        async def open(self, session: Session[Say, Said]) -> None: ...

    class Flat(Unmade):
        protocol = None

    with pytest.raises(DeclarationError, match=r"Unmade\.protocol: .* is no protocol\. Fix: write protocol = JsonRpc\(\)"):
        App(controllers=[Unmade])
    App(controllers=[Flat])


def test_results_need_no_tag() -> None:
    """What a call of JSON-RPC returns may be any type; what is sent besides has to be a message."""

    class Row(BaseModel):
        n: int

    class Tagged(BaseModel):
        type: Literal["tagged"]

    async def endpoint(session: Session[Say, int | list[Row] | Row | Said | Tagged]) -> None: ...

    assert wire_of(Contract(protocol=JsonRpc()), endpoint).sends == (Said, Tagged)
    with pytest.raises(DeclarationError, match="has no tag"):
        wire_of(Contract(protocol=JsonRpc(), sends=[Row]), endpoint)
