from __future__ import annotations

from wscontrollers.security import SecurityScopes


def test_scopes_are_a_list_and_a_string() -> None:
    """`scopes` keeps the order, `scope_str` joins with spaces."""
    scopes = SecurityScopes(["read", "write"])

    assert (scopes.scopes, scopes.scope_str) == (["read", "write"], "read write")


def test_no_scopes_are_empty() -> None:
    """None stands for no scopes."""
    assert (SecurityScopes().scopes, SecurityScopes(None).scope_str) == ([], "")


def test_the_given_list_is_not_shared() -> None:
    """What a dependency does to its list changes nobody else's."""
    given = ["read"]
    SecurityScopes(given).scopes.append("write")

    assert given == ["read"]


def test_repr_shows_the_scopes() -> None:
    """A failing test shows which scopes there were."""
    assert repr(SecurityScopes(["read"])) == "SecurityScopes(['read'])"
