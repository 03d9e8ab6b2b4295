"""Exceptions that are handed to a test."""

from __future__ import annotations

from wscontrollers.reports import REPORT_KEY, report


def test_who_asks_for_exceptions_gets_them() -> None:
    """The function in the scope is called with each; without one nothing happens."""
    seen: list[BaseException] = []
    error = ValueError("a bug")
    report({REPORT_KEY: seen.append}, error)
    report({}, error)
    assert seen == [error]
