"""What has to be awaited."""

from __future__ import annotations

from wscontrollers.container.nodes import Call, Node
from wscontrollers.container.scopes import Tier


def awaits(node: Node) -> bool:
    """Whether having the thing takes an await. What lives as long as the app is opened before, and is just read."""
    return node.lifetime is not Tier.APP and build_awaits(node)


def build_awaits(node: Node) -> bool:
    """Whether making it takes an await, its own or one of what has to be made for it at once."""
    seen = {node}
    queue = [node]
    for each in queue:
        if isinstance(each.make, Call) and each.make.mode.awaits:
            return True
        for needed in () if each.is_lazy else each.needs:
            if needed.lifetime is not Tier.APP and needed not in seen:
                seen.add(needed)
                queue.append(needed)
    return False
