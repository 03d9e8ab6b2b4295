"""Tables: medians, ratios and targets."""

from __future__ import annotations

from benchmarks.table import Table, Target, Turns, at_least, report

TABLE = Table("Work", "µs", {"floor": [1.0, 2.0, 40.0], "side": [2.0, 4.0, 80.0], "odd": [2.0, 2.0, 2.0]}, "floor")


def test_typical_is_the_median():
    """One round in which the machine was busy does not move a side's number."""
    assert TABLE.typical("floor") == 2.0


def test_ratio_compares_what_was_measured_together():
    """The ratio is the median of the rounds' ratios: a busy round counts for both sides or for none."""
    assert TABLE.ratio("side", "floor") == 0.5
    assert TABLE.ratio("odd", "floor") == 1.0


def test_turns_interleave_and_drop_the_first():
    """Every side is measured in every turn, and the first turn only warms up."""
    turns = Turns(["a", "b"], rounds=2)
    order = []
    for number, side in enumerate(turns):
        order.append(side)
        turns.keep(side, number)
    assert order == ["a", "b"] * 3
    assert turns.measured == {"a": [2, 4], "b": [3, 5]}


def test_target_needs_its_peer():
    """A peer that was not measured makes no target, neither met nor missed."""
    assert at_least(TABLE, "side", "absent", 1) == []
    assert [target.met for target in at_least(TABLE, "floor", "side", 2)] == [True]


def test_report_is_markdown():
    """A missed target is told as one."""
    text = report([TABLE], [Target("faster", met=False)])
    assert "| side | 4.00 | 2.00 to 80.0 | 2.00 | 0.50 |" in text
    assert "- **missed**: faster" in text


def test_a_cost_that_cannot_be_seen() -> None:
    """A round that was too short for the clock of the CPU is no division by zero."""
    assert Table("t", "ms", {"a": [0.0], "b": [1.0]}, "b").ratio("a", "b") == float("inf")
