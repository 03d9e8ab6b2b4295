"""Engines by their URLs."""

from __future__ import annotations

import sys

import pytest

from wscontrollers.exceptions import DeclarationError
from wscontrollers.groups.engines.memory import MemoryEngine
from wscontrollers.groups.engines.urls import engine_of


def test_memory() -> None:
    """`memory://` is the engine of one process, a new one each time."""
    first, second = engine_of("memory://"), engine_of("memory://")
    assert isinstance(first, MemoryEngine)
    assert first is not second


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://localhost", "redis"),
        ("redis://user:secret@localhost:6380/3", "redis"),
        ("rediss://localhost", "redis"),
        ("unix:///run/redis.sock", "redis"),
        ("redis+cluster://localhost:7000", "redis"),
        ("rediss+cluster://localhost:7000", "redis"),
        ("redis+sentinel://:secret@one:26379,two/service/1", "redis"),
        ("rediss+sentinel://one/service", "redis"),
        ("nats://localhost:4222", "nats"),
        ("tls://localhost:4222", "nats"),
    ],
)
def test_schemes(url: str, name: str) -> None:
    """Each scheme has its engine; nothing is connected before it is used, and no password is shown."""
    pytest.importorskip(name)
    engine = engine_of(url)
    assert engine.name == name
    assert engine.is_shared
    assert "secret" not in repr(engine)


@pytest.mark.parametrize("url", ["kafka://user:secret@host", "user:secret@host", "", "redis:secret"])
def test_no_engine(url: str) -> None:
    """The error says what can be used, and shows no password."""
    with pytest.raises(DeclarationError, match=r'engine=\.\.\.: .*Fix: use "memory://", "redis://host:6379"') as raised:
        engine_of(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("url", "extra"), [("redis://:secret@host", "redis"), ("nats://u:secret@host", "nats")])
def test_a_package_that_is_not_installed(url: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra that brings it."""
    for module in list(sys.modules):
        if module == extra or module.startswith((f"{extra}.", f"wscontrollers.groups.engines.{extra}")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_Missing(extra), *sys.meta_path])
    with pytest.raises(DeclarationError, match=rf'Fix: run pip install "wscontrollers\[{extra}\]"') as raised:
        engine_of(url)
    assert "secret" not in str(raised.value)


class _Missing:
    """Finds no package of a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self._name)
