"""Names of a package that are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package, for names that only some of its users need.

        if TYPE_CHECKING:
            from .http import HTTPBearer
        else:
            __getattr__, __dir__ = lazily(__name__, {".http": ["HTTPBearer"]})

    Type checkers see the first half; with the second one in sight they would take any name for an attribute.

    Args:
        package: The package's `__name__`.
        homes: By module, relative to the package, the names that come from it.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def __getattr__(name: str) -> Any:  # noqa: N807 - it becomes the package's
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name], package), name)
        setattr(sys.modules[package], name, value)  # the next one finds it without asking
        return value

    def __dir__() -> list[str]:  # noqa: N807 - see above
        return sorted({*vars(sys.modules[package]), *home_of})

    return __getattr__, __dir__
