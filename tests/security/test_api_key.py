from __future__ import annotations

import pytest

from tests.security.handshakes import handshake
from wscontrollers.exceptions import HTTPException
from wscontrollers.security import APIKeyCookie, APIKeyHeader, APIKeyQuery

SCHEMES = [APIKeyQuery, APIKeyHeader, APIKeyCookie]
Scheme = type[APIKeyQuery] | type[APIKeyHeader] | type[APIKeyCookie]


async def test_the_key_comes_from_its_place() -> None:
    """Query, header (in any case) and cookie each give the key as it was sent."""
    sent = handshake("key=q", key="h", cookie="other=x; key=c")

    assert await APIKeyQuery(name="key")(sent) == "q"
    assert await APIKeyHeader(name="KEY")(sent) == "h"
    assert await APIKeyCookie(name="key")(sent) == "c"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_missing_key_is_refused(scheme: Scheme) -> None:
    """Without the key: 401 with the challenge `APIKey`."""
    with pytest.raises(HTTPException) as refused:
        await scheme(name="key")(handshake())

    assert (refused.value.status_code, refused.value.headers) == (401, {"WWW-Authenticate": "APIKey"})


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_empty_key_is_a_missing_key(scheme: Scheme) -> None:
    """An empty value counts as no value."""
    with pytest.raises(HTTPException):
        await scheme(name="key")(handshake("key=", key="", cookie="key="))


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_without_auto_error_a_missing_key_is_none(scheme: Scheme) -> None:
    """`auto_error=False` gives None for a missing and for an empty key."""
    lenient = scheme(name="key", auto_error=False)

    assert await lenient(handshake()) is None
    assert await lenient(handshake("key=", key="", cookie="key=")) is None


@pytest.mark.parametrize(("scheme", "place"), [(APIKeyQuery, "query"), (APIKeyHeader, "header"), (APIKeyCookie, "cookie")])
def test_the_documentation_names_place_and_key(scheme: Scheme, place: str) -> None:
    """`scheme` is what AsyncAPI documents for a key."""
    assert scheme(name="key", description="d").scheme == {"type": "apiKey", "in": place, "name": "key", "description": "d"}
