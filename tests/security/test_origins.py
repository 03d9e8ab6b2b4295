from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.handshakes import scope
from wscontrollers.exceptions import DeclarationError
from wscontrollers.security import OriginPolicy


def sent(origin: bytes, host: bytes = b"example.org", scheme: str = "wss") -> dict[str, Any]:
    return scope((b"host", host), (b"origin", origin), scheme=scheme)


def test_no_origin_header_passes() -> None:
    """Programs that are no browsers send no Origin."""
    assert OriginPolicy().allows(scope((b"host", b"example.org")))


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (b"https://example.org", b"example.org", "wss"),
        (b"HTTPS://Example.ORG", b"eXample.org", "wss"),
        (b"https://example.org", b"example.org:443", "wss"),
        (b"https://example.org:443", b"example.org", "https"),
        (b"https://example.org:8443", b"example.org:8443", "wss"),
        (b"http://example.org", b"example.org:80", "ws"),
        (b"http://localhost:8000", b"localhost:8000", "http"),
        (b"http://[::1]:8000", b"[::1]:8000", "ws"),
        (b"http://[0:0:0::1]", b"[::1]", "ws"),
        (b"http://my_host", b"my_host", "ws"),
    ],
)
def test_the_same_host_passes(origin: bytes, host: bytes, scheme: str) -> None:
    """Origin and Host agree: without case, with or without the default port, addresses in any spelling."""
    assert OriginPolicy().allows(sent(origin, host, scheme))


def test_a_page_by_https_passes_where_a_proxy_took_off_the_tls() -> None:
    """The server sees ws behind such a proxy; a browser would not let a page had by https open ws."""
    assert OriginPolicy().allows(sent(b"https://example.org", b"example.org", "ws"))


def test_a_page_by_http_does_not_pass_for_wss() -> None:
    """Anyone on the way can write a page that was had by http."""
    assert not OriginPolicy().allows(sent(b"http://example.org", b"example.org", "wss"))
    assert not OriginPolicy().allows(sent(b"http://example.org:443", b"example.org", "wss"))


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.test",
        b"https://example.org.evil.test",
        b"https://evilexample.org",
        b"https://sub.example.org",
        b"https://example.org:8443",
        b"https://example.org.",
        b"https://user@example.org",
        b"https://example.org@evil.test",
        b"https://evil.test#example.org",
        b"https://example.org/",
        b"https://example.org/path",
        b"https://example.org https://evil.test",
        b"https://example.org, https://evil.test",
        b"https://example.org:0",
        b"https://example.org:99999",
        b"https://example.org:",
        b"https://example.org:+443",
        b"https://[::1",
        b"https://[::g]",
        b"https://[1.2.3]",
        b"https://example.org\n",
        b" https://example.org",
        b"https://ex\xc3\xa4mple.org",
        b"https:///",
        b"https://",
        b"//example.org",
        b"example.org",
        b"wss://example.org",
        b"ftp://example.org",
        b"file://",
        b"null",
        b"*",
        b"",
    ],
)
def test_anything_else_is_refused(origin: bytes) -> None:
    """Other hosts, ports, tricks with prefixes, suffixes and user names, and what is no origin at all."""
    assert not OriginPolicy().allows(sent(origin))
    assert not OriginPolicy(["https://friend.test"]).allows(sent(origin))


def test_several_origin_headers_are_refused() -> None:
    """A browser sends one; which of two would count is anybody's guess."""
    twice = scope(
        (b"origin", b"https://example.org"), (b"host", b"example.org"), (b"origin", b"https://example.org"), scheme="wss"
    )

    assert not OriginPolicy(["https://example.org"]).allows(twice)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"")],
        [(b"host", b"user@example.org")],
        [(b"host", b"example.org"), (b"host", b"example.org")],
        [(b"host", b"evil.test"), (b"host", b"example.org")],
    ],
)
def test_without_one_sound_host_nothing_is_the_same(headers: list[tuple[bytes, bytes]]) -> None:
    """A missing, malformed or repeated Host matches no Origin; the list still does."""
    handshake = scope(*headers, (b"origin", b"https://example.org"), scheme="wss")

    assert not OriginPolicy().allows(handshake)
    assert OriginPolicy(["https://example.org"]).allows(handshake)


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://friend.test", b"https://friend.test"),
        ("https://Friend.test:443", b"https://friend.test"),
        ("http://friend.test:8080", b"http://FRIEND.test:8080"),
        ("http://[::1]:3000", b"http://[::1]:3000"),
        ("capacitor://localhost", b"capacitor://localhost"),
    ],
)
def test_the_list_is_exact(entry: str, origin: bytes) -> None:
    """An entry lets its own origin pass, for any Host, in any order of headers, and no other."""
    policy = OriginPolicy(["https://other.test", entry])

    assert policy.allows(sent(origin))
    assert policy.allows(scope((b"origin", origin)))
    assert not policy.allows(sent(origin + b".evil.test"))
    assert not policy.allows(sent(b"evil" + origin))


def test_the_scheme_and_the_port_of_an_entry_count() -> None:
    """http is not https, and 8080 is not 80."""
    policy = OriginPolicy(["https://friend.test"])

    assert not policy.allows(sent(b"http://friend.test"))
    assert not policy.allows(sent(b"https://friend.test:8080"))


@pytest.mark.parametrize("origin", [b"https://evil.test", b"null", b"file://", b"", b"what?"])
def test_a_star_lets_all_pass(origin: bytes) -> None:
    """`"*"` must be spelled; then nothing is looked at."""
    assert OriginPolicy(["*"]).allows(sent(origin))
    assert OriginPolicy(["https://friend.test", "*"]).allows(sent(origin))


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ("https://friend.test/", "'https://friend.test'"),
        ("https://friend.test/chat", "'https://friend.test'"),
        ("friend.test", "'https://friend.test'"),
        ("wss://friend.test", "'https://friend.test'"),
        ("ws://friend.test", "'http://friend.test'"),
        ("https://*.friend.test", "name each origin in full"),
        ("https://fränd.test", "punycode"),
        ("https://me@friend.test", "as a browser sends it"),
        ("https://friend.test:99999", "as a browser sends it"),
        ("null", "leave it out"),
        ("file://", "leave it out"),
        ("", "write the scheme too"),
        (7, "write it as a str"),
    ],
)
def test_a_malformed_entry_is_a_mistake_with_a_fix(entry: Any, fix: str) -> None:
    """What no browser would send is told at construction: where, what, and how to mend it."""
    with pytest.raises(DeclarationError) as mistake:
        OriginPolicy(["https://good.test", entry])

    (fault,) = mistake.value.faults
    assert fault.where == "OriginPolicy(allowed=...), entry 1"
    assert repr(entry) in fault.what
    assert fix in fault.fix


def test_all_malformed_entries_are_told_at_once() -> None:
    """Two mistakes are two faults."""
    with pytest.raises(DeclarationError) as mistake:
        OriginPolicy(["null", "friend.test"])

    assert len(mistake.value.faults) == 2


def test_one_text_is_not_a_list() -> None:
    """A str is a sequence of letters, which nobody means."""
    with pytest.raises(DeclarationError, match=r"Fix: write \['https://friend.test'\]"):
        OriginPolicy("https://friend.test")


def test_repr_shows_what_passes() -> None:
    """The policy shows its list in a normal form, for logs and failing tests."""
    assert (
        repr(OriginPolicy(["http://B.test:8080", "https://a.test:443"]))
        == "OriginPolicy(['http://b.test:8080', 'https://a.test'])"
    )
    assert repr(OriginPolicy(["*", "https://a.test"])) == "OriginPolicy(['*'])"


@given(origin=st.binary(max_size=40), host=st.binary(max_size=40))
def test_no_bytes_break_the_decision(origin: bytes, host: bytes) -> None:
    """Whatever a peer sends, the answer is yes or no."""
    assert OriginPolicy().allows(sent(b"https://" + origin, host)) in (True, False)


@given(
    page=st.from_regex(r"[aA][.:@/ b]{0,3}[48]{0,3}", fullmatch=True), host=st.from_regex(r"a[.:b]{0,3}(443)?", fullmatch=True)
)
def test_only_the_same_host_and_port_pass(page: str, host: str) -> None:
    """Of many that look alike, those pass whose host and port are the same."""
    if OriginPolicy().allows(sent(f"https://{page}".encode(), host.encode())):
        assert page.lower().removesuffix(":443") == host.removesuffix(":443")
