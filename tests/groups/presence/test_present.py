"""What is told of a session that is in a group."""

from __future__ import annotations

from datetime import UTC, datetime

from wscontrollers.groups import Present


def test_it_is_a_value() -> None:
    """Two that say the same are equal, and none can be changed."""
    since = datetime.now(UTC)
    one = Present("1", "ann", {"name": "Ann"}, since)

    assert one == Present("1", "ann", {"name": "Ann"}, since)
    assert one != Present("1", None, {"name": "Ann"}, since)
    assert Present.__dataclass_params__.frozen  # type: ignore[attr-defined]
