"""API keys: one secret word in the query, a header or a cookie."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from .base import SecurityBase


class _APIKey(SecurityBase):
    challenge = "APIKey"
    place: str

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        self.name = name
        super().__init__(
            scheme={"type": "apiKey", "in": self.place, "name": name},
            scheme_name=scheme_name,
            description=description,
            auto_error=auto_error,
        )

    def checked(self, api_key: str | None) -> str | None:
        """The key that was sent; an empty one counts as missing."""
        if not api_key:
            self.missing()
        return api_key or None


class APIKeyQuery(_APIKey):
    """The API key of a query parameter: `Depends(APIKeyQuery(name="api_key"))`.

    Browsers cannot give a WebSocket headers, so this place is often the only one; servers' access logs print it.

    Args:
        name: The query parameter.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without a key is refused with 401; otherwise the value is None.

    Source: FastAPI's `APIKeyQuery`.
    """

    place = "query"

    async def __call__(self, request: HTTPConnection) -> str | None:
        """The key; the last one if it was sent several times."""
        return self.checked(request.query_params.get(self.name))


class APIKeyHeader(_APIKey):
    """The API key of a header: `Depends(APIKeyHeader(name="X-API-Key"))`.

    Args:
        name: The header, in any case.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without a key is refused with 401; otherwise the value is None.

    Source: FastAPI's `APIKeyHeader`.
    """

    place = "header"

    async def __call__(self, request: HTTPConnection) -> str | None:
        """The key; the first one if it was sent several times."""
        return self.checked(request.headers.get(self.name))


class APIKeyCookie(_APIKey):
    """The API key of a cookie: `Depends(APIKeyCookie(name="session"))`.

    Browsers send cookies with every handshake, whichever page asks for it: this place needs the check of `OriginPolicy`.

    Args:
        name: The cookie.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without a key is refused with 401; otherwise the value is None.

    Source: FastAPI's `APIKeyCookie`; RFC 6455, section 10.2.
    """

    place = "cookie"

    async def __call__(self, request: HTTPConnection) -> str | None:
        """The key; the last one if it was sent several times."""
        return self.checked(request.cookies.get(self.name))
