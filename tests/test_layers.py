"""Imports point down only: the house's order of rooms, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "wscontrollers"

ORDER = [
    {
        *("exceptions", "callables", "cancellation", "field_options", "generated", "lazily", "logs", "markers", "params"),
        *("records", "strays", "declare", "status", "reports", "websockets", "middleware"),
    },
    {"messages"},
    {"container"},
    {"security"},
    {"dependencies"},
    {"session"},
    {"groups"},
    {"routing"},
    {"controller"},
    {"registration"},
    {"app"},
    {"testing"},
    {"__init__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
ONLY_IN = {"injector": "container/", "redis": "groups/engines/redis", "nats": "groups/engines/nats"}


def faults(package: Path) -> list[str]:
    """Every import of the package's files that points up, as `file:line: what`."""
    found: list[str] = []
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package)
        room = inside.parts[0].removesuffix(".py")
        if room not in FLOOR:
            found.append(f"{inside}:1: the room {room!r} has no floor in ORDER")
            continue
        for line, module in imports(file, package):
            first, _, rest = module.partition(".")
            if first in ONLY_IN and not inside.as_posix().startswith(ONLY_IN[first]):
                found.append(f"{inside}:{line}: {first} is imported only in {ONLY_IN[first]}")
            if first == package.name:
                target = rest.partition(".")[0]
                target = target if target in FLOOR else "__init__"
                if FLOOR[target] > FLOOR[room]:
                    found.append(f"{inside}:{line}: {room} must not import {target}, which is above it")
    return found


def imports(file: Path, package: Path) -> Iterator[tuple[int, str]]:
    """The imported modules with their lines, in functions and below `if TYPE_CHECKING` too: both make rooms know each other."""
    parents = [package.name, *file.relative_to(package).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x`: x may be a room.
            names = [f".{alias.name}" for alias in node.names] if module == package.name else [""]
            yield from ((node.lineno, module + name) for name in names)


def test_imports_point_down() -> None:
    """No file imports from a room above its own, and injector, redis and nats stay in their rooms."""
    assert faults(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        (
            "security/base.py",
            "import os\nfrom ..app import App",
            "security/base.py:2: security must not import app, which is above it",
        ),
        (
            "messages.py",
            "def f():\n    import wscontrollers.session",
            "messages.py:2: messages must not import session, which is above it",
        ),
        ("params.py", "from . import routing", "params.py:1: params must not import routing, which is above it"),
        ("app.py", "from wscontrollers import App", "app.py:1: app must not import __init__, which is above it"),
        (
            "groups/engines/memory.py",
            "from ...testing import x",
            "groups/engines/memory.py:1: groups must not import testing, which is above it",
        ),
        ("routing/route.py", "from injector import Key", "routing/route.py:1: injector is imported only in container/"),
        ("cellar/x.py", "", "cellar/x.py:1: the room 'cellar' has no floor in ORDER"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, source: str, fault: str) -> None:
    """The check names file and line of an import that points up, however it is written."""
    planted = tmp_path / "wscontrollers" / file
    planted.parent.mkdir(parents=True)
    planted.write_text(source)

    assert faults(tmp_path / "wscontrollers") == [fault]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("app.py", "from .exceptions import DeclarationError\nfrom . import params"),
        ("container/keys.py", "import injector\nfrom ..exceptions import ContainerError\nfrom . import graph"),
        ("markers.py", "from .exceptions import DeclarationError"),
        ("groups/engines/redis.py", "import redis.asyncio"),
    ],
)
def test_imports_that_point_down_pass(tmp_path: Path, file: str, source: str) -> None:
    """A room may import from its own floor and from those below."""
    planted = tmp_path / "wscontrollers" / file
    planted.parent.mkdir(parents=True)
    planted.write_text(source)

    assert faults(tmp_path / "wscontrollers") == []
