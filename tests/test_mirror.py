"""`tests/` mirrors the package: every module has a test file of its name."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "wscontrollers"


def without_tests(package: Path, tests: Path) -> list[str]:
    """The modules of a package that have no test file; what is in an `__init__` are names of other modules."""
    modules = sorted(file.relative_to(package) for file in package.rglob("*.py") if file.name != "__init__.py")
    return [module.as_posix() for module in modules if not (tests / module.parent / f"test_{module.name}").exists()]


def test_every_module_has_a_test_file() -> None:
    """`wscontrollers/routing/paths.py` is covered by `tests/routing/test_paths.py`; integration tests are extra."""
    assert without_tests(PACKAGE, TESTS) == []


def test_a_module_without_tests_is_found(tmp_path: Path) -> None:
    """At any depth; a test file of another room does not count."""
    package, tests = tmp_path / "package", tmp_path / "tests"
    for file in ("package/a.py", "package/__init__.py", "package/room/a.py", "package/room/b.py", "tests/test_a.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()

    assert without_tests(package, tests) == ["room/a.py", "room/b.py"]
