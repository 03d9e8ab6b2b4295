"""What a client shows of the application under test."""

from __future__ import annotations

from typing import Any


def named(application: object, name: str, client: str) -> Any:
    """An attribute of the application.

    Args:
        application: The application.
        name: The attribute's name.
        client: The class of the client, for the error.

    Raises:
        AttributeError: The application has no such attribute.
    """
    try:
        return getattr(application, name)
    except AttributeError:
        kind = type(application).__qualname__
        raise AttributeError(
            f"{client}.{name}: the application, of type {kind}, has no {name}."
            " Fix: give the client the App itself, not what wraps it.",
            name=name,
            obj=application,
        ) from None
