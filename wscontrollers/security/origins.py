"""Which web pages may open a session: the check of a handshake's `Origin`."""

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from ..exceptions import DeclarationError, Fault

# Texts, which `re` compiles with the first browser and remembers: a program that never sees one needs neither.
_ORIGIN = rb"([a-z][a-z0-9+.-]*)://(.+)"
_HOST = rb"([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
_DEFAULT_PORTS = {b"http": 80, b"https": 443}
_PLAIN_SCHEMES = frozenset({"ws", "http"})


class _Origin(NamedTuple):
    scheme: bytes
    host: bytes
    port: int | None


class OriginPolicy:
    """Decides by a handshake's `Origin` header whether its page may open a session.

    Browsers send cookies with the handshake of *any* page and always name that page in `Origin`, so this check is what
    keeps strangers' pages out (cross-site WebSocket hijacking). Programs that are no browsers send no `Origin` and pass:
    they have no user's cookies to abuse.

    What passes: no `Origin` at all; the same host and port as in the `Host` header (without case, the scheme's default port
    left out or not); an origin of the list. A page had by http never passes as same host where the session is wss. A page
    had by https passes for ws too: browsers do not let such a page open ws, so a proxy has taken off the TLS.
    What never passes but by `"*"`: `null`, `file://`, several `Origin` headers, user names, paths, and all else that is no
    origin.

    Args:
        allowed: Further origins, each exactly `scheme://host` or `scheme://host:port`; `"*"` lets every page pass.

    Raises:
        DeclarationError: an entry is no origin; all of them are told at once.

    Source: RFC 6455, sections 4.2.2 and 10.2; RFC 6454, sections 4 to 7.
    """

    __slots__ = ("_allowed", "_everything")

    def __init__(self, allowed: Sequence[str] | None = None) -> None:
        entries = _entries(allowed)
        self._everything = "*" in entries
        self._allowed = frozenset(_declared(entries))

    def __repr__(self) -> str:
        shown = ["*"] if self._everything else sorted(map(_written, self._allowed))
        return f"OriginPolicy({shown!r})"

    def allows(self, scope: Mapping[str, Any]) -> bool:
        """Whether the handshake of this ASGI scope passes; header names are in lower case, as ASGI has them."""
        if self._everything:
            return True
        sent: bytes | None = None
        host: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"origin":
                if sent is not None:
                    return False
                sent = value
            elif name == b"host":
                # A second Host header is an attempt to confuse: then nothing is the same host.
                host = value if host is None else b""
        if sent is None:
            return True
        origin = _parsed(sent)
        return origin is not None and (origin in self._allowed or _is_same_host(origin, host, scope))


def _is_same_host(origin: _Origin, host: bytes | None, scope: Mapping[str, Any]) -> bool:
    if host is None or origin.scheme not in _DEFAULT_PORTS:
        return False
    if origin.scheme == b"http" and scope.get("scheme", "ws") not in _PLAIN_SCHEMES:
        return False
    return _with_host(origin.scheme, host) == origin


def _parsed(sent: bytes) -> _Origin | None:
    match = re.fullmatch(_ORIGIN, sent.lower())
    return _with_host(match[1], match[2]) if match else None


def _with_host(scheme: bytes, authority: bytes) -> _Origin | None:
    match = re.fullmatch(_HOST, authority.lower())
    if match is None:
        return None
    host = _normal_address(match[1]) if match[1].startswith(b"[") else match[1]
    port = int(match[2]) if match[2] else _DEFAULT_PORTS.get(scheme)
    return _Origin(scheme, host, port) if host and (port is None or 0 < port < 65536) else None


def _normal_address(bracketed: bytes) -> bytes | None:
    try:
        return b"[%s]" % IPv6Address(bracketed[1:-1].decode("ascii")).compressed.encode("ascii")
    except ValueError:
        return None


def _entries(allowed: Sequence[str] | None) -> Sequence[str]:
    if isinstance(allowed, str | bytes):
        raise DeclarationError.at(
            "OriginPolicy(allowed=...)", f"{allowed!r} is one text, not a list of origins", fix=f"write [{allowed!r}]"
        )
    return allowed or ()


def _declared(entries: Sequence[str]) -> list[_Origin]:
    origins: list[_Origin] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        if entry == "*":
            continue
        fix = _fix_of(entry)
        origin = _parsed(entry.encode("ascii")) if fix is None else None
        if origin is None:
            fix = fix or "write it as a browser sends it: 'https://example.org' or 'https://example.org:8443'"
            faults.append(Fault(f"OriginPolicy(allowed=...), entry {index}", f"{entry!r} is no origin that could match", fix))
        else:
            origins.append(origin)
    if faults:
        raise DeclarationError(*faults)
    return origins


def _fix_of(entry: Any) -> str | None:
    """How to mend the usual mistakes."""
    if not isinstance(entry, str):
        return "write it as a str"
    if not entry.isascii():
        return "write the host as browsers send it, in punycode (xn--...)"
    if entry.lower() in ("null", "file://"):
        return "leave it out, since every sandboxed page and local file calls itself so; serve the page from a host of its own"
    if entry.lower().startswith(("ws://", "wss://")):
        return f"write the page's scheme: {'http' + entry[2:]!r}"
    if "*" in entry:
        return "name each origin in full, or write '*' alone to let every page pass"
    scheme, separator, rest = entry.partition("://")
    if not separator:
        return f"write the scheme too: {'https://' + entry!r}"
    if "/" in rest:
        return f"an origin ends behind its host or port: {scheme + separator + rest.partition('/')[0]!r}"
    return None


def _written(origin: _Origin) -> str:
    default = _DEFAULT_PORTS.get(origin.scheme)
    port = "" if origin.port in (None, default) else f":{origin.port}"
    return f"{origin.scheme.decode()}://{origin.host.decode()}{port}"
