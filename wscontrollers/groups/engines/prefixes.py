"""The prefix of an engine in its URL: `redis://host?prefix=shop`."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit


def prefix_in(url: str) -> tuple[str, str | None]:
    """A URL without the prefix in its query, and that; None if there is none.

    Raises:
        ValueError: It is no URL. The text may hold a part of a password.
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    prefix = next((value for name, value in given if name == "prefix"), None)
    if prefix is None:
        return url, None
    rest = urlencode([(name, value) for name, value in given if name != "prefix"])
    before, _, _ = url.partition("?")  # and not put together anew: `unix:///path` would lose slashes
    return f"{before}?{rest}" if rest else before, prefix
