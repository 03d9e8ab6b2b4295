"""Exceptions that the application answers by itself, handed to the test that wants to fail with them."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

REPORT_KEY: Final = "wscontrollers.report_exception"
"""Where a handshake's ASGI scope carries the function that takes them."""


def report(scope: Scope, error: BaseException) -> None:
    """Hand over an exception that is answered and logged here; nothing happens where nobody wants it."""
    reporter = scope.get(REPORT_KEY)
    if reporter is not None:
        reporter(error)
