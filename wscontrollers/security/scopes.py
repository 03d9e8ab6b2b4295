"""The scopes that the way to a dependency asks for."""

from __future__ import annotations

from collections.abc import Iterable


class SecurityScopes:
    """Ask for this type in a dependency to learn which scopes the `Security(...)` marks above it want.

    Args:
        scopes: The scopes, outermost mark first, without repeats.

    Attributes:
        scopes: The same as a list.
        scope_str: The same in one string with spaces between, as in RFC 6749, section 3.3, and in a challenge's `scope`.

    Source: FastAPI's `SecurityScopes`.
    """

    __slots__ = ("scope_str", "scopes")

    def __init__(self, scopes: Iterable[str] | None = None) -> None:
        self.scopes: list[str] = list(scopes or ())
        self.scope_str: str = " ".join(self.scopes)

    def __repr__(self) -> str:
        return f"SecurityScopes({self.scopes!r})"
