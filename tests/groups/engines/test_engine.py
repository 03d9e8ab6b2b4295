"""The data that goes through engines."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.groups.engines.engine import EngineState, History


@pytest.mark.parametrize("options", [{"size": 0}, {"size": -1}, {"age": 0}, {"age": -1.0}])
def test_a_history_keeps_something(options: dict[str, Any]) -> None:
    """A size of at least one, and an age above zero or none."""
    with pytest.raises(ValueError, match=r"there is nothing to keep. Fix: "):
        History(**options)
    assert History(size=1, age=None).age is None


@pytest.mark.parametrize("age", [float("nan"), float("inf"), 1e15])
def test_no_age_without_an_end(age: float) -> None:
    """Engines count in whole units: what none of them can keep is refused where it is declared, and not at the first message."""
    with pytest.raises(ValueError, match=r"Fix: give "):
        History(age=age)


def test_states_have_names_for_the_log() -> None:
    """They are words."""
    assert [state.value for state in EngineState] == ["up", "degraded", "down"]
