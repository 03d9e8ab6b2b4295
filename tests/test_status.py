"""Status codes by name."""

from __future__ import annotations

from starlette import status as starlette_status

from wscontrollers import status


def test_every_name_of_starlettes_is_there() -> None:
    """Code that imports them from `fastapi.status` changes the name of the module only."""
    names = [name for name in starlette_status.__all__ if name.startswith(("HTTP_", "WS_"))]
    assert names
    assert {name: getattr(status, name) for name in names} == {name: getattr(starlette_status, name) for name in names}


def test_the_codes_that_sessions_close_with_have_names() -> None:
    """Those of the table of a session's promises."""
    assert (status.WS_1000_NORMAL_CLOSURE, status.WS_1008_POLICY_VIOLATION, status.WS_1009_MESSAGE_TOO_BIG) == (1000, 1008, 1009)
    assert (status.WS_1011_INTERNAL_ERROR, status.WS_1012_SERVICE_RESTART, status.WS_1013_TRY_AGAIN_LATER) == (1011, 1012, 1013)
