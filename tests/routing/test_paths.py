"""Prefixes, whole paths, and which pattern takes all paths of another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from wscontrollers.exceptions import RouteError
from wscontrollers.routing.paths import checked_prefix, compiled, takes_all_of


@pytest.mark.parametrize("prefix", ["", "/a", "/a/{b}"])
def test_a_prefix_starts_with_a_slash_and_does_not_end_with_one(prefix: str) -> None:
    """A prefix is empty, or starts with a slash and does not end with one."""
    assert checked_prefix(prefix, "here") == prefix


@pytest.mark.parametrize(
    ("prefix", "fix"), [("a", 'write "/a"'), ("/a/", 'write "/a"'), ("/", 'write ""'), (None, 'write "/rooms"')]
)
def test_another_prefix_is_refused_with_its_fix(prefix: Any, fix: str) -> None:
    """Another prefix is an error that says what to write."""
    with pytest.raises(RouteError, match=rf"here: .*Fix: {re.escape(fix)}"):
        checked_prefix(prefix, "here")


@pytest.mark.parametrize("path", ["", "a", "/{a}/{a}", "/{a:nothing}"])
def test_a_path_that_cannot_be_used_is_refused(path: str) -> None:
    """Empty paths, paths without a slash in front, repeated names and unknown convertors are errors."""
    with pytest.raises(RouteError, match=r"^here: "):
        compiled(path, "here")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("/a", "/a"),
        ("/{x}", "/a"),
        ("/{x}", "/{y:int}"),
        ("/{x:float}", "/{y:int}"),
        ("/{x:int}", "/42"),
        ("/{x:path}", "/a/b/{c}"),
        ("/a/{x:path}", "/a/"),
        ("/{x:path}/end", "/a/b/end"),
        ("/{x}", "/a-{y}"),
        ("/a/{x}/c", "/a/b/c"),
    ],
)
def test_a_wider_pattern_takes_all(earlier: str, later: str) -> None:
    """A pattern takes all paths of one that is equal to it or narrower."""
    assert takes_all_of(earlier, later)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("/a", "/{x}"),
        ("/{x:int}", "/{y}"),
        ("/{x:int}", "/abc"),
        ("/{x}", "/a/b"),
        ("/{x}", "/{y:path}"),
        ("/{x:path}/end", "/a/b"),
        ("/a/{x:path}", "/a"),
        ("/{x}", "/"),
        ("/a", "/b"),
    ],
)
def test_a_narrower_pattern_does_not(earlier: str, later: str) -> None:
    """A pattern that misses a path of the other does not take all of them."""
    assert not takes_all_of(earlier, later)


SAMPLES = {"str": ["a", "7", "x-1"], "int": ["7", "42"], "float": ["7", "1.5"], "path": ["a", "a/b", ""], "literal": []}
SEGMENTS = st.sampled_from(["a", "7", "x-1", "{}", "{:int}", "{:float}", "{:path}"])


def _pattern(segments: list[str]) -> str:
    return "".join(f"/{{p{n}{part[1:]}" if part.startswith("{") else f"/{part}" for n, part in enumerate(segments))


def _examples(segments: list[str]) -> list[str]:
    paths = [""]
    for part in segments:
        kind = (part[2:-1] or "str") if part.startswith("{") else None
        paths = [f"{path}/{sample}" for path in paths for sample in (SAMPLES[kind] if kind else [part])]
    return paths


@given(st.lists(SEGMENTS, min_size=1, max_size=3), st.lists(SEGMENTS, min_size=1, max_size=3))
def test_yes_is_never_wrong(earlier: list[str], later: list[str]) -> None:
    """Whenever the answer is yes, the earlier pattern matches every path of the later one."""
    if takes_all_of(_pattern(earlier), _pattern(later)):
        regex = compile_path(_pattern(earlier))[0]
        assert all(regex.match(path) for path in _examples(later))
