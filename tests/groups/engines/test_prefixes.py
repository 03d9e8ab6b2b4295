"""The prefix of an engine in its URL."""

from __future__ import annotations

import pytest

from wscontrollers.groups.engines.prefixes import prefix_in


@pytest.mark.parametrize(
    ("url", "rest", "prefix"),
    [
        ("redis://host:6379/0", "redis://host:6379/0", None),
        ("redis://host:6379/0?prefix=shop", "redis://host:6379/0", "shop"),
        ("redis://:a%2Fb@host?db=3&prefix=shop&ssl=x%20y", "redis://:a%2Fb@host?db=3&ssl=x+y", "shop"),
        ("unix:///run/redis.sock?prefix=a&db=4", "unix:///run/redis.sock?db=4", "a"),
        ("redis+sentinel://one:26379,two/service?prefix=", "redis+sentinel://one:26379,two/service", ""),
    ],
)
def test_it_is_taken_out_of_the_url(url: str, rest: str, prefix: str | None) -> None:
    """What is left is the library's own."""
    assert prefix_in(url) == (rest, prefix)
