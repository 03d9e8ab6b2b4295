"""OpenID Connect: where its provider is described, and the header that was sent."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from .base import SecurityBase


class OpenIdConnect(SecurityBase):
    """The whole `Authorization` header, whatever its scheme, documented as OpenID Connect.

    Args:
        openIdConnectUrl: The provider's discovery document, for the documentation.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without the header is refused with 401; otherwise the value is None.

    Source: FastAPI's `OpenIdConnect`; OpenID Connect Discovery 1.0.
    """

    def __init__(
        self,
        *,
        openIdConnectUrl: str,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(
            scheme={"type": "openIdConnect", "openIdConnectUrl": openIdConnectUrl},
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
