"""What a line asks of its session is what a session has."""

from __future__ import annotations

from wscontrollers.session.life import Life
from wscontrollers.session.resuming.held import Held


def test_a_session_is_held() -> None:
    """Each name of the protocol is one of the session's."""
    asked = {name for name in vars(Held) if not name.startswith("_")}

    assert asked == {"websocket", "user", "written", "came_back", "stop", "move", "places", "waiting", "unread"}
    assert asked - {"websocket"} <= set(dir(Life))
    assert "websocket" in dir(Life)  # a slot
