"""Names as tokens of NATS subjects."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wscontrollers.groups.engines.nats_subjects import Subjects, last_token, text_of, token_of

TEXTS = st.text(st.characters(), min_size=1, max_size=200)


@given(TEXTS)
def test_any_text_is_one_token(text: str) -> None:
    """A token has nothing in it that NATS gives a meaning to, and leads back to its text: no two texts share one."""
    token = token_of(text)
    assert re.fullmatch(r"[A-Za-z0-9_~%/:@-]+", token)
    assert text_of(token) == text
    assert last_token(f"a.b.{token}") == text


@pytest.mark.parametrize(
    ("text", "token"), [("room:tea", "room:tea"), ("a.b", "a%2Eb"), ("*", "%2A"), (">", "%3E"), ("\udc80", "%ED%B2%80")]
)
def test_tokens(text: str, token: str) -> None:
    """Usual names stay readable; dots, wildcards and the rest are escaped, lone surrogates too."""
    assert token_of(text) == token


def test_a_subject_is_short_enough() -> None:
    """The longest name fits into a line of the protocol, which has 4,096 bytes."""
    assert len(Subjects("p" * 64).message("12345678", "k", "\U0001f389" * 200)) < 3000


def test_subscriptions_cover_messages_of_all_kinds_and_numberings() -> None:
    """What a stream sends on of a channel is what its subscription is for."""
    subjects = Subjects("wsc")
    assert subjects.subscription("tea") == "wsc.l.*.*.tea"
    assert subjects.of_numbering("n1") == "wsc.m.n1.>"
    assert subjects.numbering_of("wsc.m.n1.>") == "n1"
    assert subjects.message("n1", "k", "tea") == "wsc.m.n1.k.tea"
    assert subjects.live("n1") == "wsc.l.n1.>"
