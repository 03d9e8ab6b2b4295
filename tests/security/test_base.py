from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from tests.security.handshakes import handshake
from wscontrollers.exceptions import HTTPException, WebSocketException
from wscontrollers.security import APIKeyQuery, HTTPBearer, SecurityBase
from wscontrollers.testing import TestClient, WebSocketDenialResponse


async def test_a_refusal_is_a_401_with_a_challenge() -> None:
    """Who sends no credentials is refused with HTTP 401, `Not authenticated` and `WWW-Authenticate`."""
    with pytest.raises(HTTPException) as refused:
        await HTTPBearer()(handshake())

    assert refused.value.status_code == 401
    assert refused.value.detail == "Not authenticated"
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


async def test_the_error_can_be_replaced() -> None:
    """`make_not_authenticated_error()` decides what is raised."""

    class Closing(APIKeyQuery):
        def make_not_authenticated_error(self) -> Exception:
            return WebSocketException(4001, "no key")

    with pytest.raises(WebSocketException) as closed:
        await Closing(name="key")(handshake())

    assert closed.value.code == 4001


def test_the_name_is_that_of_the_class_unless_given() -> None:
    """`scheme_name` defaults to the name of the class, a subclass's own included."""

    class Staff(HTTPBearer):
        pass

    assert Staff().scheme_name == "Staff"
    assert Staff(scheme_name="Everyone").scheme_name == "Everyone"


def test_the_description_is_documented_where_there_is_one() -> None:
    """`scheme` is plain data without fields that say nothing."""
    assert HTTPBearer().scheme == {"type": "http", "scheme": "bearer"}
    assert HTTPBearer(description="a token").scheme == {"type": "http", "scheme": "bearer", "description": "a token"}


async def test_a_scheme_of_ones_own_needs_a_call_only() -> None:
    """A subclass without a constructor, or with one that does not call ours, has a name, a scheme and the refusal."""

    class Ticket(SecurityBase):
        def __init__(self, secret: str) -> None:
            self.secret = secret

        async def __call__(self, request: HTTPConnection) -> str | None:
            ticket = request.query_params.get("ticket")
            if ticket is None:
                self.missing()
            return ticket

    ticket = Ticket("s")

    assert await ticket(handshake("ticket=t")) == "t"
    assert (ticket.scheme_name, ticket.scheme) == ("Ticket", {})
    with pytest.raises(HTTPException):
        await ticket(handshake())


def test_on_the_wire_a_refusal_is_a_denial_response() -> None:
    """Raised before the accept, the 401 reaches the peer as a true HTTP answer."""
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute

    async def endpoint(websocket: WebSocket) -> None:
        await HTTPBearer()(websocket)

    client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))

    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/"):
        pass
    assert denied.value.status_code == 401
    assert denied.value.headers["www-authenticate"] == "Bearer"
