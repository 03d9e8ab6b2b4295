"""Groups: named sets of sessions that messages are published to, across processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazily import lazily

if TYPE_CHECKING:
    from .declaring import Group, group
    from .engines.engine import Engine, EngineState, History, Position
    from .engines.memory import MemoryEngine
    from .groups import Groups
    from .kept import Kept
    from .presence.declared import PresenceOf
    from .presence.present import Present
    from .published import Published
    from .publisher import Publisher, SyncGroups
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            ".declaring": ["Group", "group"],
            ".engines.engine": ["Engine", "EngineState", "History", "Position"],
            ".engines.memory": ["MemoryEngine"],
            ".groups": ["Groups"],
            ".kept": ["Kept"],
            ".presence.declared": ["PresenceOf"],
            ".presence.present": ["Present"],
            ".published": ["Published"],
            ".publisher": ["Publisher", "SyncGroups"],
        },
    )

__all__ = [
    "Engine",
    "EngineState",
    "Group",
    "Groups",
    "History",
    "Kept",
    "MemoryEngine",
    "Position",
    "PresenceOf",
    "Present",
    "Published",
    "Publisher",
    "SyncGroups",
    "group",
]
