"""What every security scheme has in common: its name, its description as data, and how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import HTTPConnection

from ..exceptions import HTTPException


class SecurityBase:
    """A way to show who one is, used as a dependency: `Depends(scheme)` or `Security(scheme, scopes=[...])`.

    A scheme only *reads* what the peer sent with the handshake; whether it is true is yours to decide. Compare secrets with
    `hmac.compare_digest(sent.encode(), known.encode())`: `==` tells by its duration how much of a secret was right.

    Subclasses define `async def __call__(self, request: HTTPConnection)`, which gives the credentials, or calls `missing()`
    and gives None.

    Args:
        scheme: The scheme as AsyncAPI and OpenAPI document it: `type` and, by type, `in`, `name`, `scheme`,
            `bearerFormat`, `flows`, `openIdConnectUrl`.
        scheme_name: Its name in the documentation; the name of the class when left out.
        description: Its text in the documentation.
        auto_error: Whether a handshake without credentials is refused; otherwise the dependency's value is None.

    Source: FastAPI's `fastapi.security`, with a WebSocket's handshake in the place of a request.
    """

    challenge: str = "Bearer"
    """The value of the `WWW-Authenticate` header of a refusal (RFC 9110, section 11.6.1)."""

    scheme: Mapping[str, Any] = MappingProxyType({})
    scheme_name: str
    description: str | None = None
    auto_error: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # A subclass with a constructor of its own has a name all the same.
        super().__init_subclass__(**kwargs)
        cls.scheme_name = cls.__name__

    def __init__(
        self,
        *,
        scheme: Mapping[str, Any] = MappingProxyType({}),
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.scheme = documented(scheme, description)
        self.scheme_name = scheme_name or type(self).__name__
        self.description = description
        self.auto_error = auto_error

    def make_not_authenticated_error(self) -> Exception:
        """The exception to raise for a handshake without valid credentials: `HTTPException(401)`, a denial response.

        Override it to answer otherwise, for example with a `WebSocketException`.
        """
        return HTTPException(401, "Not authenticated", {"WWW-Authenticate": self.challenge})

    def missing(self) -> None:
        """Refuse a handshake without credentials, unless `auto_error` is off.

        Raises:
            Exception: what `make_not_authenticated_error()` gives.
        """
        if self.auto_error:
            raise self.make_not_authenticated_error()


def documented(scheme: Mapping[str, Any], description: str | None) -> dict[str, Any]:
    """The scheme's documentation without the fields that say nothing."""
    return {field: value for field, value in {**scheme, "description": description}.items() if value is not None}


def authorization(request: HTTPConnection) -> tuple[str, str]:
    """The scheme, as sent, and the credentials of the `Authorization` header; empty strings for what is not there.

    Source: RFC 9110, section 11.4.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return scheme, credentials.strip()
