"""One test body on every line: in memory on both event loops, and over a real socket."""

from __future__ import annotations

import pytest

every_line = pytest.mark.parametrize(
    ("anyio_backend", "is_real"),
    [("asyncio", False), ("trio", False), ("asyncio", True)],
    ids=["asyncio", "trio", "uvicorn"],
    indirect=True,
)
