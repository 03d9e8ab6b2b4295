"""The schemes of the `Authorization` header: Basic, Bearer, Digest, and any other."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from .base import SecurityBase, authorization


class HTTPBasicCredentials(BaseModel, defer_build=True):
    """What `HTTPBasic` gives. The password stays out of `repr` and so out of logs.

    Compare both with `hmac.compare_digest`, and both always, so that the duration does not tell which user names exist.
    """

    username: str
    password: Annotated[str, Field(repr=False)]


class HTTPAuthorizationCredentials(BaseModel, defer_build=True):
    """What `HTTPBearer`, `HTTPDigest` and `HTTPBase` give: the scheme as it was sent, and what follows it."""

    scheme: str
    credentials: Annotated[str, Field(repr=False)]


class HTTPBase(SecurityBase):
    """Credentials of the `Authorization` header, of whatever scheme; look at `scheme` of the result.

    Args:
        scheme: The scheme's name, for the documentation and the challenge of a refusal.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without credentials is refused with 401; otherwise the value is None.

    Source: FastAPI's `HTTPBase`; RFC 9110, section 11.
    """

    only: str | None = None
    """The one scheme that is accepted, in lower case; None for any."""

    def __init__(
        self, *, scheme: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(
            scheme=self._documentation(scheme), scheme_name=scheme_name, description=description, auto_error=auto_error
        )
        self.challenge = scheme.title()

    def _documentation(self, scheme: str) -> dict[str, Any]:
        return {"type": "http", "scheme": scheme}

    async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials | None:
        """The credentials; another scheme than the accepted one, or an empty value, counts as missing."""
        scheme, credentials = authorization(request)
        if not scheme or not credentials or self.only not in (None, scheme.lower()):
            self.missing()
            return None
        return HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials)


class HTTPBearer(HTTPBase):
    """The token of `Authorization: Bearer token`; the word `Bearer` is read in any case.

    Args:
        bearerFormat: What the token is, for the documentation, for example `JWT`.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without a token is refused with 401; otherwise the value is None.

    Source: FastAPI's `HTTPBearer`; RFC 6750, section 2.1.
    """

    only = "bearer"

    def __init__(
        self,
        *,
        bearerFormat: str | None = None,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        self.bearer_format = bearerFormat
        super().__init__(scheme="bearer", scheme_name=scheme_name, description=description, auto_error=auto_error)

    def _documentation(self, scheme: str) -> dict[str, Any]:
        return {"type": "http", "scheme": scheme, "bearerFormat": self.bearer_format}


class HTTPDigest(HTTPBase):
    """What follows `Authorization: Digest`, unparsed: checking the digest is yours.

    Args:
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without a digest is refused with 401; otherwise the value is None.

    Source: FastAPI's `HTTPDigest`; RFC 7616.
    """

    only = "digest"

    def __init__(self, *, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True) -> None:
        super().__init__(scheme="digest", scheme_name=scheme_name, description=description, auto_error=auto_error)


class HTTPBasic(HTTPBase):
    """User name and password of `Authorization: Basic base64(name:password)`, in ASCII.

    A malformed value is refused even without `auto_error`: its sender meant to authenticate.

    Args:
        realm: The name of the protected space, shown by browsers and sent with a refusal.
        scheme_name: The name in the documentation; the name of the class when left out.
        description: The text in the documentation.
        auto_error: Whether a handshake without credentials is refused with 401; otherwise the value is None.

    Source: FastAPI's `HTTPBasic`; RFC 7617.
    """

    only = "basic"

    def __init__(
        self,
        *,
        scheme_name: str | None = None,
        realm: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(scheme="basic", scheme_name=scheme_name, description=description, auto_error=auto_error)
        self.realm = realm
        if realm:
            self.challenge = f"Basic realm={_quoted(realm)}"

    async def __call__(  # type: ignore[override]  # FastAPI's tree: Basic is an HTTPBase that gives other credentials
        self, request: HTTPConnection
    ) -> HTTPBasicCredentials | None:
        """The user name, up to the first colon, and the password behind it."""
        scheme, encoded = authorization(request)
        if scheme.lower() != self.only:
            self.missing()
            return None
        try:
            decoded = b64decode(encoded, validate=True).decode("ascii")
        except ValueError as error:
            raise self.make_not_authenticated_error() from error
        username, colon, password = decoded.partition(":")
        if not colon:
            raise self.make_not_authenticated_error()
        return HTTPBasicCredentials(username=username, password=password)


def _quoted(text: str) -> str:
    """The text as a quoted-string of RFC 9110, section 5.6.4."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
