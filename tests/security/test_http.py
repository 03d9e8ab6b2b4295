from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.security.handshakes import handshake
from wscontrollers.exceptions import HTTPException
from wscontrollers.security import (
    HTTPAuthorizationCredentials,
    HTTPBase,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
)


def basic(content: bytes) -> str:
    return f"Basic {b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        (HTTPBearer(), "Bearer foobar"),
        (HTTPBearer(), "bEARER foobar"),
        (HTTPDigest(), "Digest foobar"),
        (HTTPBase(scheme="Other"), "Other foobar"),
        (HTTPBase(scheme="Other"), "Another foobar"),
    ],
)
async def test_credentials_are_given_with_the_scheme_as_sent(scheme: HTTPBase, sent: str) -> None:
    """The scheme's name is compared without case and given as it was sent; `HTTPBase` leaves the comparing to its user."""
    assert await scheme(handshake(authorization=sent)) == HTTPAuthorizationCredentials(
        scheme=sent.split()[0], credentials="foobar"
    )


async def test_space_around_credentials_is_not_theirs() -> None:
    """Spaces between the scheme and its credentials, and behind them, are dropped."""
    credentials = await HTTPBearer()(handshake(authorization="Bearer   foobar "))

    assert credentials is not None
    assert credentials.credentials == "foobar"


@pytest.mark.parametrize(
    ("scheme", "challenge"),
    [
        (HTTPBearer(), "Bearer"),
        (HTTPDigest(), "Digest"),
        (HTTPBase(scheme="Other"), "Other"),
        (HTTPBasic(), "Basic"),
        (HTTPBasic(realm="simple"), 'Basic realm="simple"'),
        (HTTPBasic(realm='the "inner" \\ place'), 'Basic realm="the \\"inner\\" \\\\ place"'),
    ],
)
async def test_a_refusal_names_the_scheme(scheme: HTTPBase, challenge: str) -> None:
    """`WWW-Authenticate` says what would have been right, with the realm quoted."""
    with pytest.raises(HTTPException) as refused:
        await scheme(handshake())

    assert (refused.value.status_code, refused.value.headers) == (401, {"WWW-Authenticate": challenge})


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"authorization": "Wrong foobar"}])
@pytest.mark.parametrize("scheme", [HTTPBearer, HTTPDigest, HTTPBasic])
async def test_another_scheme_is_no_credentials(scheme: Any, headers: dict[str, str]) -> None:
    """No header, an empty one, and one of another scheme: refused, or None without `auto_error`."""
    with pytest.raises(HTTPException):
        await scheme()(handshake(**headers))
    assert await scheme(auto_error=False)(handshake(**headers)) is None


@pytest.mark.parametrize("scheme", [HTTPBearer(auto_error=False), HTTPBase(scheme="Bearer", auto_error=False)])
async def test_empty_credentials_are_none(scheme: HTTPBase) -> None:
    """A scheme without anything behind it counts as missing."""
    assert await scheme(handshake(authorization="Bearer ")) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"john:secret", ("john", "secret")),
        (b"john:se:cret", ("john", "se:cret")),
        (b":", ("", "")),
    ],
)
async def test_basic_splits_at_the_first_colon(content: bytes, expected: tuple[str, str]) -> None:
    """The password may hold colons, the user name may not; either may be empty."""
    username, password = expected

    assert await HTTPBasic()(handshake(authorization=basic(content))) == HTTPBasicCredentials(
        username=username, password=password
    )


@pytest.mark.parametrize("auto_error", [True, False])
@pytest.mark.parametrize(
    "sent", ["Basic", "Basic notabase64token", "Basic am9o$bjpz", basic(b"johnsecret"), basic("jöhn:secret".encode("latin-1"))]
)
async def test_malformed_basic_is_refused_in_any_case(sent: str, auto_error: bool) -> None:
    """No base64, no colon, no ASCII: 401 even without `auto_error`, for its sender meant to authenticate."""
    with pytest.raises(HTTPException) as refused:
        await HTTPBasic(auto_error=auto_error)(handshake(authorization=sent))

    assert refused.value.status_code == 401


def test_secrets_stay_out_of_repr() -> None:
    """What logs and failing tests print of credentials holds no password and no token."""
    assert "secret" not in repr(HTTPBasicCredentials(username="john", password="secret"))
    assert "secret" not in repr(HTTPAuthorizationCredentials(scheme="Bearer", credentials="secret"))


def test_the_documentation_names_the_scheme() -> None:
    """`scheme` is what AsyncAPI documents, with a bearer's format where it is given."""
    assert HTTPBase(scheme="Other").scheme == {"type": "http", "scheme": "Other"}
    assert HTTPBasic().scheme == {"type": "http", "scheme": "basic"}
    assert HTTPDigest().scheme == {"type": "http", "scheme": "digest"}
    assert HTTPBearer(bearerFormat="JWT").scheme == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
