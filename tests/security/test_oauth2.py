from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from tests.security.handshakes import handshake
from wscontrollers.exceptions import HTTPException
from wscontrollers.security import OAuth2, OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer

BEARERS = [
    OAuth2PasswordBearer("/token", auto_error=False),
    OAuth2AuthorizationCodeBearer("/authorize", "/token", auto_error=False),
]


@pytest.mark.parametrize("sent", ["Bearer foobar", "Other foobar", "foobar"])
async def test_oauth2_gives_the_whole_header(sent: str) -> None:
    """`OAuth2` itself reads nothing into the header."""
    assert await OAuth2()(handshake(authorization=sent)) == sent


@pytest.mark.parametrize("bearer", BEARERS)
async def test_a_bearer_gives_the_token(bearer: OAuth2PasswordBearer) -> None:
    """The word `Bearer` is compared without case, the token is what follows."""
    assert await bearer(handshake(authorization="Bearer testtoken")) == "testtoken"
    assert await bearer(handshake(authorization="bearer testtoken")) == "testtoken"


@pytest.mark.parametrize("bearer", BEARERS)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Other testtoken"}, {"authorization": "Bearer "}])
async def test_no_token_is_none_without_auto_error(bearer: OAuth2PasswordBearer, headers: dict[str, str]) -> None:
    """No header, another scheme, or no token behind `Bearer`."""
    assert await bearer(handshake(**headers)) is None


@pytest.mark.parametrize("scheme", [OAuth2(), OAuth2PasswordBearer("/token"), OAuth2AuthorizationCodeBearer("/a", "/token")])
async def test_no_header_is_refused(scheme: OAuth2) -> None:
    """401 with the challenge `Bearer`."""
    with pytest.raises(HTTPException) as refused:
        await scheme(handshake())

    assert (refused.value.status_code, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


async def test_oauth2_without_auto_error_gives_none() -> None:
    """A missing header is None where `auto_error` is off."""
    assert await OAuth2(auto_error=False)(handshake()) is None


def test_the_documentation_has_the_flow() -> None:
    """Each bearer documents its one flow, with URLs and scopes and without what was not given."""
    password = OAuth2PasswordBearer("/token", scopes={"read": "Read"}, refreshUrl="/refresh")
    code = OAuth2AuthorizationCodeBearer("/authorize", "/token")

    assert password.scheme == {
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/token", "refreshUrl": "/refresh", "scopes": {"read": "Read"}}},
    }
    assert code.scheme == {
        "type": "oauth2",
        "flows": {"authorizationCode": {"authorizationUrl": "/authorize", "tokenUrl": "/token", "scopes": {}}},
    }


def test_flows_may_be_a_model() -> None:
    """A pydantic model of flows, as FastAPI's users have it, is taken by its aliases."""

    class Flow(BaseModel):
        token_url: str = Field(serialization_alias="tokenUrl")

    class Flows(BaseModel):
        password: Flow | None = None
        implicit: Flow | None = None

    assert OAuth2(flows=Flows(password=Flow(token_url="/token"))).scheme["flows"] == {"password": {"tokenUrl": "/token"}}
