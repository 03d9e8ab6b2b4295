"""The handshake that a test sends."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.testing.opening import opening


def scope(path: str, base_url: str = "http://testserver", **options: Any) -> Any:
    return opening(base_url, path, **options).scope(("testclient", 50000), {})


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/chat", {}, b""),
        ("/chat?a=1", {}, b"a=1"),
        ("/chat?a=1", {"params": {"b": 2}}, b"a=1&b=2"),
        ("/chat", {"params": {"tag": ["x", "y"], "on": True, "none": None}}, b"tag=x&tag=y&on=true&none="),
        ("/chat", {"params": [("tag", "x"), ("tag", "ü&=")]}, b"tag=x&tag=%C3%BC%26%3D"),
        ("/chat?a=ü b", {}, b"a=%C3%BC%20b"),
    ],
)
def test_query_and_params_add_up(path: str, options: dict[str, Any], expected: bytes) -> None:
    """Lists repeat their name, booleans are lower case, and everything is percent-encoded."""
    assert scope(path, **options)["query_string"] == expected


def test_the_path_is_decoded_once() -> None:
    """`path` is what was meant, `raw_path` what goes over the wire."""
    found = scope("/räume/a%2Fb")
    assert (found["path"], found["raw_path"]) == ("/räume/a/b", b"/r%C3%A4ume/a%2Fb")


def test_a_handshake_has_its_headers() -> None:
    """Those that RFC 6455, section 4.1, demands, the test's own in lower case, and repeated ones in their order."""
    found = scope("/", headers=[("X-Tag", "a"), ("x-tag", "b")], subprotocols=["v2", "v1"])["headers"]
    assert found == [
        (b"host", b"testserver"),
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", b"dGVzdGluZyB3aXRob3V0IQ=="),
        (b"sec-websocket-protocol", b"v2, v1"),
        (b"x-tag", b"a"),
        (b"x-tag", b"b"),
    ]


def test_there_is_one_host() -> None:
    """A test's own `Host` stands in the place of the base URL's."""
    found = scope("/", headers={"Host": "other"})["headers"]
    assert [value for name, value in found if name == b"host"] == [b"other"]


def test_there_is_one_cookie_header() -> None:
    """Cookies and a cookie header add up in one: RFC 6265, section 5.4."""
    found = scope("/", headers={"Cookie": "a=1"}, cookies={"b": "2", "c": "3"})["headers"]
    assert [value for name, value in found if name == b"cookie"] == [b"a=1; b=2; c=3"]


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://testserver", ("ws", ("testserver", 80))),
        ("https://chat.example.org", ("wss", ("chat.example.org", 443))),
        ("wss://chat.example.org:8443", ("wss", ("chat.example.org", 8443))),
    ],
)
def test_the_base_url_says_scheme_and_server(base_url: str, expected: Any) -> None:
    """As they are behind a server of that address."""
    found = scope("/", base_url)
    assert (found["scheme"], found["server"]) == expected


def test_a_path_without_a_slash_is_refused() -> None:
    """The error says how to write it, and so does that for a subprotocol that is no list."""
    with pytest.raises(ValueError, match=r"connect\('chat'\): a path starts with a slash. Fix: "):
        scope("chat")
    with pytest.raises(TypeError, match=r"Fix: subprotocols=\['v1'\]"):
        scope("/", subprotocols="v1")


def test_each_session_gets_its_own_state() -> None:
    """A copy of the lifespan's, as from a server."""
    state = {"pool": object()}
    found = opening("http://t", "/").scope(("c", 1), state)["state"]
    assert found == state
    assert found is not state
