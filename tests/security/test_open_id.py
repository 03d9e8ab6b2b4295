from __future__ import annotations

import pytest

from tests.security.handshakes import handshake
from wscontrollers.exceptions import HTTPException
from wscontrollers.security import OpenIdConnect


@pytest.mark.parametrize("sent", ["Bearer foobar", "Other foobar"])
async def test_the_whole_header_is_given(sent: str) -> None:
    """OpenID Connect leaves the reading of the header to its user."""
    assert await OpenIdConnect(openIdConnectUrl="/openid")(handshake(authorization=sent)) == sent


async def test_no_header_is_refused() -> None:
    """401 with the challenge `Bearer`, or None without `auto_error`."""
    with pytest.raises(HTTPException) as refused:
        await OpenIdConnect(openIdConnectUrl="/openid")(handshake())

    assert (refused.value.status_code, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
    assert await OpenIdConnect(openIdConnectUrl="/openid", auto_error=False)(handshake()) is None


def test_the_documentation_has_the_url() -> None:
    """`scheme` is what AsyncAPI documents."""
    assert OpenIdConnect(openIdConnectUrl="/openid").scheme == {"type": "openIdConnect", "openIdConnectUrl": "/openid"}
