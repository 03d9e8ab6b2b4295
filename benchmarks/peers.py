"""Which peers are there: a side without its package is left out, and said to be."""

from __future__ import annotations

from importlib.util import find_spec


def installed(package: str | None) -> bool:
    """Whether a side can be measured: it needs no package, or its package can be imported."""
    return package is None or find_spec(package) is not None
