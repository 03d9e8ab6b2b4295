"""The handshake that a test sends: path, query, headers, cookies and offered subprotocols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from urllib.parse import quote, unquote, urlencode, urlsplit

from starlette.types import Scope

Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
Params: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]

_SAFE_IN_A_PATH = "/%:@!$&'()*+,;=~-._"
_SAFE_IN_A_QUERY = "/?%:@!$&'()*+,;=~-._[]"
_KEY = "dGVzdGluZyB3aXRob3V0IQ=="
"""Any 16 bytes in base64 are a valid key: RFC 6455, section 4.1."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One handshake.

    Attributes:
        base_url: Scheme and host that it names.
        path: The path, percent-encoded.
        query: The query, percent-encoded.
        headers: Names and values besides those that every handshake has, cookies among them.
        subprotocols: What is offered.
    """

    base_url: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    subprotocols: tuple[str, ...]

    @property
    def host(self) -> str:
        """The value of its `Host` header."""
        given = [value for name, value in self.headers if name.lower() == "host"]
        return given[0] if given else urlsplit(self.base_url).netloc

    @property
    def others(self) -> list[tuple[str, str]]:
        """Its headers without `Host`."""
        return [(name, value) for name, value in self.headers if name.lower() != "host"]

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def scope(self, client: tuple[str, int], state: Mapping[str, Any]) -> Scope:
        """Its ASGI scope, as a server makes it.

        Args:
            client: The peer's address and port.
            state: The lifespan's state, of which each session gets a copy.
        """
        base = urlsplit(self.base_url)
        is_secure = base.scheme in ("https", "wss")
        headers = [
            ("host", self.host),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", _KEY),
            *([("sec-websocket-protocol", ", ".join(self.subprotocols))] if self.subprotocols else []),
            *self.others,
        ]
        return {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_secure else "ws",
            "server": (base.hostname, base.port or (443 if is_secure else 80)),
            "client": client,
            "root_path": "",
            "path": unquote(self.path),
            "raw_path": self.path.encode("ascii"),
            "query_string": self.query.encode("ascii"),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "subprotocols": list(self.subprotocols),
            "state": dict(state),
            "extensions": {"websocket.http.response": {}},
        }


def opening(
    base_url: str,
    path: str,
    *,
    params: Params | None = None,
    headers: Pairs | None = None,
    cookies: Mapping[str, str] | None = None,
    subprotocols: Sequence[str] = (),
) -> Opening:
    """Put a handshake together; a query in the path and `params` add up, as do a cookie header and `cookies`.

    Raises:
        ValueError: The path does not start with a slash.
        TypeError: `subprotocols` is a string.
    """
    if not path.startswith("/"):
        raise ValueError(f"connect({path!r}): a path starts with a slash. Fix: give path and query only, '/chat/tea?token=t'.")
    if isinstance(subprotocols, str):
        raise TypeError(f"connect(subprotocols={subprotocols!r}): a string is no list. Fix: subprotocols=[{subprotocols!r}].")
    own_path, _, own_query = path.partition("?")
    queries = [quote(own_query, safe=_SAFE_IN_A_QUERY), urlencode([*_primitives(params)])]
    return Opening(
        base_url=base_url,
        path=quote(own_path, safe=_SAFE_IN_A_PATH),
        query="&".join(query for query in queries if query),
        headers=_with_cookies(_pairs(headers), cookies or {}),
        subprotocols=tuple(subprotocols),
    )


def _pairs(headers: Pairs | None) -> list[tuple[str, str]]:
    if headers is None:
        return []
    return list(cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers)


def _with_cookies(headers: list[tuple[str, str]], cookies: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    # A handshake has one Cookie header: RFC 6265, section 5.4.
    given = [value for name, value in headers if name.lower() == "cookie"]
    given += [f"{name}={value}" for name, value in cookies.items()]
    others = [(name, value) for name, value in headers if name.lower() != "cookie"]
    return (*others, *([("cookie", "; ".join(given))] if given else []))


def _primitives(params: Params | None) -> Iterable[tuple[str, str]]:
    pairs = cast("Mapping[str, Any]", params).items() if isinstance(params, Mapping) else params or ()
    for name, value in pairs:
        is_many = isinstance(value, list | tuple | set | frozenset)
        for one in cast("Iterable[Any]", value) if is_many else (value,):
            yield name, str(one).lower() if isinstance(one, bool) else "" if one is None else str(one)
