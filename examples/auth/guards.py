"""The two ways in, as dependencies: both find a `User`, and both refuse strangers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, SecretStr

from examples.auth.users import User, Users
from wscontrollers import Denied, Depends, FirstMessage, WebSocketException, status
from wscontrollers.security import HTTPAuthorizationCredentials, HTTPBearer


class Credentials(BaseModel):
    """The first message of a page: `{"token": "..."}`."""

    token: SecretStr


async def user_of_header(sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())], users: Users) -> User:
    """The user of `Authorization: Bearer token`. A stranger gets HTTP 401, and no session."""
    user = users.of(sent.credentials)
    if user is None:
        raise Denied(401, "unknown token", {"WWW-Authenticate": "Bearer"})
    return user


async def user_of_first_message(sent: Annotated[Credentials, FirstMessage(timeout=5)], users: Users) -> User:
    """The user of the token in the first message, for pages: they cannot send headers. A stranger is closed with 1008."""
    user = users.of(sent.token.get_secret_value())
    if user is None:
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, "unknown token")
    return user
