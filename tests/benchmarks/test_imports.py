"""The benchmark of imports runs."""

from __future__ import annotations

from benchmarks import imports


def test_imports_are_measured():
    """Ours and what it stands on are imported in interpreters of their own."""
    ([table], [target]) = imports.imports(rounds=1)
    assert {imports.FLOOR, "wscontrollers"} <= set(table.rounds)
    assert "1.15" in target.text
