"""Names that are imported when they are first asked for."""

import subprocess
import sys

import pytest

import wscontrollers.security
from wscontrollers.lazily import lazily


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    """Until then its module is not loaded; from then on the package has it for its own."""
    code = (
        "import sys, wscontrollers.security as s\n"
        "print('wscontrollers.security.http' in sys.modules)\n"
        "print(s.HTTPBearer is sys.modules['wscontrollers.security.http'].HTTPBearer is vars(s)['HTTPBearer'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    """As of any other module, so that `hasattr` and `from ... import` say the right thing."""
    with pytest.raises(AttributeError, match=r"module 'wscontrollers\.security' has no attribute 'HTTPBear'"):
        wscontrollers.security.HTTPBear  # type: ignore[attr-defined]  # noqa: B018


def test_lazy_names_are_listed() -> None:
    """`dir()` has what is loaded and what is not yet."""
    _, names = lazily("wscontrollers.security", {".http": ["HTTPBearer"], ".later": ["Later"]})
    assert {"HTTPBearer", "Later", "__name__"} <= set(names())
