"""OAuth 2: where tokens come from (for the documentation), and the token that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.requests import HTTPConnection

from .base import SecurityBase, authorization, documented

Flows = Mapping[str, Mapping[str, Any]]


class OAuth2(SecurityBase):
    """The whole `Authorization` header, whatever its scheme, documented as OAuth 2.

    Args:
        flows: The flows of the documentation by name: `{"password": {"tokenUrl": ..., "scopes": {...}}}`; a pydantic model
            of them is taken too.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without the header is refused with 401; otherwise the value is None.

    Source: FastAPI's `OAuth2`; RFC 6749.
    """

    def __init__(
        self,
        *,
        flows: Flows | BaseModel | None = None,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            scheme={"type": "oauth2", "flows": _plain(flows)},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    async def __call__(self, request: HTTPConnection) -> str | None:
        """The header's value as it was sent."""
        header = request.headers.get("authorization")
        if not header:
            self.missing()
        return header or None


class _OAuth2Bearer(OAuth2):
    async def __call__(self, request: HTTPConnection) -> str | None:
        """The token of `Authorization: Bearer token`; an empty one counts as missing."""
        scheme, token = authorization(request)
        if token and scheme.lower() == "bearer":
            return token
        self.missing()
        return None


class OAuth2PasswordBearer(_OAuth2Bearer):
    """The token of `Authorization: Bearer token`, had for a user name and a password at `tokenUrl`.

    Args:
        tokenUrl: Where the token is had, for the documentation.
        scheme_name: The name in the documentation; the name of the class when left out.
        scopes: The scopes with their texts, for the documentation.
        description: The text in the documentation.
        auto_error: Whether a handshake without a token is refused with 401; otherwise the value is None.
        refreshUrl: Where the token is renewed, for the documentation.

    Source: FastAPI's `OAuth2PasswordBearer`; RFC 6749, section 4.3; RFC 6750, section 2.1.
    """

    def __init__(
        self,
        tokenUrl: str,
        scheme_name: str | None = None,
        scopes: Mapping[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
        refreshUrl: str | None = None,
    ) -> None:
        flow = {"tokenUrl": tokenUrl, "refreshUrl": refreshUrl, "scopes": dict(scopes or {})}
        super().__init__(flows={"password": flow}, scheme_name=scheme_name, description=description, auto_error=auto_error)


class OAuth2AuthorizationCodeBearer(_OAuth2Bearer):
    """The token of `Authorization: Bearer token`, had for a code that `authorizationUrl` gives.

    Args:
        authorizationUrl: Where the user agrees, for the documentation.
        tokenUrl: Where the token is had, for the documentation.
        refreshUrl: Where the token is renewed, for the documentation.
        scheme_name: The name in the documentation; the name of the class when left out.
        scopes: The scopes with their texts, for the documentation.
        description: The text in the documentation.
        auto_error: Whether a handshake without a token is refused with 401; otherwise the value is None.

    Source: FastAPI's `OAuth2AuthorizationCodeBearer`; RFC 6749, section 4.1; RFC 6750, section 2.1.
    """

    def __init__(
        self,
        authorizationUrl: str,
        tokenUrl: str,
        refreshUrl: str | None = None,
        scheme_name: str | None = None,
        scopes: Mapping[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        flow = {
            "authorizationUrl": authorizationUrl,
            "tokenUrl": tokenUrl,
            "refreshUrl": refreshUrl,
            "scopes": dict(scopes or {}),
        }
        super().__init__(
            flows={"authorizationCode": flow}, scheme_name=scheme_name, description=description, auto_error=auto_error
        )


def _plain(flows: Flows | BaseModel | None) -> dict[str, dict[str, Any]]:
    if isinstance(flows, BaseModel):
        flows = flows.model_dump(by_alias=True, exclude_none=True)
    return {name: documented(flow, None) for name, flow in (flows or {}).items()}
