"""The command."""

from __future__ import annotations

import sys

import pytest

from benchmarks import __main__ as command
from benchmarks.table import Table, Target


def test_named_benchmarks_run(monkeypatch, capsys):
    """`python -m benchmarks echo` runs that one alone and prints its table and targets."""
    table = Table("Work", "µs", {"floor": [1.0]}, "floor")
    monkeypatch.setattr(command, "BENCHMARKS", {"echo": lambda: ([table], [Target("fast", met=True)]), "memory": pytest.fail})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "echo"])
    command.main()
    printed = capsys.readouterr().out
    assert "| floor | 1.00 |" in printed
    assert "- met: fast" in printed


def test_unknown_benchmark_is_refused(monkeypatch, capsys):
    """A name that is none is an error before anything runs."""
    monkeypatch.setattr(sys, "argv", ["benchmarks", "ecco"])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no ecco" in capsys.readouterr().err


def test_environment_names_versions():
    """What was measured is said with its version."""
    assert "starlette 1." in command.environment()
